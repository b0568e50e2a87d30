"""What `secret://name` means while a step runs, and nowhere else.

`f0ci.yaml` says under `secrets` which providers are asked, in order; without it, environment variables. A step's
arguments and variables get the value in place of the reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci.core.errors import CannotWork, StepError, UsageError
from f0ci.core.redaction import Redactor
from f0ci.core.values import dataclass
from f0ci.environments.secrets import PREFIX, SCHEME, is_reference, secret_references
from f0ci.recipes.model import Recipe
from f0ci.runner.sealing import Sealer, sensitive_texts

if TYPE_CHECKING:
    from f0ci.runner.secret_providers.base import Provider

DEFAULT_PROVIDERS: tuple[Mapping[str, Any], ...] = ({"provider": "environment"},)


@dataclass(slots=True)
class SecretValues:
    """The secrets of one run.

    Attributes:
        environ: the process's environment when the run began.
        root: folder that relative paths of providers start from.
        environment: name of the environment that the run is for, or None.
        providers: what is asked, in order: the settings of each, as in `f0ci.yaml`.
    """

    environ: Mapping[str, str]
    root: Path = Path()
    environment: str | None = None
    providers: tuple[Mapping[str, Any], ...] = DEFAULT_PROVIDERS
    _opened: list[Provider] | None = field(default=None, repr=False)

    def hide_given(self, redactor: Redactor) -> None:
        """Have every secret masked that this process was given, whether a step asks for it or not."""
        for name, value in self.environ.items():
            if name.startswith(PREFIX):
                redactor.add(value)

    def find(self, name: str, redactor: Redactor) -> str | None:
        """Return a secret, or None where it cannot be had."""
        try:
            return self._find(name, redactor)
        except StepError:
            return None

    def filled_in(self, data: Any, redactor: Redactor, sealer: Sealer | None = None) -> Any:
        """Return data with every reference to a secret replaced by the secret, which is hidden from now on.

        Raises:
            StepError: no provider has a secret, or one cannot be asked; trying again cannot help.
        """
        values: dict[str, str] = {}
        for reference in secret_references(data):
            if reference.name not in values:
                values[reference.name] = self._find(reference.name, redactor)
                redactor.add(values[reference.name])
                if sealer is not None:
                    sealer.add(f"secret {reference.name}", values[reference.name])
        if not values:
            return data
        # longer names first: one may begin with another
        names = "|".join(re.escape(name) for name in sorted(values, key=len, reverse=True))
        return _replaced(data, re.compile(f"{re.escape(SCHEME)}({names})"), values)

    def _find(self, name: str, redactor: Redactor) -> str:
        try:
            if self._opened is None:
                self._opened = list(self._open(redactor))
            for provider in self._opened:
                value = provider.find(name)
                if value is not None:
                    return value
        except (CannotWork, UsageError) as error:
            raise StepError(f"the secret {name!r} cannot be had: {error}", error.hint, terminal=True) from error
        hint = ", or ".join(provider.hint(name) for provider in self._opened)
        raise StepError(f"the secret {name!r} is not set", hint, terminal=True)

    def _open(self, redactor: Redactor) -> Iterable[Provider]:
        from f0ci.core.plugins import load
        from f0ci.runner.secret_providers.base import Place

        for settings in self.providers:
            module = load("f0ci.runner.secret_providers", str(settings["provider"]), noun="secret provider")
            place = Place(self.root, self.environ, self.environment, settings, redactor)
            provider: Provider = module.open_provider(place)
            yield provider


def _replaced(data: Any, reference: re.Pattern[str], values: Mapping[str, str]) -> Any:
    if isinstance(data, str):
        return reference.sub(lambda match: values[match[1]], data)
    if isinstance(data, Mapping):
        return {key: _replaced(item, reference, values) for key, item in data.items()}
    return [_replaced(item, reference, values) for item in data] if isinstance(data, list | tuple) else data


def hide_sensitive(recipe: Recipe, params: Mapping[str, Any], redactor: Redactor, sealer: Sealer | None = None) -> None:
    """Have the values of parameters that are declared `sensitive: true` masked from now on; references are none."""
    sensitive = {
        parameter.name: params.get(parameter.name)
        for parameter in recipe.parameters
        if recipe.document.get((*parameter.at, "sensitive")) is True
    }
    for name, text in sensitive_texts(sensitive) if sensitive else ():
        if is_reference(text):
            continue
        redactor.add(text)
        if sealer is not None:
            sealer.add(f"parameter {name}", text)
