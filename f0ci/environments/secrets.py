"""References to secrets: `secret://name` stands where a secret belongs, and stays there until a run needs it.

No file, rendered tree or record ever holds the secret itself. The runner asks for it by name when a step starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from f0ci.core import plugins
from f0ci.core.errors import InputError
from f0ci.core.patterns import pattern
from f0ci.core.suggestions import did_you_mean
from f0ci.core.values import dataclass
from f0ci.source.project import Project
from f0ci.source.reading import Path

# named, not imported: what runs recipes lies above
_PROVIDERS = "f0ci.runner.secret_providers"
SCHEME = "secret://"
# a process gets `payments/api-key` in F0CI_SECRET_PAYMENTS_API_KEY
PREFIX = "F0CI_SECRET_"
# the key that opens age-encrypted secrets
AGE_IDENTITY = "F0CI_SECRET_AGE_IDENTITY"
_REFERENCE = pattern(r"secret://(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9_./-]*[A-Za-z0-9_])?)")


@dataclass(frozen=True, slots=True)
class SecretReference:
    """One mention of a secret.

    Attributes:
        name: what follows `secret://`, such as `db-password` or `payments/api-key`.
        at: path of the text that mentions it.
        is_whole: True where the reference is the whole text.
    """

    name: str
    at: Path
    is_whole: bool


def variable_of(name: str) -> str:
    """Return the environment variable that holds a secret."""
    return PREFIX + re.sub(r"[^A-Z0-9]", "_", name.upper())


def is_reference(value: Any) -> bool:
    """Tell whether a value is a reference to a secret, and nothing else."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def secret_references(data: Any, at: Path = ()) -> tuple[SecretReference, ...]:
    """Return every reference to a secret in a text or in nested data, in written order."""
    if isinstance(data, str):
        return tuple(SecretReference(match["name"], at, match.group() == data) for match in _REFERENCE.finditer(data))
    if not isinstance(data, Mapping | list | tuple):
        return ()
    inner = data.items() if isinstance(data, Mapping) else enumerate(data)
    return tuple(found for key, value in inner for found in secret_references(value, (*at, key)))


def unknown_providers(project: Project) -> Iterator[tuple[Path, str, str | None]]:
    """Yield every provider of secrets that is not installed: where the settings name it, what is wrong, and a hint."""
    for index, settings in enumerate(project.secrets):
        name = str(settings["provider"])
        known = plugins.names(_PROVIDERS)
        if name not in known and name.replace("_", "-") not in known:
            hint = did_you_mean(name, known, noun="there are")
            yield ("secrets", index, "provider"), f"there is no secret provider {name!r}", hint


def refuse_unknown_providers(project: Project) -> None:
    """Refuse settings that name a provider of secrets that is not installed.

    Raises:
        InputError: they do; says the line.
    """
    for at, message, hint in unknown_providers(project):
        place = str(project.document.location(at)) if project.document else None
        raise InputError(message, hint, place=place)
