"""Seeing at a glance that data fits its schema, without what can judge every schema and takes longer to import.

Every command reads `f0ci.yaml`, and nearly every one of these says little.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_TYPES: Mapping[str, type] = {"object": dict, "array": list, "string": str}
# what says nothing about data
_TALK = frozenset({"$schema", "$id", "title", "description", "$defs"})


def plainly_fits(schema: Mapping[str, Any], data: Any) -> bool:
    """Tell whether data surely fits a schema; where a keyword is not one of the few that are known here, it does not.

    Args:
        schema: a JSON Schema whose references are all to its own `$defs`.
        data: what a reader made of a file.
    """
    return _fits(schema, data, schema.get("$defs", {}))


def _fits(schema: Mapping[str, Any], data: Any, definitions: Mapping[str, Any]) -> bool:
    for keyword, wanted in schema.items():
        if keyword in _TALK:
            continue
        check = _CHECKS.get(keyword)
        if check is None or not check(schema, wanted, data, definitions):
            return False
    return True


def _properties(schema: Mapping[str, Any], wanted: Any, data: Any, definitions: Mapping[str, Any]) -> bool:
    del schema
    return not isinstance(data, dict) or all(
        name not in wanted or _fits(wanted[name], value, definitions) for name, value in data.items()
    )


def _others(schema: Mapping[str, Any], wanted: Any, data: Any, definitions: Mapping[str, Any]) -> bool:
    if not isinstance(data, dict):
        return True
    others = [value for name, value in data.items() if name not in schema.get("properties", {})]
    return not others if wanted is False else all(_fits(wanted, value, definitions) for value in others)


def _reference(schema: Mapping[str, Any], wanted: Any, data: Any, definitions: Mapping[str, Any]) -> bool:
    del schema
    return _fits(definitions[wanted.removeprefix("#/$defs/")], data, definitions)


_Check = Callable[[Mapping[str, Any], Any, Any, Mapping[str, Any]], bool]
_CHECKS: Mapping[str, _Check] = {
    "type": lambda _, wanted, data, __: type(data) is _TYPES.get(wanted),
    # 1 is neither true nor 1.0 here, which is not sure enough
    "const": lambda _, wanted, data, __: type(data) is type(wanted) and data == wanted,
    "enum": lambda _, wanted, data, __: isinstance(data, str) and data in wanted,
    "required": lambda _, wanted, data, __: isinstance(data, dict) and all(name in data for name in wanted),
    "minLength": lambda _, wanted, data, __: isinstance(data, str) and len(data) >= wanted,
    "minItems": lambda _, wanted, data, __: isinstance(data, list) and len(data) >= wanted,
    "items": lambda _, wanted, data, rest: isinstance(data, list) and all(_fits(wanted, one, rest) for one in data),
    "properties": _properties,
    "additionalProperties": _others,
    "$ref": _reference,
}
