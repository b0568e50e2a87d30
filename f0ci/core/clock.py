"""The time, as a value that decisions are given and never ask for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> datetime:
        """Return the present moment in UTC, as records hold it: whole seconds."""
        ...

    def exact(self) -> datetime:
        """Return the present moment in UTC, for questions about what happened up to now."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment in UTC, whole seconds."""
        return self.exact().replace(microsecond=0)

    def exact(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still, for decisions about another moment and for tests."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """Return the moment it was set to."""
        return self.moment

    def exact(self) -> datetime:
        """Return the moment it was set to."""
        return self.moment


def format_time(moment: datetime) -> str:
    """Return a moment as `2026-11-21T09:30:00Z` (UTC, whole seconds)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_exact(moment: datetime) -> str:
    """Return a moment as `2026-11-21T09:30:00.000125Z` (UTC, microseconds), for what is shorter than a second."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Return the moment an ISO 8601 text with an offset names, in UTC.

    Raises:
        ValueError: the text is not ISO 8601, or has no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text!r} has no offset from UTC")
    return moment.astimezone(UTC)
