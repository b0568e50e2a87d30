"""What is wrong with data, where that follows from the place in the data and the place in the schema.

Importing `jsonschema` takes longer than checking a hundred files, and it goes through all of a document. What breaks
one of the keywords below is found without it; of alternatives, and whatever else needs more words, it says what is
wrong with the part that does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Any

from f0ci.core.values import dataclass
from f0ci.source.plainly import SILENT, Judge, Unsure
from f0ci.source.reading import Path

_PLAIN = frozenset({"additionalProperties", "const", "enum", "not", "pattern", "required", "type"})


@dataclass(frozen=True, slots=True)
class Misfit:
    """An error as `jsonschema` words it, as far as it is needed.

    Attributes:
        validator: the keyword that is broken.
        validator_value: what the schema says for it.
        schema: the schema that holds it.
        instance: the value at fault.
        absolute_path: its place in the data.
        absolute_schema_path: the keyword's place in the schema; never below the names of keys here.
        context: errors of alternatives; never any here.
    """

    validator: str
    validator_value: Any
    schema: Mapping[str, Any]
    instance: Any
    absolute_path: Path
    absolute_schema_path: Path = ()
    context: tuple[()] = ()


# gives the errors of a part of the data, whose place in the whole is the last argument
Explain = Callable[[Mapping[str, Any], Any, Path], Iterator[Any]]


def plain_misfits(judge: Judge, data: Any, explain: Explain) -> Iterator[Any]:
    """Yield what is wrong with data, nothing where it fits.

    Args:
        judge: of the schema.
        data: what a reader made of a file.
        explain: asks `jsonschema` about a part of the data and a part of the schema.

    Raises:
        Unsure: `jsonschema` must say all of it.
    """
    left, judge.left = judge.left, inf
    try:
        yield from _misfits(judge, explain, judge.schema, data, ())
    finally:
        judge.left = left


def _misfits(judge: Judge, explain: Explain, schema: Any, data: Any, path: Path) -> Iterator[Any]:
    # most of a document fits: only what does not is gone through again
    if judge.fits_of(schema)(data):
        return
    if isinstance(schema, bool):
        raise Unsure
    for keyword, wanted in schema.items():
        if keyword in SILENT or judge.check_of(keyword, schema)(data):
            continue
        inner = _INNER.get(keyword)
        if inner is not None and wanted is not False:
            for below, value, at in inner(judge, schema, wanted, data):
                yield from _misfits(judge, explain, below, value, (*path, *at))
        elif keyword in _PLAIN:
            yield Misfit(keyword, wanted, schema, data, path)
        else:
            part = {name: schema[name] for name in (keyword, "description") if name in schema}
            yield from explain(part, data, path)


_Parts = Iterator[tuple[Any, Any, Path]]


def _properties(_judge: Judge, _schema: Any, wanted: Any, data: Any) -> _Parts:
    return ((wanted[name], value, (name,)) for name, value in data.items() if name in wanted)


def _others(_judge: Judge, schema: Any, wanted: Any, data: Any) -> _Parts:
    known = schema.get("properties", ())
    return ((wanted, value, (name,)) for name, value in data.items() if name not in known)


def _items(_judge: Judge, _schema: Any, wanted: Any, data: Any) -> _Parts:
    return ((wanted, value, (index,)) for index, value in enumerate(data))


def _chosen(judge: Judge, schema: Any, wanted: Any, data: Any) -> _Parts:
    yield schema["then" if judge.fits_of(wanted)(data) else "else"], data, ()


# keywords whose faults lie further inside: the schemas that hold there, with values and the way to them
_INNER: Mapping[str, Callable[[Judge, Any, Any, Any], _Parts]] = {
    "properties": _properties,
    "additionalProperties": _others,
    "items": _items,
    "allOf": lambda _, __, wanted, data: ((each, data, ()) for each in wanted),
    "if": _chosen,
    "$ref": lambda judge, _, wanted, data: iter([(judge.target(wanted), data, ())]),
}
