"""Keeping secrets out of everything that leaves the process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from f0ci.core.patterns import pattern

MASK = "***"
_URL_CREDENTIALS = pattern(r"(?<=://)[^/\s:@]+(?::[^/\s@]*)?(?=@)")
# shorter values would mask half of every ordinary text
_SHORTEST = 4


class Redactor:
    """Masks known secrets, and credentials inside URLs, in text and data.

    Args:
        secrets: values that must never be shown; those under 4 characters are ignored.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        # longer ones first: one may hold another
        self._ordered: list[str] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Mask this value, and each of its lines, from now on."""
        for part in (secret, *secret.splitlines()):
            if len(part.strip()) >= _SHORTEST:
                self._secrets.update(_spellings(part.strip()))
                self._ordered = sorted(self._secrets, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return the text with every secret replaced by `***`."""
        for secret in self._ordered:
            text = text.replace(secret, MASK)
        return _URL_CREDENTIALS.sub(MASK, text) if "://" in text else text

    def data(self, value: Any) -> Any:
        """Return JSON-like data with every string redacted, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.data(key): self.data(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return value


def _spellings(secret: str) -> set[str]:
    """Return a secret as programs write it down: as it is, escaped in JSON or Python, in a URL or a form, in base64."""
    import base64
    import json
    from urllib.parse import quote, quote_plus

    spelled = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    spelled |= {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    raw = secret.encode(errors="replace")
    # some write it without the padding
    spelled |= {encode(raw).decode().rstrip("=") for encode in (base64.b64encode, base64.urlsafe_b64encode)}
    return spelled
