"""What a run that goes on reads back of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from f0ci.core.outcome import Outcome
from f0ci.core.values import dataclass
from f0ci.recipes.records import StepRecord
from f0ci.runner.journal import Journal
from f0ci.runner.sealing import Sealer
from f0ci.runner.steps.base import StepResult


@dataclass(frozen=True, slots=True)
class Recalled:
    """A step as the journal holds it.

    Attributes:
        result: how it ended; for a step that is not over, nothing is known.
        record: what the run record says of it.
        over: True where it is over and must not run again.
        attempts: attempts that failed before.
        since: when its first attempt began, or None.
        position: order in which the steps ended; 0 for one that is not over.
    """

    result: StepResult
    record: StepRecord
    over: bool
    attempts: int
    since: datetime | None
    position: int = 0


def recall_steps(journal: Journal, run: str, sealer: Sealer) -> dict[tuple[str, str], Recalled]:
    """Return the steps that a journal holds of a run, by path and round, in the order they ended.

    Raises:
        InputError: an output holds a secret that was not given again.
    """
    failed: dict[tuple[str, str], int] = {}
    for path, round_, count in journal.rows(
        "SELECT path, round, max(attempt) FROM attempts WHERE run = ? GROUP BY path, round", (run,)
    ):
        failed[path, round_] = count
    rows = journal.rows(
        "SELECT path, round, outcome, attempts, started, ended, seconds, message, outputs, output, position FROM steps"
        " WHERE run = ? ORDER BY position IS NULL, position",
        (run,),
    )
    found: dict[tuple[str, str], Recalled] = {}
    for path, round_, word, attempts, started, ended, seconds, message, outputs, output, position in rows:
        over = word not in {"running", "waiting"}
        outcome = Outcome[word.upper()] if over else Outcome.WAITING
        known: Mapping[str, Any] = sealer.unseal(outputs)
        began = None if started is None else moment_of(started)
        record = StepRecord(
            name=path.rpartition("/")[2],
            outcome=outcome,
            attempts=attempts,
            started=began if attempts else None,
            ended=None if ended is None else moment_of(ended),
            seconds=seconds,
            message=message,
            outputs=known,
            output=output,
        )
        result = StepResult(outcome, message, outputs=known)
        since = None if began is None else began.replace(microsecond=0)
        found[path, round_] = Recalled(result, record, over, failed.get((path, round_), 0), since, position or 0)
    return _nested(found)


def _nested(found: dict[tuple[str, str], Recalled]) -> dict[tuple[str, str], Recalled]:
    """Return the steps with those of sub-recipes inside the step that called them, of its last attempt."""
    children: dict[tuple[str, str], list[str]] = {}
    for path, round_ in found:
        parent = path.rpartition("/")[0]
        if parent:
            children.setdefault((parent, round_), []).append(path)
    # the innermost first
    for path, round_ in sorted(found, key=lambda key: -key[0].count("/")):
        step = found[path, round_]
        inside = f"{round_}.{step.record.attempts}" if round_ else str(step.record.attempts)
        below = [found[child, inside] for child in children.get((path, inside), ())]
        if below:
            # those that never ran last, as a record has them
            ran = [one.record for one in below if one.record.outcome is not Outcome.SKIPPED]
            steps = (*ran, *(one.record for one in below if one.record.outcome is Outcome.SKIPPED))
            found[path, round_] = replace(step, record=replace(step.record, steps=steps))
    return found


def moment_of(seconds: float) -> datetime:
    """Return the moment that a time of the journal names."""
    return datetime.fromtimestamp(seconds, UTC)
