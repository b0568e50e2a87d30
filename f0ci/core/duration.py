"""Spans of time as people write them: `30m`, `1h30m`, `90s`, `2d`."""

from __future__ import annotations

from datetime import timedelta

from f0ci.core.patterns import pattern

_PART = pattern(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_duration(text: str) -> timedelta:
    """Return the span of time that a text such as `1h30m` names.

    Raises:
        ValueError: the text is not a run of numbers with the units ms, s, m, h, d, w, or too long a span.
    """
    squeezed = text.replace(" ", "")
    if squeezed == "0":
        return timedelta()
    parts = _PART.findall(squeezed)
    if not parts or "".join(number + unit for number, unit in parts) != squeezed:
        raise ValueError(f"{text!r} is not a duration such as 30m, 1h30m or 90s")
    try:
        return timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in parts))
    except OverflowError:
        raise ValueError(f"{text!r} is longer than any span of time that can be counted") from None


def format_duration(span: timedelta) -> str:
    """Return a span of time as `1d2h`, `30m` or `12s`; whole seconds, the two largest units."""
    left = int(span.total_seconds())
    if left <= 0:
        return "0s"
    words: list[str] = []
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, int(_SECONDS[unit]))
        if count:
            words.append(f"{count}{unit}")
    return "".join(words[:2])
