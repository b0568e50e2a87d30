"""Runs that a journal knows, and their contexts, as functions for people who embed f0ci."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from f0ci.commands.engines import Place, engine_of, forget_turns, place_of
from f0ci.commands.running import open_journal
from f0ci.core.clock import SystemClock
from f0ci.core.errors import Refused
from f0ci.runner.context import Change, to_text
from f0ci.runner.history import RunHistory, context_history, context_of, context_value, history_of
from f0ci.runner.journal import Journal
from f0ci.runner.recalling import moment_of
from f0ci.runner.runs import RunRow, claim, get_run, list_runs, recalled_changes, release

EPOCH = moment_of(0.0)


def known_runs(
    root: Path,
    *,
    journal: Place | None = None,
    state: str | None = None,
    recipe: str | None = None,
    limit: int = 50,
) -> tuple[RunRow, ...]:
    """Return runs, newest first; none where nothing was ever run.

    Args:
        root: the work tree.
        journal: file of the journal, or a database's address; None is what `f0ci.yaml` says, else the work tree's file.
        state: only those in this state.
        recipe: only those of this file.
        limit: how many at most.
    """
    place = place_of(root, journal)
    if journal is None and isinstance(place, Path) and not place.exists():
        return ()
    with open_journal(root, place) as opened:
        return list_runs(opened, state=state, recipe=recipe, limit=limit)


def known_run(root: Path, run: str, *, journal: Place | None = None) -> RunRow:
    """Return a run, named by its id or the beginning of one.

    Raises:
        UsageError: there is no such run.
    """
    with open_journal(root, journal) as opened:
        return get_run(opened, run)


def show_run(root: Path, run: str, *, journal: Place | None = None) -> RunHistory:
    """Return everything that is known of a run, named by its id or the beginning of one.

    Raises:
        UsageError: there is no such run.
    """
    with open_journal(root, journal) as opened:
        return history_of(opened, run)


def send(
    root: Path,
    run: str,
    step: str,
    kind: str,
    *,
    who: str | None = None,
    data: Any = None,
    key: str | None = None,
    journal: Place | None = None,
) -> bool:
    """Send something to a step that waits, or will; return False where the same key was sent before.

    Args:
        root: the work tree.
        run: the run.
        step: path of the step.
        kind: `approve`, `reject` or `event`.
        who: the sender.
        data: a reason; for an event `{"name": ..., "data": ...}`.
        key: makes sending it twice the same as once.
        journal: file of the journal, or a database's address; None is what `f0ci.yaml` says, else the work tree's file.

    Raises:
        UsageError: there is no such run or step, or the step waits for nothing of the kind.
        Refused: the run, or the step, is over.
    """
    with open_journal(root, journal) as opened:
        return engine_of(opened, run).send(run, step, kind, who=who, data=data, key=key)


def cancel(root: Path, run: str, reason: str, *, journal: Place | None = None) -> RunRow:
    """Have a run end: one that waits is over at once, one that somebody carries on within seconds.

    Raises:
        UsageError: there is no such run.
    """
    with open_journal(root, journal) as opened:
        return engine_of(opened, run).cancel(run, reason)


def prune(
    root: Path, older_than: timedelta, *, dry_run: bool = False, journal: Place | None = None
) -> tuple[RunRow, ...]:
    """Forget runs that have been over for some time, and return them; what waits or can go on is never forgotten.

    Args:
        root: the work tree.
        older_than: since when they are over.
        dry_run: only return them.
        journal: file of the journal, or a database's address; None is what `f0ci.yaml` says, else the work tree's file.

    Raises:
        InputError: there is no journal.
    """
    from f0ci.runner import pruning

    now = SystemClock().exact()
    # no run is older than the epoch, and dates end somewhere
    before = now - min(older_than, now - EPOCH)
    with open_journal(root, journal) as opened:
        if dry_run:
            return pruning.prunable(opened, before)
        rows = pruning.prune(opened, before)
        forget_turns(opened, [row.run for row in rows])
        return rows


def get_context(root: Path, run: str, key: str | None = None, *, journal: Place | None = None) -> Any:
    """Return one value of a run's context, or all of them by key.

    Raises:
        UsageError: there is no such run, or key.
    """
    with open_journal(root, journal) as opened:
        return context_of(opened, run) if key is None else context_value(opened, run, key)


def get_context_history(root: Path, run: str, *, journal: Place | None = None) -> list[Change]:
    """Return the changes of a run's context, oldest first.

    Raises:
        UsageError: there is no such run.
    """
    with open_journal(root, journal) as opened:
        return context_history(opened, run)


def set_context(
    root: Path, run: str, key: str, value: Any, *, who: str | None = None, journal: Place | None = None
) -> None:
    """Give a key of a run's context a value, for the steps to come.

    Raises:
        UsageError: there is no such run.
        Refused: the run is over, or somebody carries it on.
    """
    text = to_text(key, value)
    with open_journal(root, journal) as opened, _claimed(opened, run) as row:
        changes = recalled_changes(opened, row.run)
        number = changes[-1].number + 1 if changes else 1
        with opened.transaction() as connection:
            connection.execute(
                "INSERT INTO changes (run, number, key, value, who, time) VALUES (?, ?, ?, ?, ?, ?)",
                (row.run, number, key, text, who, time.time()),
            )


@contextmanager
def _claimed(journal: Journal, run: str) -> Iterator[RunRow]:
    row = claim(journal, run)
    if row.is_over:
        raise Refused(f"run {row.run!r} is over: {row.state}", "its context stays as it is")
    try:
        yield row
    finally:
        release(journal, row.run, row.state)


def read_value(text: str) -> Any:
    """Return what somebody typed as a value: JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
