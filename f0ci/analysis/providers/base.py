"""What every metric provider is asked and what it answers.

A provider is a module with `measure(query, root) -> Measurement`. It raises `ProviderError` where it cannot
answer; an answer that is bad news is never an error. One that can answer for many windows at once may also offer
`measure_points(query, root, interval) -> tuple[Point, ...]`: a measurement for each of the whole intervals from the
window's beginning on; where it does not, `measure` is asked for one interval after the other. One that runs no program
and no code of the repository says so with `RUNS_NOTHING = True`; any other is kept away from tokens that may push.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from f0ci.core.clock import format_time
from f0ci.core.duration import format_duration, parse_duration
from f0ci.core.errors import ProviderError

DEFAULT_GRACE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: one metric of one environment over one window of time.

    Attributes:
        environment: workflow name of the environment.
        release: digest of the release that runs there, or empty where nobody knows.
        start: first moment of the window, with an offset from UTC.
        end: last moment of the window, inclusive.
        now: when the question is asked; a provider without a memory can answer for no other time.
        settings: the provider's own settings; `measure` fills them from the metric.
        metric: name of the metric, for messages; `measure` fills it.
        baseline: digest of the release that the environment ran before, or empty.
        canary: digest of the release that is judged, where `release` is another one; else empty.
    """

    environment: str
    release: str
    start: datetime
    end: datetime
    now: datetime
    settings: Mapping[str, Any] = field(default_factory=dict)
    metric: str = ""
    baseline: str = ""
    canary: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a provider answered.

    Attributes:
        value: the number in `unit`, or None where there is none.
        samples: how many observations the number rests on, 0 or more.
        unit: unit of the value; empty means the unit that the metric declares.
        series: how many series matched; 0 is no data, more than 1 is a question that was not precise enough.
        error: why there is no answer, or None.
        no_traffic: True where the provider knows that nothing was asked of the environment.
        note: what else a person should know, such as why there is no value.
        hits: where the value is the share of counted samples, how many they are; else None.
        unmatched: True where the provider knows that the question selects nothing, busy or idle.
        unwritten: True where what is to be read is made by deployments, and is not there yet.
    """

    value: float | None
    samples: int
    unit: str = ""
    series: int = 1
    error: str | None = None
    no_traffic: bool = False
    note: str = ""
    hits: int | None = None
    unmatched: bool = False
    unwritten: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """A measurement of one interval of a window.

    Attributes:
        start: its first moment, which still belongs to the interval before.
        end: its last moment, inclusive.
        measurement: what was measured between the two.
    """

    start: datetime
    end: datetime
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of one metric over a window.

    Attributes:
        measurement: of the whole window.
        points: of its intervals, in order of time; empty where the window was measured at once.
    """

    measurement: Measurement
    points: tuple[Point, ...] = ()


def intervals(query: Query, interval: timedelta) -> list[tuple[datetime, datetime]]:
    """Return the whole intervals of a query's window, from its beginning on."""
    whole = (query.end - query.start) // interval
    return [(query.start + interval * number, query.start + interval * (number + 1)) for number in range(whole)]


def nothing(note: str, *, unmatched: bool = False) -> Measurement:
    """Return the answer of a provider that has no data, or to whose question nothing at all belongs (`unmatched`)."""
    return Measurement(None, 0, series=0, note=note, unmatched=unmatched)


def asked_late(query: Query) -> Measurement | None:
    """Return what a provider that knows only the present answers of another time, or None in time.

    Raises:
        ProviderError: the setting `grace` is not a duration.
    """
    written = query.settings.get("grace")
    try:
        grace = parse_duration(str(written)) if written is not None else DEFAULT_GRACE
    except (ValueError, OverflowError) as error:
        raise ProviderError(f"'grace' of metric {query.metric!r}: {error}", "write one such as 1m") from error
    if query.now < query.start:
        return nothing(f"asked before the window, which starts at {format_time(query.start)}")
    late = query.now - query.end
    if late <= grace:
        return None
    end = f"{format_duration(late)} after the window's end at {format_time(query.end)}"
    return nothing(f"asked {end}, of what knows only the present")
