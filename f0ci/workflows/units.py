"""Units of measured numbers, and their base: a ratio, seconds, bytes, or the number as it stands."""

from __future__ import annotations

from collections.abc import Mapping

from f0ci.core.values import dataclass

RATIO, TIME, SIZE, PLAIN = "a ratio", "a time", "a size", "a plain number"
# unit -> what it measures, multiplier and divisor to the base unit; divisors keep 1% and 1500ms exact
_UNITS: Mapping[str, tuple[str, float, float]] = {
    "": (PLAIN, 1, 1),
    "count": (PLAIN, 1, 1),
    "ratio": (RATIO, 1, 1),
    "%": (RATIO, 1, 100),
    "us": (TIME, 1, 1_000_000),
    "ms": (TIME, 1, 1000),
    "s": (TIME, 1, 1),
    "m": (TIME, 60, 1),
    "h": (TIME, 3600, 1),
    "d": (TIME, 86400, 1),
    "B": (SIZE, 1, 1),
    "KB": (SIZE, 1000, 1),
    "MB": (SIZE, 1000**2, 1),
    "GB": (SIZE, 1000**3, 1),
    "KiB": (SIZE, 1024, 1),
    "MiB": (SIZE, 1024**2, 1),
    "GiB": (SIZE, 1024**3, 1),
}
# what a metric's `unit:` may say
UNITS = tuple(unit for unit in _UNITS if unit)
# what may follow a number in a condition
SUFFIXES = tuple(unit for unit in UNITS if unit not in {"count", "ratio"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, as written.

    Attributes:
        value: finite.
        unit: one of `SUFFIXES`, or empty.
    """

    value: float
    unit: str = ""

    @property
    def base(self) -> float:
        """The number in the unit's base: ratio, seconds, bytes, or as it stands."""
        return to_base(self.value, self.unit)

    def __str__(self) -> str:
        return f"{number_text(self.value)}{self.unit}"


def kind_of(unit: str) -> str | None:
    """Return what a unit measures (`RATIO`, `TIME`, `SIZE` or `PLAIN`), or None for an unknown unit."""
    return _UNITS[unit][0] if unit in _UNITS else None


def to_base(value: float, unit: str) -> float:
    """Return a number in its unit's base.

    Raises:
        KeyError: the unit is neither empty nor one of `UNITS`.
    """
    _, multiplier, divisor = _UNITS[unit]
    return value * multiplier / divisor


def number_text(value: float) -> str:
    """Return the shortest text that reads back as the same number."""
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def readable(value: float, unit: str) -> str:
    """Return a measured number as people say it: `21.3MB`, `4.75ms`; seconds and bytes take a unit that fits.

    Args:
        value: the number.
        unit: the unit it is measured in, or empty.
    """
    size = abs(value)
    if unit == "B" and size >= 1000:
        unit = next(name for name in ("GB", "MB", "KB") if size >= _UNITS[name][1])
        return f"{value / _UNITS[unit][1]:.4g}{unit}"
    if unit == "s" and 0 < size < 1:
        unit = "ms" if size >= 0.001 else "us"
        return f"{value * _UNITS[unit][2]:.4g}{unit}"
    return f"{value:.6g}{unit if unit not in {'ratio', 'count'} else ''}"
