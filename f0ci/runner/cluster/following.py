"""Looking on while workers carry a run on: what they record, told as events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from f0ci.core.outcome import Outcome
from f0ci.runner.cluster.fleet import list_workers
from f0ci.runner.events import Event, Listener, StepEnded, StepNoted, StepRetried, StepSkipped, StepStarted, StepWaiting
from f0ci.runner.recalling import moment_of
from f0ci.runner.runs import RunRow, get_run

if TYPE_CHECKING:
    from f0ci.runner.cluster.journal import PostgresJournal

# seconds between two looks: the first ones come quickly, for runs that are over at once
FIRST, LATER = 0.02, 0.5
# seconds in the queue after which it is worth saying that nobody takes runs from it
UNATTENDED = 3.0
# states in which a run needs nobody to look on any more, beside those in which it is over
_RESTING = frozenset({"waiting"})
_STEPS = (
    "SELECT path, round, kind, outcome, attempts, started, ended, seconds, message, next_check FROM steps WHERE run = ?"
    " ORDER BY started, position"
)
_ATTEMPTS = "SELECT path, round, attempt, message FROM attempts WHERE run = ? ORDER BY started"


def follow(
    journal: PostgresJournal, run: str, on_event: Listener | None = None, patience: float | None = None
) -> RunRow:
    """Look on until a run is over or waits, or patience is, and return its row.

    Args:
        journal: the database.
        run: the run.
        on_event: told of what workers record, about twice a second.
        patience: seconds, or None.
    """
    try:
        return _look_on(journal, run, on_event, patience)
    except KeyboardInterrupt:
        if on_event is not None:
            on_event(StepNoted(f"run {run}", "queue", f"it goes on; look on again: f0ci run --resume {run}"))
        raise


def _look_on(journal: PostgresJournal, run: str, on_event: Listener | None, patience: float | None) -> RunRow:
    begun, pause, told, warned = time.monotonic(), FIRST, _Told(), False
    while True:
        row = get_run(journal, run)
        if on_event is not None:
            for event in told.news(journal.rows(_STEPS, (run,)), journal.rows(_ATTEMPTS, (run,))):
                on_event(event)
        waited = time.monotonic() - begun
        if row.is_over or row.state in _RESTING or (patience is not None and waited >= patience):
            return row
        if not warned and row.state == "queued" and waited >= UNATTENDED and on_event is not None:
            warned = True
            text = unattended(journal, run)
            if text:
                on_event(StepNoted(f"run {run}", "queue", text))
        time.sleep(pause)
        pause = min(LATER, pause * 1.5)


def unattended(journal: PostgresJournal, run: str) -> str:
    """Return what to say of a run in a queue that no living worker takes runs from; empty where one does."""
    found = journal.rows("SELECT queue FROM handed_over WHERE run = ?", (run,))
    if not found or any(worker.alive and found[0][0] in worker.queues for worker in list_workers(journal)):
        return ""
    return f"no worker takes runs from {found[0][0]!r} now; start one: f0ci worker --queue {found[0][0]}"


class _Told:
    """What was told of a run."""

    def __init__(self) -> None:
        self._steps: dict[tuple[str, str], str] = {}
        self._attempts: set[tuple[str, str, int]] = set()

    def news(self, steps: list[Any], attempts: list[Any]) -> list[Event]:
        """Return what is new in rows of steps and failed attempts."""
        found: list[Event] = []
        for path, round_, kind, word, tries, started, _ended, seconds, message, check in steps:
            before, self._steps[path, round_] = self._steps.get((path, round_)), word
            if word == before:
                continue
            if word == "skipped":
                found.append(StepSkipped(path, message))
                continue
            if before is None and started is not None:
                found.append(StepStarted(path, kind, moment_of(started)))
            if word == "waiting":
                found.append(StepWaiting(path, message, None if check is None else moment_of(check)))
            elif word != "running":
                found.append(StepEnded(path, Outcome[word.upper()], tries, seconds, message))
        for path, round_, attempt, message in attempts:
            if (path, round_, attempt) not in self._attempts:
                self._attempts.add((path, round_, attempt))
                found.append(StepRetried(path, attempt, attempt + 1, 0.0, message))
        return found
