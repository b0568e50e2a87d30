"""Judging small data by its schema without what can judge all data by every schema, and takes longer to import.

Every command reads `f0ci.yaml`, which says little, and a hook that runs on each commit reads a recipe or two. The few
keywords below mean what JSON Schema says; at any other, or where there is much to judge, there is no verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

# what is judged before importing the real judge pays: each is a value held against a schema
MOST_JUDGED = 2_000
# what says nothing about data, or is read together with another keyword
_SILENT = frozenset({"$schema", "$id", "title", "description", "$defs", "then", "else"})
_REFERENCE = "#/$defs/"


class _Unsure(Exception):
    """No verdict is given."""


def plainly_fits(schema: Mapping[str, Any], data: Any) -> bool:
    """Tell whether data surely fits a schema; where there is no verdict, it does not.

    Args:
        schema: a JSON Schema whose references are all to its own `$defs`.
        data: what a reader made of a file.
    """
    return plain_verdict(schema, data) is True


def plain_verdict(schema: Mapping[str, Any], data: Any) -> bool | None:
    """Return whether data fits a schema, or None where that takes the real judge."""
    try:
        return _Judge(schema.get("$defs", {})).fits(schema, data)
    except _Unsure:
        return None


class _Judge:
    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self.definitions = definitions
        self.left = MOST_JUDGED

    def fits(self, schema: Any, data: Any) -> bool:
        """Tell whether data fits.

        Raises:
            _Unsure: a keyword is not known here, or there is too much to judge.
        """
        if isinstance(schema, bool):
            return schema
        self.left -= 1
        if not self.left:
            raise _Unsure
        for keyword, wanted in schema.items():
            if keyword in _SILENT:
                continue
            check = _CHECKS.get(keyword)
            if check is None:
                raise _Unsure
            if not check(self, schema, wanted, data):
                return False
        return True


def _is_number(data: Any) -> bool:
    if isinstance(data, float) and not isfinite(data):
        raise _Unsure
    return isinstance(data, int | float) and not isinstance(data, bool)


def _is_integer(data: Any) -> bool:
    return _is_number(data) and data == int(data)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda data: isinstance(data, dict),
    "array": lambda data: isinstance(data, list),
    "string": lambda data: isinstance(data, str),
    "boolean": lambda data: isinstance(data, bool),
    "null": lambda data: data is None,
    "number": _is_number,
    "integer": _is_integer,
}


def _type(_judge: _Judge, _schema: Any, wanted: Any, data: Any) -> bool:
    return any(_TYPES[name](data) for name in ([wanted] if isinstance(wanted, str) else wanted))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list | dict) and type(one) is type(other):
        raise _Unsure
    # true is not 1, and 1 is 1.0
    return bool(one == other) and (type(one) is type(other) or (_is_number(one) and _is_number(other)))


def _properties(judge: _Judge, _schema: Any, wanted: Any, data: Any) -> bool:
    return not isinstance(data, dict) or all(
        judge.fits(wanted[name], value) for name, value in data.items() if name in wanted
    )


def _others(judge: _Judge, schema: Any, wanted: Any, data: Any) -> bool:
    if not isinstance(data, dict):
        return True
    if "patternProperties" in schema:
        raise _Unsure
    known = schema.get("properties", {})
    return all(judge.fits(wanted, value) for name, value in data.items() if name not in known)


def _reference(judge: _Judge, _schema: Any, wanted: Any, data: Any) -> bool:
    if not wanted.startswith(_REFERENCE):
        raise _Unsure
    return judge.fits(judge.definitions[wanted.removeprefix(_REFERENCE)], data)


def _chosen(judge: _Judge, schema: Any, wanted: Any, data: Any) -> bool:
    return judge.fits(schema.get("then" if judge.fits(wanted, data) else "else", True), data)


_Check = Callable[[_Judge, Any, Any, Any], bool]
_CHECKS: Mapping[str, _Check] = {
    "type": _type,
    "const": lambda _, __, wanted, data: _same(wanted, data),
    "enum": lambda _, __, wanted, data: any(_same(each, data) for each in wanted),
    "required": lambda _, __, wanted, data: not isinstance(data, dict) or all(name in data for name in wanted),
    "properties": _properties,
    "additionalProperties": _others,
    "items": lambda judge, _, wanted, data: not isinstance(data, list) or all(judge.fits(wanted, one) for one in data),
    "minItems": lambda _, __, wanted, data: not isinstance(data, list) or len(data) >= wanted,
    "minLength": lambda _, __, wanted, data: not isinstance(data, str) or len(data) >= wanted,
    "minimum": lambda _, __, wanted, data: not _is_number(data) or data >= wanted,
    "exclusiveMinimum": lambda _, __, wanted, data: not _is_number(data) or data > wanted,
    "not": lambda judge, _, wanted, data: not judge.fits(wanted, data),
    "allOf": lambda judge, _, wanted, data: all(judge.fits(each, data) for each in wanted),
    "anyOf": lambda judge, _, wanted, data: any(judge.fits(each, data) for each in wanted),
    "if": _chosen,
    "$ref": _reference,
}
