"""Printing: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from f0ci.cli.width import print_line, terminal_width
from f0ci.core.errors import InputError
from f0ci.source.project import find_root

if TYPE_CHECKING:
    from f0ci.promotion.explaining import Condition
    from f0ci.promotion.going_on import Way

F = TypeVar("F", bound=Callable[..., Any])

STATE_COLOURS = {
    "succeeded": "green",
    "passed": "green",
    "waiting": "yellow",
    "stopped": "yellow",
    "cancelled": "red",
    "running": "cyan",
    "requested": "yellow",
    "held": "yellow",
    "verifying": "cyan",
    "deploying": "cyan",
    "skipped": "bright_black",
    "refused": "red",
    "rolled_back": "magenta",
    "failed": "red",
    "errored": "red",
    "in_sync": "green",
    "drifted": "red",
    "unknown": "yellow",
}

# what ends a condition that is no gate
_UNTIL = {
    "request": "somebody requests it",
    "ended": "somebody requests it again",
    "quarantine": "its quarantine is lifted",
    "hold": "the hold is lifted",
    "queue": "the promotion before it ended",
    "deploying": "it is taken further",
    "verifying": "it is taken further",
}


def format_option(*formats: str) -> Callable[[F], F]:
    """Return the option `--format` with some formats, the first of which is the default."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="How to print the result.",
    )


def root_of(ctx: click.Context) -> Path:
    """Return the repository's root that a command works on.

    Raises:
        InputError: the folder given with `-C` does not exist.
    """
    directory: Path = ctx.find_root().obj or Path()
    if not directory.is_dir():
        raise InputError(f"there is no folder {str(directory)!r}", "check the path given with -C")
    return find_root(directory)


def print_json(data: Any) -> None:
    """Print a value as JSON to stdout."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def say(text: str) -> None:
    """Tell the user how things go, on stderr."""
    click.echo(text, err=True)


def colour(state: str) -> str:
    """Return a state in its colour; click removes it where stdout is no terminal."""
    return click.style(state, fg=STATE_COLOURS.get(state))


def wants_colour() -> bool:
    """Tell whether stdout is a terminal whose user wants colour."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def print_ways(ways: Iterable[Way], before: str) -> None:
    """Print what a person does next, each command on a line of its own, to be copied.

    Args:
        ways: the ways to go on.
        before: what each line begins with.
    """
    width = terminal_width()
    for way in ways:
        line = f"{before}next{', ' + way.when if way.when else ''}: {way.commands[0]}"
        if len(way.commands) == 1 and (not way.when or width is None or len(line) <= width):
            click.echo(line)
            continue
        print_line(f"{before}next, {way.when}:")
        for command in way.commands:
            click.echo(f"{before}  {command}")


def once_met(conditions: Sequence[Condition]) -> str:
    """Return what has to be met besides the time, as the end of a sentence."""
    kinds = dict.fromkeys(one.what for one in conditions)
    gates = [kind for kind in kinds if kind not in _UNTIL]
    parts = [_UNTIL[kind] for kind in kinds if kind in _UNTIL]
    parts += [f"{' and '.join(gates)} {'are' if len(gates) > 1 else 'is'} met"] if gates else []
    return f", once {' and '.join(parts)}" if parts else ""
