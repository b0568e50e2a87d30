"""References to secrets: `secret://name` stands where a secret belongs, and stays there until a run needs it.

No file, rendered tree or record ever holds the secret itself. The runner asks for it by name when a step starts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from f0ci.core.values import dataclass
from f0ci.source.reading import Path

SCHEME = "secret://"
# a process gets `payments/api-key` in F0CI_SECRET_PAYMENTS_API_KEY
PREFIX = "F0CI_SECRET_"
# the key that opens age-encrypted secrets
AGE_IDENTITY = "F0CI_SECRET_AGE_IDENTITY"
_REFERENCE = re.compile(r"secret://(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9_./-]*[A-Za-z0-9_])?)")


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
