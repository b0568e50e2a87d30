"""What a secret provider is: one file that answers what `secret://name` means while a step runs.

A provider's file offers `SETTINGS`, the settings it knows, and `open_provider(place) -> Provider`. What it returns is
masked from then on wherever f0ci prints or writes; a provider never puts a secret, nor a part of one, into a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from f0ci.core.errors import CannotWork
from f0ci.core.redaction import Redactor
from f0ci.core.suggestions import did_you_mean


@dataclass(frozen=True, slots=True)
class Place:
    """Where secrets are asked for.

    Attributes:
        root: folder that relative paths start from.
        environ: the process's environment when the run began.
        environment: name of the environment that the run is for, or None.
        settings: the provider's settings in `f0ci.yaml`.
        redactor: masks what must never be shown, such as a key that opens a file.
    """

    root: Path
    environ: Mapping[str, str]
    environment: str | None
    settings: Mapping[str, Any]
    redactor: Redactor


class Provider(Protocol):
    """Answers for secrets of one source."""

    def find(self, name: str) -> str | None:
        """Return a secret, or None where this source has none of the name.

        Raises:
            CannotWork: the source cannot be asked.
        """
        ...

    def hint(self, name: str) -> str:
        """Return what would give this source the secret."""
        ...


def known_only(provider: str, settings: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse a setting that a provider does not know.

    Raises:
        CannotWork: there is one.
    """
    for name in settings:
        if name not in known and name != "provider":
            raise CannotWork(
                f"the secret provider {provider!r} has no setting {name!r}",
                did_you_mean(str(name), known, noun="its settings") if known else "it has none",
                place="f0ci.yaml",
            )


def path_in(place: Place, setting: str) -> Path | None:
    """Return the path that a setting names, with `{environment}` filled in; None where it needs one and there is none.

    Raises:
        CannotWork: the setting is missing.
    """
    written = place.settings.get(setting)
    if not isinstance(written, str) or not written:
        raise CannotWork(
            f"the secret provider {place.settings.get('provider')!r} does not say {setting!r}",
            f"write {setting!r} below 'secrets'",
            place="f0ci.yaml",
        )
    if "{environment}" in written:
        if place.environment is None:
            return None
        written = written.replace("{environment}", place.environment)
    return place.root / written
