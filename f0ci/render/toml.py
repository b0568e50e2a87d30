"""Data as TOML 1.0, in the order of its keys: what `to_toml` writes in a template."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from f0ci.core.errors import InputError
from f0ci.source.schema import type_name

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


def emit_toml(value: Any) -> str:
    """Return a mapping as a TOML document, anything else as a TOML value.

    Raises:
        InputError: it holds null, for which TOML has no word.
    """
    if not isinstance(value, Mapping):
        return _value(value, "the value")
    return "".join(_table(value, ())).removeprefix("\n").removesuffix("\n")


def _table(table: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table: its own values, then the tables in it."""
    inner: list[tuple[str, Any]] = []
    for key, value in table.items():
        if isinstance(value, Mapping) or (_is_tables(value)):
            inner.append((key, value))
        else:
            yield f"{_key(key)} = {_value(value, '.'.join((*at, str(key))))}\n"
    for key, value in inner:
        here = (*at, str(key))
        name = ".".join(map(_key, here))
        for one in [value] if isinstance(value, Mapping) else value:
            yield f"\n[{name}]\n" if isinstance(value, Mapping) else f"\n[[{name}]]\n"
            yield from _table(one, here)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _key(key: Any) -> str:
    text = str(key)
    return text if _BARE.match(text) else _text(text)


def _value(value: Any, name: str) -> str:
    if value is None:
        raise InputError(f"{name!r} is null, for which TOML has no word", "leave it out, or write a text")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item, name) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(item, name)}" for key, item in value.items()) + "}"
    raise InputError(f"{name!r} is {type_name(value)}, for which TOML has no word", "write a text")


def _text(text: str) -> str:
    # JSON escapes all that TOML wants escaped but for DEL, and TOML reads each of its escapes but surrogate pairs
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
