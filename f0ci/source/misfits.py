"""What the fast gate says is wrong, where that is as much as the slow explainer would say.

Importing `jsonschema` takes longer than checking a hundred files. Of the keywords below, the gate's errors name the
place in the data and the place in the schema, and all else follows from the two. Alternatives, and whatever else needs
more, are left to `jsonschema`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from f0ci.core.values import dataclass

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
        absolute_schema_path: the keyword's place in the schema.
        context: errors of alternatives; never any here.
    """

    validator: str
    validator_value: Any
    schema: dict[str, Any]
    instance: Any
    absolute_path: tuple[str | int, ...]
    absolute_schema_path: tuple[str | int, ...]
    context: tuple[()] = ()


def plain_misfits(gate: Any, schema: dict[str, Any], data: Any) -> tuple[Misfit, ...] | None:
    """Return what the gate says is wrong with data, or None where `jsonschema` must say it.

    Args:
        gate: the compiled schema.
        schema: the schema as written.
        data: what the gate refused.
    """
    found: list[Misfit] = []
    try:
        for error in gate.iter_errors(data):
            misfit = _misfit(schema, data, tuple(error.schema_path), tuple(error.instance_path))
            if misfit is None:
                return None
            found.append(misfit)
    except (ValueError, TypeError, OverflowError, LookupError):
        return None
    return tuple(found) or None


def _misfit(schema: dict[str, Any], data: Any, way: Sequence[str | int], path: tuple[str | int, ...]) -> Misfit | None:
    if not way or way[-1] not in _PLAIN or "propertyNames" in way:
        return None
    keyword = str(way[-1])
    holder: Any = schema
    for part in way[:-1]:
        holder = holder[part]
    for at in path:
        data = data[at]
    # the two libraries have different dialects of patterns
    if keyword == "pattern" and (not isinstance(data, str) or re.search(holder[keyword], data)):
        return None
    return Misfit(keyword, holder[keyword], holder, data, path, tuple(way))
