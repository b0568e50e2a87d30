"""What `secret://name` means while a step runs, and nowhere else.

The secret `payments/api-key` is the value of the environment variable `F0CI_SECRET_PAYMENTS_API_KEY`. A step's
arguments and variables get the value in place of the reference; the variables themselves are kept from its processes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from f0ci.core.errors import StepError
from f0ci.core.redaction import Redactor
from f0ci.environments.secrets import SCHEME, secret_references
from f0ci.recipes.model import Recipe

PREFIX = "F0CI_SECRET_"


def variable_of(name: str) -> str:
    """Return the environment variable that holds a secret."""
    return PREFIX + re.sub(r"[^A-Z0-9]", "_", name.upper())


@dataclass(frozen=True, slots=True)
class SecretValues:
    """The secrets that this process was given.

    Attributes:
        environ: the process's environment when the run began.
    """

    environ: Mapping[str, str]

    def filled_in(self, data: Any, redactor: Redactor) -> Any:
        """Return data with every reference to a secret replaced by the secret, which is hidden from now on.

        Raises:
            StepError: a secret was not given; trying again cannot help.
        """
        values: dict[str, str] = {}
        for reference in secret_references(data):
            variable = variable_of(reference.name)
            if variable not in self.environ:
                hint = f"set {variable}, in CI from the secret store of the job's environment"
                raise StepError(f"the secret {reference.name!r} is not set", hint, terminal=True)
            values[reference.name] = self.environ[variable]
            redactor.add(values[reference.name])
        if not values:
            return data
        # longer names first: one may begin with another
        names = "|".join(re.escape(name) for name in sorted(values, key=len, reverse=True))
        return _replaced(data, re.compile(f"{re.escape(SCHEME)}({names})"), values)


def _replaced(data: Any, reference: re.Pattern[str], values: Mapping[str, str]) -> Any:
    if isinstance(data, str):
        return reference.sub(lambda match: values[match[1]], data)
    if isinstance(data, Mapping):
        return {key: _replaced(item, reference, values) for key, item in data.items()}
    return [_replaced(item, reference, values) for item in data] if isinstance(data, list | tuple) else data


def hide_sensitive(recipe: Recipe, params: Mapping[str, Any], redactor: Redactor) -> None:
    """Have the values of parameters that are declared `sensitive: true` masked from now on."""
    for parameter in recipe.parameters:
        if recipe.document.get((*parameter.at, "sensitive")) is True:
            for text in _texts(params.get(parameter.name)):
                redactor.add(text)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []
