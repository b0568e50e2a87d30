"""Conditions on metrics: `error_rate < 1%`, `error_rate <= baseline * 1.2`, or the name of a detector alone.

Grammar, blanks allowed between any two words:

    condition = name [ operator value ]
    operator  = "<" | "<=" | ">" | ">=" | "==" | "!="
    value     = number [ unit ] | "baseline" [ "*" number ] | number "*" "baseline"

Numbers are compared in base units: a ratio between 0 and 1 for `%`, seconds for times, bytes for sizes.
"""

from __future__ import annotations

import math
import operator as op
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, NoReturn

from f0ci.core.errors import InputError
from f0ci.core.patterns import pattern
from f0ci.core.suggestions import closest
from f0ci.core.values import dataclass
from f0ci.workflows.units import PLAIN, RATIO, SUFFIXES, UNITS, Quantity, kind_of, number_text

if TYPE_CHECKING:
    from f0ci.workflows.metrics import MetricSpec

__all__ = ["OPERATORS", "Condition", "ConditionError", "Quantity", "check_units", "parse_condition"]

DETECTED = "detected"
BASELINE = "baseline"
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": op.lt,
    "<=": op.le,
    ">": op.gt,
    ">=": op.ge,
    "==": op.eq,
    "!=": op.ne,
}
OPERATORS = tuple(_COMPARE)

