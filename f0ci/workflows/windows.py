"""When an environment may be changed: allow and freeze windows in a time zone, once or recurring (RFC 5545).

Everything here is pure. Times are read as a clock on the wall of the zone shows them: a window from 09:00 begins at
09:00 before and after a change to summer time. A time that does not exist is moved on by the gap; of a time that comes
twice, a window takes the first for its start and the second for its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from f0ci.core.duration import parse_duration
from f0ci.core.patterns import pattern
from f0ci.core.values import dataclass

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# how far ahead an end of waiting is looked for
HORIZON = timedelta(days=400)
_DAY = timedelta(days=1)
_CLOCK = pattern(r"([01]\d|2[0-3]):([0-5]\d)\Z")
# where a rule leaves its own day open, dateutil would take it from the start, which people do not see
_NEEDS = {"WEEKLY": ("BYDAY",), "MONTHLY": ("BYMONTHDAY", "BYDAY"), "YEARLY": ("BYMONTHDAY", "BYDAY", "BYYEARDAY")}


class WindowError(ValueError):
    """A window that cannot be read.

    Args:
        message: what is wrong.
        at: path below the gate's settings.
        hint: what would be right.
    """

    def __init__(self, message: str, at: tuple[str | int, ...], hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in UTC, its end excluded."""

    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """A window, once or recurring.

    Attributes:
        name: for people.
        start: local start of the one stretch, or None where it recurs.
        end: its local end.
        rule: text of the recurrence rule, or None.
        since: local date from which the rule counts, or None.
        clock: local time at which each stretch starts.
        until: local time at which it ends, or None where it lasts for `length`.
        length: how long each stretch lasts.
    """

    name: str
    start: datetime | None = None
    end: datetime | None = None
    rule: str | None = None
    since: date | None = None
    clock: time = time()
    until: time | None = None
    length: timedelta = _DAY

    def spans(self, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Span]:
        """Yield the stretches that overlap a span of time, in order."""
        if self.start is not None and self.end is not None:
            found = [(_first(self.start, zone), _last(self.end, zone))]
        else:
            begin = start.astimezone(zone).replace(tzinfo=None) - self.length - 2 * _DAY
            stop = end.astimezone(zone).replace(tzinfo=None) + _DAY
            found = [self._stretch(day, zone) for day in self._days(begin, stop)]
        yield from (Span(self.name, one, other) for one, other in found if one < end and other > start)

    def _days(self, begin: datetime, stop: datetime) -> Sequence[datetime]:
        counted_from = datetime.combine(self.since, time()) if self.since else _year(begin.year - 1)
        return _rule(self.rule or "", counted_from).between(begin, stop, inc=True)  # type: ignore[no-any-return]

    def _stretch(self, day: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
        local = datetime.combine(day.date(), self.clock)
        if self.until is None:
            began = _first(local, zone)
            return began, began + self.length
        ends = datetime.combine(day.date(), self.until)
        return _first(local, zone), _last(ends if ends > local else ends + _DAY, zone)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The windows of an environment.

    Attributes:
        zone: the time zone.
        allow: changes may happen only in one of these, where there are any.
        freeze: no change may happen in any of these.
    """

    zone: ZoneInfo
    allow: tuple[Window, ...]
    freeze: tuple[Window, ...]

    def closed_by(self, moment: datetime) -> str | None:
        """Return what keeps the environment closed at a moment, or None."""
        frozen = next(self.frozen(moment, moment + timedelta(seconds=1)), None)
        if frozen is not None:
            return f"frozen by {frozen.name!r} until {self.local(frozen.end)}"
        instant = moment + timedelta(seconds=1)
        if self.allow and not any(list(window.spans(self.zone, moment, instant)) for window in self.allow):
            return f"outside of {', '.join(repr(window.name) for window in self.allow)}"
        return None

    def frozen(self, start: datetime, end: datetime) -> Iterator[Span]:
        """Yield the freezes that overlap a span of time, by start."""
        spans = (span for window in self.freeze for span in window.spans(self.zone, start, end))
        yield from sorted(spans, key=lambda span: (span.start, span.end))

    def opens_at(self, moment: datetime) -> datetime | None:
        """Return the first moment from one on at which the environment is open, None where there is none in sight."""
        if self.closed_by(moment) is None:
            return moment
        end = moment + HORIZON
        edges = {span.end for span in self.frozen(moment, end)}
        edges |= {span.start for window in self.allow for span in window.spans(self.zone, moment, end)}
        return next((edge for edge in sorted(edges) if edge > moment and self.closed_by(edge) is None), None)

    def local(self, moment: datetime) -> str:
        """Return a moment as people there write it."""
        return moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M %Z")


def parse_calendar(settings: Mapping[str, Any]) -> Calendar:
    """Return the windows that a gate's settings declare.

    Raises:
        WindowError: a zone, time, day or recurrence cannot be read.
    """
    name = str(settings.get("timezone", "UTC"))
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = "write a name of the tz database, such as Europe/Berlin or UTC"
        raise WindowError(f"there is no time zone {name!r}", ("timezone",), hint) from error
    lists = {}
    for kind in ("allow", "freeze"):
        raw = settings.get(kind) or []
        lists[kind] = tuple(
            _window(item if isinstance(item, Mapping) else {}, (kind, index))
            for index, item in enumerate(raw if isinstance(raw, list) else [raw])
        )
    if not (lists["allow"] or lists["freeze"]):
        raise WindowError("the gate names no window", (), "add 'allow' or 'freeze', each a list of windows")
    return Calendar(zone, lists["allow"], lists["freeze"])


def _window(raw: Mapping[str, Any], at: tuple[str | int, ...]) -> Window:
    begins, ends = raw.get("from"), raw.get("to")
    said = raw.get("name") or raw.get("recurrence") or " ".join(map(str, raw.get("days") or []))
    name = str(said or f"from {begins}")
    if raw.get("recurrence") is None and not raw.get("days"):
        if begins is None or ends is None:
            hint = "write 'from' and 'to' as dates, or add 'days' or 'recurrence'"
            raise WindowError("the window has no 'from' and 'to'", at, hint)
        start, end = _moment(begins, (*at, "from")), _moment(ends, (*at, "to"), closing=True)
        if end <= start:
            raise WindowError(f"the window ends at {ends!r}, before it begins", (*at, "to"), "swap 'from' and 'to'")
        return Window(name, start, end)
    clock = _clock(begins, (*at, "from")) if begins is not None else time()
    until = _clock(ends, (*at, "to")) if ends is not None else None
    length = _DAY
    if raw.get("for") is not None:
        try:
            length = parse_duration(str(raw["for"]))
        except ValueError as error:
            raise WindowError(str(error), (*at, "for"), "write one such as 4h or 2d") from error
        if until is not None or length <= timedelta():
            raise WindowError("a window has a 'to' or lasts 'for' a time", (*at, "for"), "write one of them")
    elif until is None:
        # from a time to the end of that day
        until = time()
    since = _moment(raw["since"], (*at, "since")).date() if raw.get("since") is not None else None
    rule = _recurrence(raw, at, since)
    return Window(name, None, None, rule, since, clock, until, length)


def _recurrence(raw: Mapping[str, Any], at: tuple[str | int, ...], since: date | None) -> str:
    """Return the rule of a recurring window, checked: it means the same whenever it is looked at."""
    if raw.get("recurrence") is None:
        days = [str(day).lower()[:3] for day in raw["days"]]
        for index, day in enumerate(days):
            if day not in DAYS:
                hint = f"write some of {', '.join(DAYS)}"
                raise WindowError(f"there is no day {raw['days'][index]!r}", (*at, "days", index), hint)
        return "FREQ=WEEKLY;BYDAY=" + ",".join(day[:2].upper() for day in days)
    rule = str(raw["recurrence"]).strip().removeprefix("RRULE:").upper()
    parts = dict(part.split("=", 1) for part in rule.split(";") if "=" in part)
    place = (*at, "recurrence")
    often = parts.get("FREQ")
    if often not in {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}:
        hint = "write a rule such as FREQ=MONTHLY;BYMONTHDAY=-1"
        raise WindowError(f"{rule!r} recurs neither daily, weekly, monthly nor yearly", place, hint)
    if often in _NEEDS and not set(_NEEDS[often]) & parts.keys():
        hint = f"add {' or '.join(_NEEDS[often])}"
        raise WindowError(f"{rule!r} does not say on which day it recurs", place, hint)
    if since is None and parts.keys() & {"INTERVAL", "COUNT"}:
        hint = "add 'since', the date of the first time"
        raise WindowError(f"{rule!r} counts, and nothing says from when", place, hint)
    try:
        _rule(rule, _year(2026))
    except (ValueError, TypeError, KeyError) as error:
        hint = "write a rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=FR"
        raise WindowError(f"{rule!r} is not a recurrence: {error}", place, hint) from error
    return rule


@cache
def _rule(text: str, start: datetime) -> Any:
    from dateutil.rrule import rrulestr

    return rrulestr(text, dtstart=start)


def _year(year: int) -> datetime:
    return datetime(year, 1, 1)  # noqa: DTZ001 - local to the window's zone


def _clock(value: Any, at: tuple[str | int, ...]) -> time:
    text = str(value)
    match = _CLOCK.match(text)
    if text == "24:00":
        return time()
    if match is None:
        raise WindowError(f"{value!r} is not a time of day", at, 'write it in quotes, as "09:00"')
    return time(int(match[1]), int(match[2]))


def _moment(value: Any, at: tuple[str | int, ...], *, closing: bool = False) -> datetime:
    """Return a local moment; a date alone is its first moment, or the one after its last."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        hint = "write a date such as 2026-12-18, or a time such as 2026-12-18T17:00"
        raise WindowError(f"{value!r} is not a date", at, hint) from error
    if moment.tzinfo is not None:
        raise WindowError(f"{value!r} has an offset of its own", at, "leave it out; 'timezone' says where it is")
    return moment + _DAY if closing and len(str(value)) <= len("2026-12-18") else moment


def _first(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _last(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone, fold=1).astimezone(UTC)
