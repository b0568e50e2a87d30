"""One byte sequence for one value, and its digest."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:
    """Return the canonical JSON of a value: sorted keys, no blanks, UTF-8, no NaN.

    Raises:
        ValueError: the value holds a number that JSON has no word for.
        TypeError: the value holds something that is not JSON.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of some bytes, 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON, 64 lower-case hex digits."""
    return sha256_hex(canonical_json(value))


def pretty_json(value: Any) -> str:
    """Return JSON for people and diffs: sorted keys, two blanks of indent, one final newline."""
    if isinstance(value, dict) and value:
        return _pretty(value, "\n") + "\n"
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _pretty(value: Any, line: str) -> str:
    # the library writes indented JSON in Python, a value at a time; a configuration has thousands
    inner = f"{line}  "
    if isinstance(value, dict) and value and all(isinstance(key, str) for key in value):
        parts = [f"{_ENCODE(key)}: {_pretty(value[key], inner)}" for key in sorted(value)]
        return f"{{{inner}{f',{inner}'.join(parts)}{line}}}"
    if isinstance(value, list | tuple) and value:
        return f"[{inner}{f',{inner}'.join([_pretty(item, inner) for item in value])}{line}]"
    if value.__class__ is int:
        return str(value)
    if isinstance(value, dict) and value:
        # keys that are no text are spelled by the library
        text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
        return text.replace("\n", line)
    return _ENCODE(value)


_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
