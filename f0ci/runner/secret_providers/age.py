"""Secrets from an age-encrypted file that lies in Git: what `age` or `rage` encrypt, f0ci opens while a step runs.

Settings: `file`, in which `{environment}` stands for the environment; decrypted it is a YAML or JSON mapping of names
to values. `identity_file` names a file that holds the key; without it the key is the value of the variable
`F0CI_SECRET_AGE_IDENTITY`. A key is an age identity (`AGE-SECRET-KEY-1...`) or an SSH private key without passphrase.

Needs the package `pyrage`: `pip install f0ci[age]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from f0ci.core.errors import CannotWork
from f0ci.environments.secrets import AGE_IDENTITY
from f0ci.runner.secret_providers.base import Place, known_only, path_in
from f0ci.source.yaml import read_yaml

SETTINGS = frozenset({"file", "identity_file"})


@dataclass(slots=True)
class Encrypted:
    """An encrypted file, opened when the first secret is asked for."""

    place: Place
    path: Path | None
    _opened: Mapping[str, str] | None = field(default=None, repr=False)

    def find(self, name: str) -> str | None:
        """Return the value that the file has for the name, or None.

        Raises:
            CannotWork: the file cannot be opened with the key, or holds no mapping of texts.
        """
        if self.path is None or not self.path.exists():
            return None
        if self._opened is None:
            self._opened = _opened(self.path, _identities(self.place))
        return self._opened.get(name)

    def hint(self, name: str) -> str:
        """Return where to write the secret."""
        return f"write {name!r} into {self.path} and encrypt it" if self.path else "run it for an environment"


def open_provider(place: Place) -> Encrypted:
    """Return what answers from an encrypted file."""
    known_only("age", place.settings, SETTINGS)
    return Encrypted(place, path_in(place, "file"))


def _identities(place: Place) -> list[Any]:
    """Return the keys, which are masked from now on."""
    pyrage = _pyrage()
    if "identity_file" in place.settings:
        path = place.root / str(path_in(place, "identity_file"))
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise CannotWork(f"the age identity file {str(path)!r} cannot be read", "check the path") from None
    else:
        text = place.environ.get(AGE_IDENTITY, "")
        if not text.strip():
            raise CannotWork(
                f"the secrets are encrypted, and {AGE_IDENTITY} is not set",
                "set it to the key, in CI from its secret store, or name 'identity_file' below 'secrets'",
            )
    place.redactor.add(text)
    try:
        if "-----BEGIN" in text:
            return [pyrage.ssh.Identity.from_buffer(text.strip().encode() + b"\n")]
        keys = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        return [pyrage.x25519.Identity.from_str(key) for key in keys]
    except Exception:  # noqa: BLE001 - the library's exceptions may quote the key
        raise CannotWork(
            "the age identity cannot be read", "write AGE-SECRET-KEY-1..., or an SSH private key without passphrase"
        ) from None


def _opened(path: Path, identities: list[Any]) -> Mapping[str, str]:
    pyrage = _pyrage()
    try:
        raw = path.read_bytes()
        if raw.startswith(b"-----BEGIN AGE"):
            raw = _without_armor(raw)
        plain = pyrage.decrypt(raw, identities)
    except OSError as error:
        raise CannotWork(f"{str(path)!r} cannot be read: {error.strerror}", None) from error
    except (pyrage.DecryptError, ValueError) as error:
        raise CannotWork(
            f"{path.name!r} cannot be decrypted: {str(error).lower()}",
            "use the key of one of its recipients, or encrypt it for this one",
        ) from None
    reading = read_yaml(plain)
    values = reading.data
    named = isinstance(values, dict) and all(isinstance(value, str | int | float) for value in values.values())
    if reading.broken or not named or any(isinstance(value, bool) for value in values.values()):
        raise CannotWork(
            f"{path.name!r} does not decrypt to a mapping of names to texts", "write a line `name: value` for each"
        )
    return {str(name): value if isinstance(value, str) else str(value) for name, value in values.items()}


def _without_armor(raw: bytes) -> bytes:
    import base64
    import binascii

    lines = [line.strip() for line in raw.strip().splitlines()]
    try:
        return base64.b64decode(b"".join(lines[1:-1]), validate=True)
    except binascii.Error as error:
        raise ValueError("the armor is damaged") from error


def _pyrage() -> Any:
    try:
        import pyrage
    except ImportError:
        raise CannotWork("reading age-encrypted secrets needs the package pyrage", "pip install 'f0ci[age]'") from None
    return pyrage
