"""Patterns of schemas that somebody wrote, looked for in time that does not run away.

`jsonschema_rs` reads regular expressions of ECMA-262, as JSON Schema has them, and tries no way twice where they look
neither ahead nor behind. What it cannot read is read as Python does, which tries every way, and so within limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from f0ci.core.patterns import pattern

# of a megabyte, compiling takes half a minute
MOST_OF_A_PATTERN = 10_000
# the end of a text as only Python spells it
_PYTHON_END = pattern(r"(?<!\\)((?:\\\\)*)\\Z")
# what Python tries in every way: of two repeats the square of the text, of a repeated group no bound at all
_REPEAT = pattern(r"(?<!\\)(?:[*+]|\{\d*,\d*\})")
_REPEATED_GROUP = pattern(r"\)(?:[*+]|\{)")
_MOST_REPEATS = 2
_LONGEST_TEXT = 200


def fits(gate: Any, data: Any) -> bool:
    """Tell whether a compiled schema takes some data; False also where it has no word for a value of it."""
    try:
        return bool(gate.is_valid(data))
    except (ValueError, TypeError, OverflowError):
        # a value the gate has no word for; the explainer decides
        return False


def matches(regex: str, text: Any) -> bool:
    """Tell whether a regular expression is found in a text.

    Raises:
        ValueError: only Python can read it, and it may take for ever.
    """
    if not isinstance(text, str):
        return False
    if len(regex) > MOST_OF_A_PATTERN:
        raise ValueError(f"a pattern of more than {MOST_OF_A_PATTERN:,} letters is not looked for")
    bounded = _bounded(regex)
    if bounded is not None:
        return fits(bounded, text)
    repeats = len(_REPEAT.findall(regex))
    if repeats and (repeats > _MOST_REPEATS or len(text) > _LONGEST_TEXT or _REPEATED_GROUP.search(regex)):
        raise ValueError(f"the pattern {regex[:80]!r} is none of ECMA-262 and may take for ever")
    return re.search(regex, text) is not None


@cache
def _bounded(regex: str) -> Any:
    """Return what tells whether a text matches, without trying every way to; None where it cannot read the pattern."""
    try:
        import jsonschema_rs

        ended = _PYTHON_END.sub(r"\1(?![\\s\\S])", regex)
        return jsonschema_rs.validator_for({"type": "string", "pattern": ended})
    except (ImportError, ValueError):
        return None


@cache
def with_bounded_patterns(kind: Any) -> Any:
    """Return a kind of validator whose patterns take bounded time; made once for a thousand schemas."""
    from jsonschema import validators

    checks = {"pattern": _check_pattern, "patternProperties": _check_patterned, "additionalProperties": _check_others}
    return validators.extend(kind, checks)  # type: ignore[no-untyped-call] # jsonschema declares no types here


def _check_pattern(validator: Any, regex: str, instance: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if not validator.is_type(instance, "string"):
        return
    if not matches(regex, instance):
        yield ValidationError(f"{instance!r} does not match {regex!r}")


def _check_patterned(validator: Any, patterns: Mapping[str, Any], instance: Any, _schema: Any) -> Iterator[Any]:
    if validator.is_type(instance, "object"):
        for regex, schema in patterns.items():
            for name, value in instance.items():
                if matches(regex, name):
                    yield from validator.descend(value, schema, path=name, schema_path=regex)


def _check_others(validator: Any, wanted: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    from jsonschema import ValidationError

    if not validator.is_type(instance, "object"):
        return
    patterns, known = schema.get("patternProperties", {}), schema.get("properties", {})
    others = [name for name in instance if name not in known and not any(matches(one, name) for one in patterns)]
    if validator.is_type(wanted, "object"):
        for name in others:
            yield from validator.descend(instance[name], wanted, path=name)
    elif not wanted and others:
        yield ValidationError(f"other keys: {', '.join(map(repr, others))}")
