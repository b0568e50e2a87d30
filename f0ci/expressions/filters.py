"""The filters that differ from Jinja's: bounded, strict, and with JSON's words for what is not text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from f0ci.core.canonical import canonical_json
from f0ci.expressions.errors import ExpressionError
from f0ci.source.schema import type_name

# code points of a text, items of a list
MAX_SIZE = 1_000_000
_MAX_PRECISION = 15
_MAX_BITS = 1024
_WORDS = {True: "true", False: "false"}


def text_of(value: Any) -> str:
    """Return a value as text: texts as they are, everything else as JSON writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return _WORDS[value]
    if value is None:
        return "null"
    return tojson(value)


def tojson(value: Any) -> str:
    """Return canonical JSON: sorted keys, no blanks."""
    try:
        return canonical_json(value).decode()
    except (TypeError, ValueError, RecursionError):
        raise ExpressionError(f"{type_name(value)} holds what JSON has no word for") from None


def lower(value: Any) -> str:
    """Return the text in lower case."""
    return text_of(value).lower()


def upper(value: Any) -> str:
    """Return the text in upper case."""
    return text_of(value).upper()


def trim(value: Any, chars: str | None = None) -> str:
    """Return the text without the blanks, or the given characters, at its ends."""
    return text_of(value).strip(chars)


def joined(values: Iterable[Any], separator: str = "") -> str:
    """Return values as one text.

    Raises:
        ExpressionError: the text would be too long.
    """
    words: list[str] = []
    size = 0
    for value in values:
        words.append(text_of(value))
        size += len(words[-1]) + len(separator)
        bounded(size)
    return separator.join(words)


def join(values: Any, d: Any = "", attribute: str | None = None) -> str:
    """Return the items of a list as one text, `d` between them.

    Args:
        values: the list.
        d: what stands between two.
        attribute: take this key of each item.
    """
    if not isinstance(values, list | tuple | Mapping | Iterator | str):
        raise ExpressionError(f"cannot join {type_name(values)}", "join takes a list")
    items: Iterable[Any] = values
    if attribute is not None:
        items = [value.get(attribute) if isinstance(value, Mapping) else None for value in values]
    return joined(items, text_of(d))


def replace(value: Any, old: Any, new: Any, count: int | None = None) -> str:
    """Return the text with one part replaced by another, everywhere or `count` times."""
    text, part, other = text_of(value), text_of(old), text_of(new)
    times = text.count(part) if count is None else min(count, text.count(part))
    bounded(len(text) + times * max(0, len(other) - len(part)))
    return text.replace(part, other, -1 if count is None else count)


_NONE_GIVEN = object()


def to_int(value: Any, default: Any = _NONE_GIVEN) -> Any:
    """Return a whole number; what is none is refused, or becomes the default where one is given."""
    try:
        if isinstance(value, str):
            return int(value.strip())
        if isinstance(value, int | float):
            return int(value)
    except (ValueError, OverflowError):
        pass
    if default is not _NONE_GIVEN:
        return default
    raise ExpressionError(f"{type_name(value)} is no whole number", "give a default: `| int(0)`")


def to_float(value: Any, default: Any = _NONE_GIVEN) -> Any:
    """Return a number; what is none is refused, or becomes the default where one is given."""
    try:
        if isinstance(value, str | int | float):
            number = float(value)
            if abs(number) != float("inf") and number == number:  # noqa: PLR0124 - NaN differs from itself
                return number
    except (ValueError, OverflowError):
        pass
    if default is not _NONE_GIVEN:
        return default
    raise ExpressionError(f"{type_name(value)} is no number", "give a default: `| float(0)`")


def rounded(value: Any, precision: Any = 0, method: Any = "common") -> float:
    """Return a number with so many digits after the point, as Jinja's `round` does."""
    from jinja2.filters import do_round

    if not isinstance(value, int | float) or not isinstance(precision, int) or abs(precision) > _MAX_PRECISION:
        hint = f"round takes a number and a precision of at most {_MAX_PRECISION} digits"
        raise ExpressionError(f"cannot round {type_name(value)}", hint)
    return do_round(value, precision, method)


def bounded(size: int) -> None:
    """Refuse a result of more than a million characters or items.

    Raises:
        ExpressionError: the size is larger.
    """
    if size > MAX_SIZE:
        raise ExpressionError(f"the result is larger than {MAX_SIZE:,} characters or items", "do this in a scriptlet")


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """Return the result of an arithmetic operator on numbers; `+` also joins two texts or two lists.

    Raises:
        ExpressionError: the operands do not fit, or the result is too large.
    """
    numbers = _is_number(left) and _is_number(right)
    if operator == "+" and not numbers:
        for kind in (str, list):
            if isinstance(left, kind) and isinstance(right, kind):
                bounded(len(left) + len(right))
                joined_both: Any = [*left, *right] if kind is list else f"{left}{right}"
                return joined_both
    if not numbers:
        hint = "join texts with '~'" if operator == "+" and (isinstance(left, str) or isinstance(right, str)) else None
        raise ExpressionError(f"cannot calculate {type_name(left)} {operator} {type_name(right)}", hint)
    try:
        result = _CALCULATE[operator](left, right)
    except ZeroDivisionError:
        raise ExpressionError(f"division by zero in '{operator}'") from None
    except OverflowError:
        raise ExpressionError(f"the result of {operator!r} is too large") from None
    # neither infinity, nor NaN, nor more digits than Python would print
    if result - result != 0 or (isinstance(result, int) and result.bit_length() > _MAX_BITS):
        raise ExpressionError(f"the result of {operator!r} is too large")
    return result


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_CALCULATE: dict[str, Any] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "//": lambda left, right: left // right,
    "%": lambda left, right: left % right,
}
