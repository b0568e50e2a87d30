"""Options that take a span of time: `30m`, `1h30m`, `90s`, or a plain number of seconds."""

from __future__ import annotations

import re
from datetime import timedelta

import click

_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")


class Duration(click.ParamType[timedelta]):
    """A span of time; what somebody types becomes a `timedelta`."""

    name = "duration"

    def convert(self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the span of time that a text names; anything else is wrong usage."""
        if isinstance(value, timedelta):
            return value
        from f0ci.core.duration import parse_duration

        text = value.strip()
        try:
            return parse_duration(f"{text}s" if _NUMBER.fullmatch(text) else text)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = Duration()
