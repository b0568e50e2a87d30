"""One run as the journal tells it: its record, when each step ran, what failed before, what was sent, its context."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from f0ci.core.clock import format_exact, format_time
from f0ci.core.errors import UsageError
from f0ci.core.suggestions import did_you_mean
from f0ci.recipes.records import RunRecord, to_json
from f0ci.runner.context import Change
from f0ci.runner.journal import Journal
from f0ci.runner.recalling import moment_of
from f0ci.runner.recorded import recorded
from f0ci.runner.runs import RunRow, get_run, recalled_changes
from f0ci.runner.sealing import masked
from f0ci.runner.steps.base import as_variable


@dataclass(frozen=True, slots=True)
class StepTime:
    """When a step ran.

    Attributes:
        path: its name; inside sub-recipes `parent/child`.
        kind: step type.
        outcome: how it ended; `running` or `waiting` where it is not over.
        started: when its first attempt began, or None where it did not run.
        ended: when it was over, or None.
        seconds: time of its attempts and the waits between them, 0 or more.
        attempts: how often it was tried.
        message: why it ended so.
        next_check: when a waiting step may go on by itself, or None.
    """

    path: str
    kind: str
    outcome: str
    started: datetime | None
    ended: datetime | None
    seconds: float
    attempts: int
    message: str
    next_check: datetime | None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return {
            "path": self.path,
            "kind": self.kind,
            "outcome": self.outcome,
            "started": None if self.started is None else format_exact(self.started),
            "ended": None if self.ended is None else format_exact(self.ended),
            "seconds": round(self.seconds, 6),
            "attempts": self.attempts,
            "message": self.message,
            "next_check_at": None if self.next_check is None else format_time(self.next_check),
        }


@dataclass(frozen=True, slots=True)
class RunHistory:
    """Everything that a journal knows of a run.

    Attributes:
        row: the run.
        record: its record.
        timeline: its steps in the order they began; those that did not run last.
        attempts: attempts that failed and were followed by another, as plain data.
        signals: what was sent to its steps, as plain data.
    """

    row: RunRow
    record: RunRecord
    timeline: tuple[StepTime, ...]
    attempts: tuple[dict[str, Any], ...]
    signals: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return {
            "version": 1,
            **self.row.to_json(),
            "record": to_json(self.record),
            "timeline": [step.to_json() for step in self.timeline],
            "attempts": list(self.attempts),
            "signals": list(self.signals),
        }


def history_of(journal: Journal, run: str) -> RunHistory:
    """Return everything that a journal knows of a run, a mask in place of secrets.

    Raises:
        UsageError: there is no such run.
    """
    row = get_run(journal, run)
    steps = journal.rows(
        "SELECT path, kind, outcome, started, ended, seconds, attempts, message, next_check FROM steps WHERE run = ?"
        " ORDER BY attempts = 0 AND outcome NOT IN ('running', 'waiting'), started, position",
        (row.run,),
    )
    attempts = journal.rows(
        "SELECT path, attempt, started, ended, message FROM attempts WHERE run = ? ORDER BY started", (row.run,)
    )
    signals = journal.rows("SELECT step, kind, who, data, time FROM signals WHERE run = ? ORDER BY number", (row.run,))
    return RunHistory(
        row,
        recorded(journal, row),
        tuple(_step(row, *values) for values in steps),
        tuple(
            {"path": path, "attempt": attempt, "started": _text(began), "ended": _text(ended), "message": message}
            for path, attempt, began, ended, message in attempts
        ),
        tuple(
            {"step": step, "kind": kind, "who": who, "data": json.loads(data), "time": _text(time)}
            for step, kind, who, data, time in signals
        ),
    )


def _text(moment: float) -> str:
    return format_exact(moment_of(moment))


def _step(row: RunRow, path: str, kind: str, outcome: str, *rest: Any) -> StepTime:
    started, ended, seconds, attempts, message, check = rest
    ran = attempts > 0 or outcome in {"running", "waiting"}
    if outcome == "running" and row.state != "running":
        outcome = "stopped"
    return StepTime(
        path,
        kind,
        outcome,
        moment_of(started) if ran and started is not None else None,
        moment_of(ended) if ran and ended is not None else None,
        seconds,
        attempts,
        message,
        None if check is None else moment_of(check),
    )


def context_of(journal: Journal, run: str) -> dict[str, Any]:
    """Return the values of a run's context by key, a mask in place of secrets.

    Raises:
        UsageError: there is no such run.
    """
    row = get_run(journal, run)
    values: dict[str, Any] = masked(row.values)
    for change in recalled_changes(journal, row.run):
        values[change.key] = json.loads(change.after)
    return values


def context_value(journal: Journal, run: str, key: str) -> Any:
    """Return one value of a run's context.

    Raises:
        UsageError: there is no such run, or key.
    """
    values = context_of(journal, run)
    if key not in values:
        raise UsageError(f"the context of run {run!r} has no {key!r}", did_you_mean(key, list(values), noun="it has"))
    return values[key]


def context_history(journal: Journal, run: str) -> list[Change]:
    """Return the changes of a run's context, oldest first.

    Raises:
        UsageError: there is no such run.
    """
    return recalled_changes(journal, get_run(journal, run).run)


def as_csv(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table as CSV (RFC 4180); values that are not text stand as JSON."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows([as_variable(value) for value in row] for row in rows)
    return text.getvalue()
