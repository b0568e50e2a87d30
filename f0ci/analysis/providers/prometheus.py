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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci.analysis.aggregating import aggregate, ratio, whole_count
from f0ci.analysis.placeholders import fill, window_seconds
from f0ci.analysis.providers.base import Measurement, Point, Query, intervals, nothing
from f0ci.analysis.services import address, open_service
from f0ci.core.duration import parse_duration
from f0ci.core.errors import ProviderError

if TYPE_CHECKING:
    from f0ci.http.session import Session

# seconds: unless told otherwise, Prometheus takes the newest sample that is not older than this
_LOOKBACK = 300
# in hexadecimal, because a quote escaped by itself is refused within quotes of the other kind
_ESCAPES = str.maketrans({character: f"\\x{ord(character):02x}" for character in "\\\"'`\n\r"})
# placeholders that differ from interval to interval
_MOMENTS = re.compile(r"\{\{[^}]*\b(?:start|end)(?:_iso)?\b")
# older versions put remarks of little weight among the warnings
_REMARK = "PromQL info"


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one query answered: the numbers of the only series, or how many series there are; and what was remarked."""

    numbers: tuple[float, ...]
    series: int
    note: str = ""

    @property
    def number(self) -> float | None:
        return self.numbers[0] if self.series == 1 and self.numbers else None


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
            parts, totals = _by_point(session, query, count, spans), _by_point(session, query, "total", spans)
            measured = [_ratio_of(part, total, count) for part, total in zip(parts, totals, strict=True)]
        else:
            values = _by_point(session, query, "query", spans)
            counts: Sequence[_Reading | None] = [None] * len(spans)
            if "samples" in settings:
                counts = _by_point(session, query, "samples", spans)
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
    part, total = _at_end(session, query, count), _at_end(session, query, "total")
    return _ratio_of(part, total, count)


def _ratio_of(part: _Reading, total: _Reading, count: str) -> Measurement:
    for reading, key in ((total, "total"), (part, count)):
        if reading.series > 1:
            return Measurement(None, 0, series=reading.series, note=f"{key!r} is not one number")
    if total.number is None:
        return nothing("no series answers 'total'")
    measured = ratio(part.number, total.number, count)
    if part.series or measured.no_traffic:
        return measured
    return nothing(f"no series answers {count!r}; where that means none, end it with 'or vector(0)'")


def _measured(session: Session, query: Query) -> Measurement:
    reading = _over_window(session, query) if "step" in query.settings else _at_end(session, query, "query")
    counted = _at_end(session, query, "samples") if "samples" in query.settings else None
    return _value_of(query, reading, counted)


def _value_of(query: Query, reading: _Reading, counted: _Reading | None) -> Measurement:
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
        return nothing(reading.note or "no series answers 'query'")
    if reading.series > 1:
        return Measurement(None, 0, series=reading.series, note=reading.note)
    if not numbers:
        return Measurement(None, 0, note=reading.note or "it is not a number")
    infinite = next((number for number in numbers if math.isinf(number)), None)
    value = aggregate(numbers, str(query.settings.get("aggregate", "mean"))) if infinite is None else infinite
    return Measurement(value, samples, note=reading.note)


def _at_end(session: Session, query: Query, key: str) -> _Reading:
    """Ask for the moment in which the window ends."""
    params = {"time": f"{query.end.timestamp():.3f}"}
    window = window_seconds(query)
    if window < _LOOKBACK:
        # a sample from before the window says nothing about it (known to Prometheus 2.43 and later)
        params["lookback_delta"] = f"{window}s"
    return _ask(session, query, key, "query", params)


def _over_window(session: Session, query: Query) -> _Reading:
    """Ask for the moments a step apart, each for what happened since the one before."""
    written = str(query.settings["step"])
    try:
        step = parse_duration(written)
    except ValueError as error:
        raise ProviderError(f"'step' of metric {query.metric!r}: {error}", "write one such as 30s") from error
    first = query.start + step
    if first > query.end:
        return _Reading((), 0, f"the window is shorter than the step of {written}")
    seconds = step.total_seconds()
    return _ask(
        session,
        query,
        "query",
        "query_range",
        {
            "start": f"{first.timestamp():.3f}",
            "end": f"{query.end.timestamp():.3f}",
            "step": f"{seconds:.3f}",
            "lookback_delta": f"{min(seconds, _LOOKBACK):.3f}",
        },
    )


def _ask(session: Session, query: Query, key: str, what: str, params: Mapping[str, str]) -> _Reading:
    data, note = _data(session, query, key, what, params)
    return _read(data, key, note, over_window=what == "query_range")


def _by_point(session: Session, query: Query, key: str, spans: Sequence[tuple[datetime, datetime]]) -> list[_Reading]:
    """Ask for the end of each interval; each answer is about its interval alone."""
    seconds = (spans[0][1] - spans[0][0]).total_seconds()
    params = {
        "start": f"{spans[0][1].timestamp():.3f}",
        "end": f"{spans[-1][1].timestamp():.3f}",
        "step": f"{seconds:.3f}",
        "lookback_delta": f"{min(seconds, _LOOKBACK):.3f}",
    }
    data, note = _data(session, replace(query, start=spans[0][0], end=spans[0][1]), key, "query_range", params)
    found: dict[int, list[float]] = {}
    try:
        if data["resultType"] != "matrix":
            raise ProviderError(f"{key!r} yields a {data['resultType']}, not one number", "ask for one")
        for series in data["result"]:
            if "histograms" in series:
                raise ProviderError(f"{key!r} yields a histogram, not one number", "wrap it in histogram_quantile()")
            for moment, number in series["values"]:
                found.setdefault(round(float(moment) * 1000), []).append(float(number))
    except (TypeError, ValueError, LookupError) as error:
        hint = "check 'url': it is what stands before /api/v1"
        raise ProviderError(f"what answers {key!r} does not speak Prometheus's API", hint) from error
    numbers = [found.get(round(end.timestamp() * 1000), []) for _, end in spans]
    return [_Reading(tuple(some) if len(some) == 1 else (), len(some), note) for some in numbers]


def _data(session: Session, query: Query, key: str, what: str, params: Mapping[str, str]) -> tuple[Any, str]:
    from f0ci.http.answers import printable
    from f0ci.http.session import StatusError, get_json

    asked = fill(str(query.settings[key]), query, lambda value: value.translate(_ESCAPES), key)
    try:
        answer = get_json(session, f"{address(query).rstrip('/')}/api/v1/{what}", {"query": asked, **params})
    except StatusError as error:
        answer = error.data
        if not isinstance(answer, Mapping) or "error" not in answer:
            raise
    said = answer if isinstance(answer, Mapping) else {}
    if "error" in said:
        words = session.redactor.text(printable(f"{said.get('errorType')}: {said['error']}"))
        raise ProviderError(f"Prometheus cannot answer {key!r}: {words}", f"try it in Prometheus itself: {asked}")
    warnings = [str(one) for one in said.get("warnings") or () if not str(one).startswith(_REMARK)]
    note = session.redactor.text(printable("; ".join(warnings)))
    if warnings and query.settings.get("allow_warnings") is not True:
        hint = "mend what it warns of, or set 'allow_warnings: true' where the answer is good enough"
        raise ProviderError(f"Prometheus warns of its answer to {key!r}: {note}", hint)
    return said.get("data"), note


def _read(data: Any, key: str, note: str, *, over_window: bool) -> _Reading:
    wanted = {"matrix"} if over_window else {"vector", "scalar"}
    kind: Any = data.get("resultType") if isinstance(data, Mapping) else None
    result: Any = data.get("result") if isinstance(data, Mapping) else None
    if kind in {"vector", "scalar", "matrix", "string"} - wanted:
        hint = "wrap it in a function such as max_over_time(), or give 'step'" if kind == "matrix" else "ask for one"
        raise ProviderError(f"{key!r} yields a {kind}, not one number", hint)
    try:
        if kind == "scalar":
            return _Reading((float(result[1]),), 1, note)
        if len(result) != 1:
            return _Reading((), len(result), note)
        if "histogram" in result[0] or "histograms" in result[0]:
            raise ProviderError(f"{key!r} yields a histogram, not one number", "wrap it in histogram_quantile()")
        points = result[0]["values"] if over_window else [result[0]["value"]]
        return _Reading(tuple(float(number) for _, number in points), 1, note)
    except (TypeError, ValueError, LookupError) as error:
        hint = "check 'url': it is what stands before /api/v1"
        raise ProviderError(f"what answers {key!r} does not speak Prometheus's API", hint) from error
