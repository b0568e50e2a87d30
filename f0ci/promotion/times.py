"""Time as a ledger sees it: machines' clocks differ a little, and time never runs backwards in a record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from f0ci.core.clock import format_time
from f0ci.core.duration import format_duration
from f0ci.core.errors import CannotWork
from f0ci.promotion.events import Event

# clocks of machines that ask a time server differ by far less
SKEW = timedelta(minutes=5)
# a decision is written within this time after it was made
PROMPTLY = timedelta(minutes=10) + SKEW


def event_time(now: datetime, events: Sequence[Event]) -> datetime:
    """Return the time of a new event: never before the newest one, as long as clocks differ by no more than `SKEW`.

    A clock that is further behind is recorded as it is, so that one wrong machine cannot move the time of all others.
    """
    newest = events[-1].time if events else now
    return newest if now < newest <= now + SKEW else now


def decision_time(now: datetime, events: Sequence[Event], environment: str) -> datetime:
    """Return the moment at which gates and windows are judged; pure.

    Raises:
        CannotWork: this machine's clock is behind what the ledger has seen, so that nothing could be judged by it.
    """
    newest = events[-1].time if events else now
    if newest > now + SKEW:
        raise CannotWork(
            f"this machine's clock says {format_time(now)}, {format_duration(newest - now)} before the newest event "
            f"of {environment!r}",
            "set the clock right; if the newest event's writer was wrong, any new event, such as that of "
            f"`f0ci hold {environment}` and `f0ci unhold {environment}`, gives the ledger the right time again",
        )
    return event_time(now, events)
