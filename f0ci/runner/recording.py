"""What a run writes into the journal while it runs, and reads back when it goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any, Protocol

from f0ci.core.outcome import Outcome
from f0ci.core.values import dataclass
from f0ci.recipes.records import RunRecord, StepRecord
from f0ci.runner.context import Change, Context
from f0ci.runner.journal import Journal, JournalError
from f0ci.runner.recalling import Recalled, moment_of, recall_steps
from f0ci.runner.sealing import Sealer, storable
from f0ci.runner.steps.base import Signal, StepResult

# seconds by which the time that a killed run was carried on may be short
COUNTING = 0.5
_STEP = (
    "INSERT INTO steps (run, path, round, kind, outcome, started) VALUES (?, ?, ?, ?, 'running', ?)"
    " ON CONFLICT (run, path, round) DO UPDATE SET outcome = 'running' WHERE steps.outcome IN ('running', 'waiting')"
)
_OVER = (
    "INSERT INTO steps (run, path, round, kind, outcome, position, attempts, started, ended, seconds, message, outputs,"
    " output, next_check) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (run, path, round) DO UPDATE SET outcome = excluded.outcome, position = excluded.position,"
    " attempts = excluded.attempts, started = CASE excluded.outcome WHEN 'waiting'"
    " THEN max(coalesce(steps.started, 0), excluded.started) ELSE coalesce(steps.started, excluded.started) END,"
    " ended = excluded.ended,"
    " seconds = excluded.seconds, message = excluded.message, outputs = excluded.outputs, output = excluded.output,"
    " next_check = excluded.next_check WHERE steps.outcome IN ('running', 'waiting')"
)


class LostRun(JournalError):
    """Another command carries the run on; this one must not."""


@dataclass(frozen=True, slots=True)
class Over:
    """A step to be recorded: over, or waiting.

    Attributes:
        path: its name; inside sub-recipes `parent/child`.
        kind: step type.
        result: how it ended, outputs unredacted.
        record: what the run record says of it.
    """

    path: str
    kind: str
    result: StepResult
    record: StepRecord


class Recorder(Protocol):
    """Where a run is recorded."""

    def record(self, round_: str, over: Sequence[Over], starting: Sequence[tuple[str, str]]) -> None:
        """Record steps that are over and steps that are about to start, in one change."""
        ...

    def attempt(self, path: str, round_: str, attempt: int, started: datetime, message: str) -> None:
        """Record a failed attempt that will be followed by another."""
        ...

    def recalled(self, path: str, round_: str) -> Recalled | None:
        """Return what an earlier process recorded of a step, or None."""
        ...

    def signals(self, path: str) -> tuple[Signal, ...]:
        """Return what was sent to a step, oldest first."""
        ...

    def cancel_asked(self) -> str | None:
        """Return why somebody wants the run to end, or None."""
        ...

    def finish(self, record: RunRecord, state: str, over: Sequence[Over]) -> None:
        """Record how the run stands when nobody carries it on any more, and steps that are not recorded yet."""
        ...


class NoRecorder:
    """Records nothing: the run lives and dies with its process."""

    def record(self, round_: str, over: Sequence[Over], starting: Sequence[tuple[str, str]]) -> None:
        """Record nothing."""

    def attempt(self, path: str, round_: str, attempt: int, started: datetime, message: str) -> None:
        """Record nothing."""

    def recalled(self, path: str, round_: str) -> Recalled | None:  # noqa: ARG002 - nothing was recorded
        """Return None."""
        return None

    def signals(self, path: str) -> tuple[Signal, ...]:  # noqa: ARG002 - nobody can send
        """Return nothing."""
        return ()

    def cancel_asked(self) -> str | None:
        """Return None."""
        return None

    def finish(self, record: RunRecord, state: str, over: Sequence[Over]) -> None:
        """Record nothing."""


@dataclass(slots=True)
class JournalRecorder:
    """Records one run in a journal; each call is one durable change.

    Attributes:
        journal: the journal.
        run: the run.
        context: whose changes are recorded along with the steps.
        sealer: keeps secrets out.
        fresh: True where no earlier process carried the run on.
        before: seconds that earlier processes carried it on.
        insert: makes the run's row, or None where it is there.
        now: seconds since the epoch.
    """

    journal: Journal
    run: str
    context: Context
    sealer: Sealer
    fresh: bool = True
    before: float = 0.0
    insert: Callable[[Any], None] | None = None
    now: Callable[[], float] = time.time
    _begun: float = field(default_factory=time.monotonic)
    _told: float = 0.0
    _position: int = 0
    _recalled: dict[tuple[str, str], Recalled] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.fresh:
            self._recalled = recall_steps(self.journal, self.run, self.sealer)
            self._position = sum(step.over for step in self._recalled.values())

    def record(self, round_: str, over: Sequence[Over], starting: Sequence[tuple[str, str]]) -> None:
        """Record steps that are over and steps that are about to start, in one change.

        Raises:
            LostRun: another command took the run over.
            JournalError: the journal cannot be written.
        """
        run, now = self.run, self.now()
        with self.journal.transaction() as connection:
            self._begin(connection)
            self._still_ours(connection)
            self._record_over(connection, round_, over)
            connection.executemany(_STEP, [(run, path, round_, kind, now) for path, kind in starting])
            self._record_changes(connection)

    def attempt(self, path: str, round_: str, attempt: int, started: datetime, message: str) -> None:
        """Record a failed attempt that will be followed by another."""
        with self.journal.transaction() as connection:
            self._still_ours(connection)
            connection.execute(
                "INSERT OR IGNORE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self.run, path, round_, attempt, started.timestamp(), self.now(), storable(message)),
            )
            self._record_changes(connection)

    def recalled(self, path: str, round_: str) -> Recalled | None:
        """Return what an earlier process recorded of a step, or None."""
        return self._recalled.get((path, round_))

    def signals(self, path: str) -> tuple[Signal, ...]:
        """Return what was sent to a step, oldest first."""
        rows = self.journal.rows(
            "SELECT kind, who, data, time FROM signals WHERE run = ? AND step = ? ORDER BY number", (self.run, path)
        )
        return tuple(Signal(kind, who, json.loads(data), moment_of(time)) for kind, who, data, time in rows)

    def cancel_asked(self) -> str | None:
        """Return why somebody wants the run to end, or None."""
        rows = self.journal.rows("SELECT cancel FROM runs WHERE run = ?", (self.run,))
        return rows[0][0] if rows else None

    def finish(self, record: RunRecord, state: str, over: Sequence[Over]) -> None:
        """Record how the run stands when nobody carries it on any more, and steps that are not recorded yet."""
        ended = state not in {"waiting", "stopped"}
        with self.journal.transaction() as connection:
            self._begin(connection)
            self._record_over(connection, "", over)
            self._record_changes(connection)
            changed = connection.execute(
                "UPDATE runs SET state = ?, message = ?, ended = ?, seconds = ?, next_check = ?, owner = NULL"
                " WHERE run = ? AND owner = ?",
                (
                    state,
                    storable(record.message),
                    self.now() if ended else None,
                    self.before + time.monotonic() - self._begun,
                    record.next_check.timestamp() if record.next_check and not ended else None,
                    self.run,
                    self.journal.liveness.owner,
                ),
            )
            _ours(changed.rowcount, self.run)

    def _begin(self, connection: Any) -> None:
        """Make the run's row along with the first thing to record, where it is not there yet."""
        if self.insert is not None:
            self.insert(connection)
            self.insert = None

    def _record_over(self, connection: Any, round_: str, over: Sequence[Over]) -> None:
        for step in over:
            self._position += 1
            changed = connection.execute(_OVER, self._row(round_, step))
            if changed.rowcount != 1:
                raise LostRun(f"step {step.path!r} of run {self.run!r} is recorded already", "start the command again")

    def _still_ours(self, connection: Any) -> None:
        seconds, owner = time.monotonic() - self._begun, self.journal.liveness.owner
        if seconds - self._told < COUNTING:
            # writing the time at every step costs a page of the journal
            found = connection.execute("SELECT 1 FROM runs WHERE run = ? AND owner = ?", (self.run, owner)).fetchone()
            _ours(int(found is not None), self.run)
            return
        self._told = seconds
        values = (self.before + seconds, self.run, owner)
        _ours(connection.execute("UPDATE runs SET seconds = ? WHERE run = ? AND owner = ?", values).rowcount, self.run)

    def _row(self, round_: str, step: Over) -> tuple[Any, ...]:
        record, result = step.record, step.result
        waits = record.outcome is Outcome.WAITING
        return (
            self.run,
            step.path,
            round_,
            step.kind,
            str(record.outcome),
            None if waits else self._position,
            record.attempts,
            self._started(round_, step),
            None if waits or record.ended is None else self.now(),
            record.seconds,
            storable(record.message),
            self.sealer.seal(dict(result.outputs)) if result.outputs else "{}",
            storable(record.output),
            result.next_check.timestamp() if result.next_check else None,
        )

    def _started(self, round_: str, step: Over) -> float | None:
        """Return when a step began, for a row that its start did not make: finer than the whole second it knows."""
        if step.record.started is None:
            return None
        second = step.record.started.timestamp()
        return second if (step.path, round_) in self._recalled else max(second, min(self.now(), second + 0.999))

    def _record_changes(self, connection: Any) -> None:
        changes = self.context.take_changes()
        if changes:
            connection.executemany(
                "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", list(self._change_rows(changes))
            )

    def _change_rows(self, changes: Iterable[Change]) -> Iterable[tuple[Any, ...]]:
        for change in changes:
            value = self.sealer.seal_text(change.after)
            step, attempt = change.step, change.attempt
            key = self.sealer.seal_name(change.key)
            who = None if change.who is None else self.sealer.seal_name(change.who)
            yield self.run, change.number, key, value, who, step, attempt, change.time, change.conflict


def _ours(changed: int, run: str) -> None:
    if changed != 1:
        raise LostRun(
            f"another command carries run {run!r} on", "leave it to that one; see `f0ci runs show " + run + "`"
        )
