"""Options that take a span of time: `30m`, `1h30m`, `90s`, or a plain number of seconds."""

from __future__ import annotations

import re
from datetime import timedelta

import click

_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")


class Duration(click.ParamType[timedelta]):
    """A span of time; what somebody types becomes a `timedelta`.

    Args:
        empty: True where it may be no time at all.
    """

    name = "duration"

    def __init__(self, *, empty: bool = True) -> None:
        self._empty = empty

    def convert(self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the span of time that a text names; anything else is wrong usage."""
        if isinstance(value, timedelta):
            return value
        from f0ci.core.duration import parse_duration

        text = value.strip()
        try:
            span = parse_duration(f"{text}s" if _NUMBER.fullmatch(text) else text)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not (self._empty or span):
            self.fail(f"{value!r} is no time at all; write one such as 30m", param, ctx)
        return span


DURATION = Duration()
SOME_TIME = Duration(empty=False)
