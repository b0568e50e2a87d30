"""How a run goes, while it goes: a tree of steps on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from f0ci.cli.output import colour, say
from f0ci.core.outcome import Outcome

_MARKS = {"passed": "[green]✓[/]", "failed": "[red]✗[/]", "errored": "[red]![/]", "skipped": "[bright_black]-[/]"}


@contextmanager
def progress(title: str, *, live: bool | None = None) -> Iterator[Callable[[Any], None]]:
    """Give a listener that shows what happens on stderr.

    Args:
        title: what runs.
        live: draw a tree that changes; by default where stderr is a terminal.
    """
    if not (sys.stderr.isatty() if live is None else live):
        yield show_line
        return
    from rich.console import Console
    from rich.live import Live

    tree = _Tree(title)
    with Live(tree, console=Console(stderr=True), refresh_per_second=8):
        yield tree.tell


def show_line(event: Any) -> None:
    """Print an event in words to stderr."""
    text = describe(event)
    if text:
        say(text)


def describe(event: Any) -> str | None:
    """Return an event of a run in words, or None where it is not worth a line."""
    kind = type(event).__name__
    if kind == "StepStarted":
        return f"> {event.step}"
    if kind == "StepRetried":
        again = f"; again in {event.delay:.1f} s" if event.delay else ""
        return f"~ {event.step}: try {event.attempt} of {event.attempts} failed: {event.message}{again}"
    if kind == "StepEnded":
        message = f": {event.message}" if event.message and event.outcome is not Outcome.PASSED else ""
        return f"{colour(str(event.outcome))} {event.step} ({event.seconds:.1f} s){message}"
    if kind == "StepSkipped":
        return f"{colour('skipped')} {event.step}: {event.reason}"
    if kind == "StepWaiting":
        return f"{colour('waiting')} {event.step} {event.message}"
    return f"note {event.step}: {event.text}" if kind == "StepNoted" else None


class _Tree:
    """Steps as they stand, drawn by rich whenever it refreshes."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._lock = threading.Lock()
        self._states: dict[str, tuple[str, str]] = {}
        self._begun: dict[str, float] = {}

    def tell(self, event: Any) -> None:
        kind, step = type(event).__name__, event.step
        with self._lock:
            if kind == "StepStarted":
                self._begun[step] = time.monotonic()
                self._states[step] = ("running", "")
            elif kind == "StepRetried":
                self._states[step] = ("running", f"try {event.attempt} of {event.attempts} failed: {event.message}")
            elif kind == "StepEnded":
                self._begun.pop(step, None)
                bad = event.outcome is not Outcome.PASSED
                tries = f", {event.attempts} tries" if event.attempts > 1 else ""
                words = f": {event.message}" if bad and event.message else ""
                self._states[step] = (str(event.outcome), f"{event.seconds:.1f} s{tries}{words}")
            elif kind == "StepSkipped":
                self._states[step] = ("skipped", event.reason)
            elif kind == "StepWaiting":
                self._begun.pop(step, None)
                self._states[step] = ("waiting", event.message)
            elif kind == "StepNoted" and step in self._states:
                self._states[step] = (self._states[step][0], event.text)

    def __rich__(self) -> Any:
        from rich.markup import escape
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text
        from rich.tree import Tree

        with self._lock:
            states, begun = dict(self._states), dict(self._begun)
        root = Tree(Text(self._title, style="bold"))
        branches: dict[str, Any] = {}
        for step, (state, words) in states.items():
            parent, _, name = step.rpartition("/")
            line = Table.grid(padding=(0, 1))
            mark: Any = Spinner("dots") if state == "running" else _MARKS.get(state, "[yellow]…[/]")
            since = f"{time.monotonic() - begun[step]:.0f} s " if step in begun else ""
            line.add_row(mark, escape(name), f"[bright_black]{since}{escape(words)}[/]")
            branches[step] = branches.get(parent, root).add(line)
        return root
