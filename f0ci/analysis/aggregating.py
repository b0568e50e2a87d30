"""One number out of several."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from f0ci.analysis.providers.base import Measurement
from f0ci.core.errors import ProviderError

_AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": lambda values: math.fsum(values) / len(values),
    "max": max,
    "min": min,
    "last": lambda values: values[-1],
}
# counts that a service has estimated may contradict each other by as much as its arithmetic loses
_ROUNDING = 1e-9


def aggregate(values: Sequence[float], how: str) -> float:
    """Return what stands for some values.

    Args:
        values: at least one, finite, in order of time.
        how: `mean`, `max`, `min`, `last`, or a percentile such as `p95`.

    Raises:
        ProviderError: there is no such way.
    """
    if how in _AGGREGATES:
        return _AGGREGATES[how](values)
    try:
        share = Fraction(how.removeprefix("p")) if how.startswith("p") else Fraction(-1)
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not 0 <= share <= 100:
        raise ProviderError(
            f"{how!r} is no way to aggregate", f"write {', '.join(_AGGREGATES)}, or a percentile such as p95"
        )
    # nearest rank: the smallest value that at least this share of the values does not exceed
    return sorted(values)[max(1, math.ceil(share * len(values) / 100)) - 1]


def ratio(part: float | None, whole: float, name: str) -> Measurement:
    """Return the ratio of two counts, which may be estimates with a fraction.

    Args:
        part: how many were good, or bad; None where nobody knows.
        whole: how many there were.
        name: what the part is called in the settings: `good` or `bad`.

    Raises:
        ProviderError: they are no counts, or contradict each other.
    """
    for what, number in ((name, part), ("total", whole)):
        if number is not None and (number < 0 or math.isinf(number)):
            raise ProviderError(f"{what!r} is {number:g}, which is no count", f"count requests in {what!r}")
    if math.isnan(whole):
        return Measurement(math.nan, 0, unit="ratio", note="'total' is not a number")
    known = part is not None and not math.isnan(part)
    if part is not None and known and part > whole * (1 + _ROUNDING):
        raise ProviderError(
            f"{name!r} is {part:g}, more than the {whole:g} of 'total'", "count the same requests in both"
        )
    if whole == 0:
        return Measurement(None, 0, no_traffic=True)
    if part is None or not known:
        return Measurement(None, 0, unit="ratio", note=f"{name!r} has no value")
    counted = whole_count(whole)
    return Measurement(min(1.0, part / whole), counted, unit="ratio", hits=min(whole_count(part), counted))


def whole_count(estimate: float) -> int:
    """Return how many whole observations an estimate with a fraction speaks for."""
    return math.floor(estimate + _ROUNDING)