_NAME = pattern(r"[A-Za-z_](?:[A-Za-z0-9_.:/-]*[A-Za-z0-9_])?")
_OPERATOR = pattern(r"[<>=!~≤≥≠]+")
_NUMBER = pattern(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_WORD = pattern(r"%|[A-Za-zµ_]+")
_BLANK = pattern(r"\s*")
_MEANT_UNITS = {
    "sec": "s",
    "secs": "s",
    "seconds": "s",
    "min": "m",
    "mins": "m",
    "minutes": "m",
    "percent": "%",
    "pct": "%",
}
_MEANT = {"=": "==", "=<": "<=", "=>": ">=", "≤": "<=", "≥": ">=", "≠": "!=", "<>": "!=", "===": "=="}


class ConditionError(InputError):
    """A text is not a condition.

    Args:
        message: what is wrong, with the text quoted.
        offset: where in the text, in code points from 0.
        hint: what would be right.
    """

    def __init__(self, message: str, offset: int, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Condition:
    """A yes-or-no question about one metric.

    Attributes:
        metric: the metric's name, or a detector's.
        operator: one of `OPERATORS`, or `detected` for a bare name.
        quantity: what is compared with; None for a detector and for a comparison with the baseline.
        text: as somebody wrote it; two conditions that mean the same are equal however they are written.
        factor: the baseline is multiplied by it; None where there is no baseline in the condition.
    """

    metric: str
    operator: str
    quantity: Quantity | None
    text: str = field(default="", compare=False)
    factor: float | None = None

    @property
    def is_detector(self) -> bool:
        """True for a bare name, which asks whether a detector found something."""
        return self.operator == DETECTED

    @property
    def needs_baseline(self) -> bool:
        """True where a measurement alone does not answer the question."""
        return self.factor is not None

    def holds(self, value: float, baseline: float | None = None) -> bool:
        """Tell whether a measured number fulfils the condition.

        Args:
            value: in the base unit; for a detector, anything but 0 is "detected".
            baseline: what `baseline` in the condition stands for, in the same base unit.

        Raises:
            ValueError: a number is NaN, or the condition needs a baseline and there is none.
        """
        if math.isnan(value) or (baseline is not None and math.isnan(baseline)):
            raise ValueError("NaN fulfils no condition and breaks none")
        if self.quantity is not None:
            return _COMPARE[self.operator](value, self.quantity.base)
        if self.factor is None:
            return value != 0
        if baseline is None:
            raise ValueError(f"the condition {str(self)!r} needs a baseline")
        return _COMPARE[self.operator](value, baseline * self.factor)

    def __str__(self) -> str:
        if self.is_detector:
            return self.metric
        if self.factor is not None:
            times = "" if self.factor == 1 else f" * {number_text(self.factor)}"
            return f"{self.metric} {self.operator} {BASELINE}{times}"
        return f"{self.metric} {self.operator} {self.quantity}"


def parse_condition(text: str) -> Condition:
    """Return the condition that a text writes.

    Raises:
        ConditionError: the text is not a condition; says where and what would be right.
    """
    start = _skip(text, 0)
    name = _NAME.match(text, start)
    if name is None:
        _refuse_start(text, start)
    if name.group() == BASELINE:
        raise ConditionError(
            f"{BASELINE!r} stands on the left",
            start,
            "write the metric first, as in 'error_rate <= baseline * 1.2'",
        )
    at = _skip(text, name.end())
    if at == len(text):
        return Condition(name.group(), DETECTED, None, text)
    sign = _OPERATOR.match(text, at)
    if sign is None:
        raise ConditionError(
            f"{text[at:].strip()!r} is not a comparison",
            at,
            f"write one of {' '.join(OPERATORS)} after {name.group()!r}, or the name of a detector alone",
        )
    if sign.group() not in _COMPARE:
        meant = _MEANT.get(sign.group())
        hint = f"write {meant!r}" if meant else f"write one of {' '.join(OPERATORS)}"
        raise ConditionError(f"{sign.group()!r} is not a comparison", at, hint)
    quantity, factor, at = _value(text, _skip(text, sign.end()))
    at = _skip(text, at)
    if at != len(text):
        raise ConditionError(
            f"{text[at:].strip()!r} does not belong to the condition",
            at,
            "write one condition a list item, and nothing after it",
        )
    return Condition(name.group(), sign.group(), quantity, text, factor)


def check_units(condition: Condition, spec: MetricSpec) -> tuple[str, str] | None:
    """Tell why a condition cannot be compared with what a metric measures.

    Returns:
        The problem and a hint, or None where the units fit.
    """
    measured = kind_of(spec.unit)
    if measured is None:
        near = closest(spec.unit, UNITS)
        hint = f"did you mean {near!r}?" if near else f"units: {' '.join(UNITS)}"
        return f"metric {spec.name!r} has the unknown unit {spec.unit!r}", hint
    if condition.quantity is None:
        return None
    wanted = kind_of(condition.quantity.unit)
    value = condition.quantity.value
    if measured == wanted or (value == 0 and wanted == PLAIN):
        return None
    if measured == RATIO and wanted == PLAIN:
        if 0 <= value <= 1:
            return None
        return (
            f"metric {spec.name!r} is a ratio between 0 and 1, compared with {condition.quantity}",
            f"write '{condition.quantity}%', or a number between 0 and 1",
        )
    if not spec.unit:
        if wanted == RATIO:
            return None
        return (
            f"metric {spec.name!r} has no unit, compared with {str(condition.quantity)!r}",
            f"add the unit that the provider measures in, such as 'unit: {condition.quantity.unit}'",
        )
    if wanted == PLAIN:
        return (
            f"metric {spec.name!r} is {measured} in {spec.unit!r}, compared with a number without a unit",
            f"write '{condition.quantity}{spec.unit}'",
        )
    return (
        f"metric {spec.name!r} is {measured} in {spec.unit!r}, compared with {wanted}: {condition.quantity}",
        "compare what is of one kind, or correct the metric's unit",
    )


def _value(text: str, at: int) -> tuple[Quantity | None, float | None, int]:
    if at == len(text):
        raise ConditionError(
            "the condition ends before its value", at, "write a number with its unit, such as 1% or 1.5s"
        )
    if text.startswith(BASELINE, at):
        end = at + len(BASELINE)
        star = _skip(text, end)
        if not text.startswith("*", star):
            return None, 1.0, end
        factor, end = _number(text, _skip(text, star + 1))
        return None, _factor(factor, star), end
    value, end = _number(text, at)
    star = _skip(text, end)
    if text.startswith("*", star):
        word = _skip(text, star + 1)
        if not text.startswith(BASELINE, word):
            raise ConditionError("only the baseline can be multiplied", star, "write the product, or 'baseline * 1.2'")
        return None, _factor(value, at), word + len(BASELINE)
    unit = _WORD.match(text, star)
    if unit is None:
        return Quantity(value), None, end
    if unit.group() not in SUFFIXES:
        meant = _MEANT_UNITS.get(unit.group().lower())
        hint = f"write {meant!r}" if meant else f"units: {' '.join(SUFFIXES)}"
        raise ConditionError(f"{unit.group()!r} is not a unit", unit.start(), hint)
    return Quantity(value, unit.group()), None, unit.end()


def _number(text: str, at: int) -> tuple[float, int]:
    match = _NUMBER.match(text, at)
    if match is None:
        word = text[at:].split(maxsplit=1)[0] if text[at:].strip() else ""
        near = closest(word, (BASELINE,)) if word else None
        hint = (
            f"did you mean {near!r}?"
            if near
            else "write a number with its unit, such as 1% or 1.5s, or 'baseline * 1.2'"
        )
        raise ConditionError(f"{word!r} is not a number" if word else "a number is missing", at, hint)
    value = float(match.group())
    if math.isinf(value):
        raise ConditionError(f"{match.group()!r} is too large", at, "write a smaller number")
    # one zero, so that equal conditions have one text
    return value + 0.0, match.end()


def _factor(value: float, at: int) -> float:
    if value <= 0:
        raise ConditionError("the baseline is multiplied by a number above 0", at, "write a factor such as 1.2")
    return value


def _refuse_start(text: str, at: int) -> NoReturn:
    if at == len(text):
        raise ConditionError("the condition is empty", at, "write one such as 'error_rate < 1%'")
    if _NUMBER.match(text, at):
        raise ConditionError(
            "the condition starts with a number", at, "write the metric first, as in 'error_rate < 1%'"
        )
    raise ConditionError(f"{text[at]!r} does not start a metric's name", at, "names start with a letter or '_'")


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at
