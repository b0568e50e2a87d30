"""Judging data by its schema without what judges all data by every schema, and takes longer to import than this to run.

A schema becomes functions, each made when the first value comes to it. The keywords below mean what JSON Schema says;
at any other, at a value that JSON has no word for, or where there is much to judge, there is no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import inf, isfinite
from typing import Any

Fits = Callable[[Any], bool]

# what says nothing about data, or is read together with another keyword
SILENT = frozenset({"$schema", "$id", "title", "description", "examples", "$defs", "then", "else"})
_REFERENCE = "#/$defs/"
_KINDS: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
    "integer": (int,),
}
_KNOWN = frozenset(kind for kinds in _KINDS.values() for kind in kinds)
# a longer text may keep a pattern busy
_LONGEST = 200


class Unsure(Exception):
    """No verdict is given."""


class Judge:
    """What tells whether data fits a schema.

    Args:
        schema: a JSON Schema whose references are all to its own `$defs`, and whose patterns Python reads as ECMA-262
            does; never changed afterwards.

    Attributes:
        left: how many values in mappings and lists are still judged before there is no verdict.
    """

    __slots__ = ("_made", "left", "schema")

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self.left: float = inf
        self._made: dict[int, Fits] = {}

    def verdict(self, data: Any) -> bool | None:
        """Return whether data fits, or None where that takes the real judge."""
        try:
            return self.fits_of(self.schema)(data)
        except Unsure:
            return None

    def fits_of(self, schema: Any) -> Fits:
        """Return what tells whether data fits a part of the schema; it raises Unsure where there is no verdict."""
        made = self._made.get(id(schema))
        if made is None:
            made = self._made[id(schema)] = self._function(schema)
        return made

    def check_of(self, keyword: str, schema: Mapping[str, Any]) -> Fits:
        """Return what tells whether data fits what one keyword of a schema says."""
        make = _KEYWORDS.get(keyword)
        return make(self, schema, schema[keyword]) if make is not None else _not_known

    def target(self, reference: str) -> Any:
        """Return the part of the schema that a reference means.

        Raises:
            Unsure: it is not one of the schema's own.
        """
        if not reference.startswith(_REFERENCE):
            raise Unsure
        return self.schema["$defs"][reference.removeprefix(_REFERENCE)]

    def count(self, data: dict[Any, Any] | list[Any]) -> None:
        """Count the values of a mapping or list.

        Raises:
            Unsure: that were too many.
        """
        self.left -= len(data)
        if self.left < 0:
            raise Unsure

    def _function(self, schema: Any) -> Fits:
        if isinstance(schema, bool):
            return _always if schema else _never
        checks = tuple(self.check_of(keyword, schema) for keyword in schema if keyword not in SILENT)
        return _every(checks)


def _every(checks: Sequence[Fits]) -> Fits:
    if len(checks) == 1:
        return checks[0]
    if len(checks) == 2:
        first, second = checks
        return lambda data: first(data) and second(data)

    def fits(data: Any) -> bool:
        for check in checks:  # noqa: SIM110 - all() takes twice as long, and this is asked of every value
            if not check(data):
                return False
        return True

    return fits


def _always(_data: Any) -> bool:
    return True


def _never(_data: Any) -> bool:
    return False


def _not_known(_data: Any) -> bool:
    raise Unsure


def _is_number(data: Any) -> bool:
    if isinstance(data, float) and not isfinite(data):
        raise Unsure
    return isinstance(data, int | float) and not isinstance(data, bool)


def _type(_judge: Judge, _schema: Any, wanted: Any) -> Fits:
    names = [wanted] if isinstance(wanted, str) else wanted
    kinds = frozenset(kind for name in names for kind in _KINDS[name])
    is_whole = "integer" in names and float not in kinds

    def check(data: Any) -> bool:
        kind = type(data)
        if kind is float and (is_whole or float in kinds):
            return _is_number(data) and (not is_whole or data == int(data))
        return kind in kinds or _is_of_no(data)

    return check


def _is_of_no(data: Any) -> bool:
    """Return False: a value is of none of the wanted kinds.

    Raises:
        Unsure: it is of a kind that JSON does not have.
    """
    if type(data) not in _KNOWN:
        raise Unsure
    return False


def _among(_judge: Judge, _schema: Any, wanted: Sequence[Any]) -> Fits:
    words = {each for each in wanted if isinstance(each, str)}
    others = [each for each in wanted if not isinstance(each, str)]
    return lambda data: data in words if isinstance(data, str) else any(_same(each, data) for each in others)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list | dict) and type(one) is type(other):
        raise Unsure
    # true is not 1, and 1 is 1.0
    return bool(one == other) and (type(one) is type(other) or (_is_number(one) and _is_number(other)))


def _properties(judge: Judge, _schema: Any, wanted: Any) -> Fits:
    met: dict[Any, Fits] = {}
    few = len(wanted)

    def check(data: Any) -> bool:
        if not isinstance(data, dict):
            return True
        judge.left -= len(data)
        if judge.left < 0:
            raise Unsure
        for name in data if len(data) < few else wanted:
            fits = met.get(name)
            if fits is None:
                if name not in wanted:
                    continue
                fits = met[name] = judge.fits_of(wanted[name])
            if name in data and not fits(data[name]):
                return False
        return True

    return check


def _required(_judge: Judge, _schema: Any, wanted: Any) -> Fits:
    names = frozenset(wanted)
    return lambda data: not isinstance(data, dict) or names <= data.keys()


def _others(judge: Judge, schema: Any, wanted: Any) -> Fits:
    known = frozenset(schema.get("properties", ()))
    patterns = schema.get("patternProperties", {})
    if patterns and wanted is False:
        fitting = [_pattern(judge, schema, one) for one in patterns]

        def is_known(name: Any) -> bool:
            return name in known or any(fits(str(name)) for fits in fitting)

        return lambda data: not isinstance(data, dict) or data.keys() <= known or all(map(is_known, data))
    if patterns:
        return _not_known
    if wanted is False:
        return lambda data: not isinstance(data, dict) or data.keys() <= known

    def check(data: Any) -> bool:
        if not isinstance(data, dict):
            return True
        judge.count(data)
        fits = judge.fits_of(wanted)
        return all(fits(value) for name, value in data.items() if name not in known)

    return check


def _patterned(_judge: Judge, _schema: Any, wanted: Any) -> Fits:
    return (lambda _: True) if all(part is True for part in wanted.values()) else _not_known


def _items(judge: Judge, _schema: Any, wanted: Any) -> Fits:
    def check(data: Any) -> bool:
        if not isinstance(data, list):
            return True
        judge.count(data)
        return all(map(judge.fits_of(wanted), data))

    return check


def _chosen(judge: Judge, schema: Any, wanted: Any) -> Fits:
    asked, then, other = (judge.fits_of(each) for each in (wanted, schema.get("then", True), schema.get("else", True)))
    if "else" not in schema:
        # what has to hold is often shorter than when
        return lambda data: then(data) or not asked(data)
    return lambda data: then(data) if asked(data) else other(data)


def _all_of(judge: Judge, _schema: Any, wanted: Any) -> Fits:
    return _every([judge.fits_of(one) for one in wanted])


def _any_of(judge: Judge, _schema: Any, wanted: Any) -> Fits:
    each = [judge.fits_of(one) for one in wanted]

    def fits(data: Any) -> bool:
        for one in each:  # noqa: SIM110 - as in _every
            if one(data):
                return True
        return False

    return fits


def _not(judge: Judge, _schema: Any, wanted: Any) -> Fits:
    fits = judge.fits_of(wanted)
    return lambda data: not fits(data)


def _pattern(_judge: Judge, _schema: Any, wanted: Any) -> Fits:
    found = re.compile(wanted).search

    def check(data: Any) -> bool:
        if not isinstance(data, str):
            return True
        # what a line break or another alphabet is to a pattern, ECMA-262 and Python see differently
        if len(data) > _LONGEST or not (data.isascii() and data.isprintable()):
            raise Unsure
        return found(data) is not None

    return check


def _names(judge: Judge, _schema: Any, wanted: Any) -> Fits:
    fits = judge.fits_of(wanted)
    return lambda data: not isinstance(data, dict) or all(map(fits, data))


def _reference(judge: Judge, _schema: Any, wanted: Any) -> Fits:
    return judge.fits_of(judge.target(wanted)) if wanted.startswith(_REFERENCE) else _not_known


_KEYWORDS: Mapping[str, Callable[[Judge, Any, Any], Fits]] = {
    "type": _type,
    "const": lambda judge, schema, wanted: _among(judge, schema, [wanted]),
    "enum": _among,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _others,
    "patternProperties": _patterned,
    "propertyNames": _names,
    "items": _items,
    "minItems": lambda _, __, least: lambda data: not isinstance(data, list) or len(data) >= least,
    "maxItems": lambda _, __, most: lambda data: not isinstance(data, list) or len(data) <= most,
    "minProperties": lambda _, __, least: lambda data: not isinstance(data, dict) or len(data) >= least,
    "maxProperties": lambda _, __, most: lambda data: not isinstance(data, dict) or len(data) <= most,
    "minLength": lambda _, __, least: lambda data: not isinstance(data, str) or len(data) >= least,
    "maxLength": lambda _, __, most: lambda data: not isinstance(data, str) or len(data) <= most,
    "pattern": _pattern,
    "minimum": lambda _, __, least: lambda data: not _is_number(data) or data >= least,
    "maximum": lambda _, __, most: lambda data: not _is_number(data) or data <= most,
    "exclusiveMinimum": lambda _, __, bound: lambda data: not _is_number(data) or data > bound,
    "not": _not,
    "allOf": _all_of,
    "anyOf": _any_of,
    "if": _chosen,
    "$ref": _reference,
}
