"""Keeping known secrets out of the journal, and putting them back when a run goes on."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from f0ci.core.errors import InputError
from f0ci.core.redaction import MASK

# shorter values would tear ordinary text apart
_SHORTEST = 4
_SEAL = re.compile("\ue000([^\ue000\ue001]*)\ue001")


class Sealer:
    """Secrets by value, each with the name under which it can be had again.

    A name is `parameter NAME` or `secret NAME`.

    Args:
        find_secret: returns the value of `secret://NAME`, or None where it was not given.
    """

    def __init__(self, find_secret: Callable[[str], str | None] = lambda _: None) -> None:
        self._find_secret = find_secret
        self._names: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def add(self, name: str, value: str) -> None:
        """Know a secret from now on."""
        if len(value) >= _SHORTEST:
            for form, spelled in _spellings(value).items():
                self._names.setdefault(spelled, f"{name}{form}")
            self._pattern = None

    def seal(self, data: Any) -> str:
        """Return data as JSON text, names in place of secrets."""
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        return self.seal_text(text)

    def seal_text(self, text: str) -> str:
        """Return JSON text with names in place of secrets."""
        text = storable(text)
        if not self._names:
            return text
        if self._pattern is None:
            # in one go, longer ones first: the name of one secret may hold the value of another
            self._pattern = re.compile("|".join(map(re.escape, sorted(self._names, key=len, reverse=True))))
        return self._pattern.sub(lambda match: f"\ue000{self._names[match[0]]}\ue001", text)

    def seal_name(self, name: str) -> str:
        """Return a name as the journal holds it: as it is, or sealed JSON text where a secret is part of it."""
        sealed = self.seal(name)
        return sealed if "\ue000" in sealed else storable(name)

    def unseal(self, text: str) -> Any:
        """Return the data of JSON text, secrets in place of names.

        Raises:
            InputError: a secret was not given again.
        """
        if "\ue000" not in text:
            return json.loads(text)
        values = {name: value for value, name in self._names.items()}
        for name in {found.partition("\ue002")[0] for found in _SEAL.findall(text)} - set(values):
            kind, _, secret = name.partition(" ")
            value = self._find_secret(secret) if kind == "secret" else None
            if value is not None:
                self.add(name, value)
        values = {name: value for value, name in self._names.items()}
        missing = {name for name in _SEAL.findall(text) if name not in values}
        if missing:
            kind, _, name = min(missing).partition("\ue002")[0].partition(" ")
            hint = (
                f"give it again with -p {name}=..., the journal does not hold it"
                if kind == "parameter"
                else f"set the variable of the secret {name!r} again, the journal does not hold it"
            )
            raise InputError(f"the run goes on only with the {kind} {name!r}", hint)
        return json.loads(_SEAL.sub(lambda match: values[match[1]], text))


def _spellings(value: str) -> dict[str, str]:
    """Return a secret as it stands inside JSON text, by how it is spelt; of those that are alike the first counts."""
    raw = value.encode(errors="replace")
    return {
        "": json.dumps(value, ensure_ascii=False)[1:-1],
        "\ue002base64": base64.b64encode(raw).decode(),
        "\ue002base64url": base64.urlsafe_b64encode(raw).decode(),
        "\ue002url": quote(value, safe=""),
        "\ue002path": quote(value),
        "\ue002form": quote_plus(value),
    }


def storable(text: str) -> str:
    """Return text as a file can hold it: halves of characters (lone surrogates) as JSON escapes them."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def masked(text: str) -> Any:
    """Return the data of sealed JSON text for people: a mask where a secret would be."""
    return json.loads(_SEAL.sub(MASK, text) if "\ue000" in text else text)


def sensitive_texts(names: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return every text inside some parameters, each with the name under which it is sealed."""
    found: list[tuple[str, str]] = []

    def walk(name: str, value: Any) -> None:
        if isinstance(value, str):
            found.append((name, value))
        elif isinstance(value, Mapping):
            for key, item in value.items():
                walk(f"{name}.{key}", item)
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                walk(f"{name}.{index}", item)

    for name, value in names.items():
        walk(name, value)
    return found
