"""Metrics from Prometheus, and from what speaks its HTTP API.

Settings: `url` and those of `f0ci.analysis.services`; `query` (PromQL that yields one number), or `good` or `bad` with
`total` (PromQL that yields a count each); `samples` (PromQL that counts what `query` rests on); `step` and `aggregate`
(ask `query` again and again over the window, and take one number of it); `allow_warnings`.

Queries are asked for the window's end, whenever that was. They see the placeholders of `f0ci.analysis.placeholders`,
escaped for strings of PromQL: `sum(increase(http_requests_total{env="{{ environment }}"}[{{ window }}s]))`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.analysis.aggregating import aggregate, ratio, whole_count
from f0ci.analysis.promql import Reading, ask_at_end, ask_by_point, ask_over_window
from f0ci.analysis.providers.base import Measurement, Point, Query, intervals, nothing
from f0ci.analysis.services import open_service
from f0ci.core.errors import ProviderError

if TYPE_CHECKING:
    from f0ci.http.session import Session

RUNS_NOTHING = True

# placeholders that differ from interval to interval
_MOMENTS = re.compile(r"\{\{[^}]*\b(?:start|end)(?:_iso)?\b")


def measure(query: Query, root: Path) -> Measurement:
    """Return what Prometheus says of the query's window.

    Raises:
        ProviderError: a setting is wrong, Prometheus cannot be asked, refuses, warns, or answers with no number.
    """
    count = _count_of(query)
    with open_service(query, root) as session:
        return _measured(session, query) if count is None else _counted(session, query, count)


def measure_points(query: Query, root: Path, interval: timedelta) -> tuple[Point, ...]:
    """Return what Prometheus says of each interval, asked for in one question a number.

    `window` is the interval's length then. Queries that name `start` or `end`, or have a `step` of their own, are asked
    one interval after the other.

    Raises:
        ProviderError: as `measure`, where it is so for all intervals.
    """
    settings = query.settings
    spans = intervals(query, interval)
    keys = [key for key in ("query", "good", "bad", "total", "samples") if key in settings]
    if "step" in settings or any(_MOMENTS.search(str(settings[key])) for key in keys) or not spans:
        return tuple(Point(a, b, measure(replace(query, start=a, end=b), root)) for a, b in spans)
    count = _count_of(query)
    with open_service(query, root) as session:
        if count is not None:
            parts, totals = ask_by_point(session, query, count, spans), ask_by_point(session, query, "total", spans)
            measured = [_ratio_of(part, total, count) for part, total in zip(parts, totals, strict=True)]
        else:
            values = ask_by_point(session, query, "query", spans)
            counts: Sequence[Reading | None] = [None] * len(spans)
            if "samples" in settings:
                counts = ask_by_point(session, query, "samples", spans)
            measured = [_value_of(query, value, counted) for value, counted in zip(values, counts, strict=True)]
    return tuple(Point(start, end, one) for (start, end), one in zip(spans, measured, strict=True))


def _count_of(query: Query) -> str | None:
    """Return which count is asked for, or None where it is one number.

    Raises:
        ProviderError: the settings say neither, or both.
    """
    settings = query.settings
    count = next((key for key in ("good", "bad") if key in settings), None)
    if (count is None) is ("query" not in settings) or (count is None) is ("total" in settings):
        problem = f"metric {query.metric!r} does not say what to ask"
        raise ProviderError(problem, "give 'query', or 'good' or 'bad' with 'total'")
    return count


def _counted(session: Session, query: Query, count: str) -> Measurement:
    # the whole is asked for last, so that a sample that arrives in between cannot make the part the larger
    part, total = ask_at_end(session, query, count), ask_at_end(session, query, "total")
    return _ratio_of(part, total, count)


def _ratio_of(part: Reading, total: Reading, count: str) -> Measurement:
    for reading, key in ((total, "total"), (part, count)):
        if reading.series > 1:
            return Measurement(None, 0, series=reading.series, note=f"{key!r} is not one number")
    if total.number is None:
        return nothing("no series answers 'total'", unmatched=total.series == 0)
    measured = ratio(part.number, total.number, count)
    if part.series or measured.no_traffic:
        return measured
    return nothing(f"no series answers {count!r}; where that means none, end it with 'or vector(0)'", unmatched=True)


def _measured(session: Session, query: Query) -> Measurement:
    reading = ask_over_window(session, query) if "step" in query.settings else ask_at_end(session, query, "query")
    counted = ask_at_end(session, query, "samples") if "samples" in query.settings else None
    return _value_of(query, reading, counted)


def _value_of(query: Query, reading: Reading, counted: Reading | None) -> Measurement:
    numbers = [number for number in reading.numbers if not math.isnan(number)]
    samples = len(numbers)
    if counted is not None:
        number = math.nan if counted.number is None else counted.number
        if counted.series > 1 or number < 0 or math.isinf(number):
            raise ProviderError(f"'samples' of metric {query.metric!r} is no count", "wrap it in sum(), count requests")
        samples = 0 if math.isnan(number) else whole_count(number)
        if number == 0 and reading.series <= 1:
            return Measurement(None, 0, no_traffic=True, note=reading.note)
    if reading.series == 0:
        return nothing(reading.note or "no series answers 'query'", unmatched=not reading.too_short)
    if reading.series > 1:
        return Measurement(None, 0, series=reading.series, note=reading.note)
    if not numbers:
        return Measurement(None, 0, note=reading.note or "it is not a number")
    infinite = next((number for number in numbers if math.isinf(number)), None)
    value = aggregate(numbers, str(query.settings.get("aggregate", "mean"))) if infinite is None else infinite
    return Measurement(value, samples, note=reading.note)
