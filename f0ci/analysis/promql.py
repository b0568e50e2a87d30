"""Questions to Prometheus's HTTP API, and what it answers: the numbers of the only series, or how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from f0ci.analysis.placeholders import fill, window_seconds
from f0ci.analysis.providers.base import Query
from f0ci.analysis.services import address
from f0ci.core.duration import parse_duration
from f0ci.core.errors import ProviderError

if TYPE_CHECKING:
    from f0ci.http.session import Session

# seconds: unless told otherwise, Prometheus takes the newest sample that is not older than this
_LOOKBACK = 300
# in hexadecimal, because a quote escaped by itself is refused within quotes of the other kind
_ESCAPES = str.maketrans({character: f"\\x{ord(character):02x}" for character in "\\\"'`\n\r"})
# older versions put remarks of little weight among the warnings
_REMARK = "PromQL info"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one query answered: the numbers of the only series, or how many series there are; and what was remarked.

    `too_short` is a window into which no question fits, so that nobody asked.
    """

    numbers: tuple[float, ...]
    series: int
    note: str = ""
    too_short: bool = False

    @property
    def number(self) -> float | None:
        """Return the only number, or None."""
        return self.numbers[0] if self.series == 1 and self.numbers else None


def ask_at_end(session: Session, query: Query, key: str) -> Reading:
    """Ask for the moment in which the window ends.

    Args:
        session: an open session with the service.
        query: the window, and the metric's settings.
        key: the setting that holds the PromQL.

    Raises:
        ProviderError: Prometheus cannot be asked, refuses, warns, or answers with no number.
    """
    params = {"time": f"{query.end.timestamp():.3f}"}
    window = window_seconds(query)
    if window < _LOOKBACK:
        # a sample from before the window says nothing about it (known to Prometheus 2.43 and later)
        params["lookback_delta"] = f"{window}s"
    return _ask(session, query, key, "query", params)


def ask_over_window(session: Session, query: Query) -> Reading:
    """Ask for the moments a step apart, each for what happened since the one before.

    Raises:
        ProviderError: as `ask_at_end`, or the setting `step` is no duration.
    """
    written = str(query.settings["step"])
    try:
        step = parse_duration(written)
    except ValueError as error:
        raise ProviderError(f"'step' of metric {query.metric!r}: {error}", "write one such as 30s") from error
    first = query.start + step
    if first > query.end:
        return Reading((), 0, f"the window is shorter than the step of {written}", too_short=True)
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


def _ask(session: Session, query: Query, key: str, what: str, params: Mapping[str, str]) -> Reading:
    data, note = _data(session, query, key, what, params)
    return _read(data, key, note, over_window=what == "query_range")


def ask_by_point(session: Session, query: Query, key: str, spans: Sequence[tuple[datetime, datetime]]) -> list[Reading]:
    """Ask for the end of each interval; each answer is about its interval alone.

    Args:
        session: an open session with the service.
        query: the metric's settings.
        key: the setting that holds the PromQL.
        spans: intervals of one length, one after the other.

    Raises:
        ProviderError: as `ask_at_end`.
    """
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
    return [Reading(tuple(some) if len(some) == 1 else (), len(some), note) for some in numbers]


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


def _read(data: Any, key: str, note: str, *, over_window: bool) -> Reading:
    wanted = {"matrix"} if over_window else {"vector", "scalar"}
    kind: Any = data.get("resultType") if isinstance(data, Mapping) else None
    result: Any = data.get("result") if isinstance(data, Mapping) else None
    if kind in {"vector", "scalar", "matrix", "string"} - wanted:
        hint = "wrap it in a function such as max_over_time(), or give 'step'" if kind == "matrix" else "ask for one"
        raise ProviderError(f"{key!r} yields a {kind}, not one number", hint)
    try:
        if kind == "scalar":
            return Reading((float(result[1]),), 1, note)
        if len(result) != 1:
            return Reading((), len(result), note)
        if "histogram" in result[0] or "histograms" in result[0]:
            raise ProviderError(f"{key!r} yields a histogram, not one number", "wrap it in histogram_quantile()")
        points = result[0]["values"] if over_window else [result[0]["value"]]
        return Reading(tuple(float(number) for _, number in points), 1, note)
    except (TypeError, ValueError, LookupError) as error:
        hint = "check 'url': it is what stands before /api/v1"
        raise ProviderError(f"what answers {key!r} does not speak Prometheus's API", hint) from error
