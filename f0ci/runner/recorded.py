"""Runs as the journal holds them."""

from __future__ import annotations

from typing import Any

from f0ci.core.outcome import Outcome
from f0ci.recipes.records import RunRecord
from f0ci.runner.journal import Journal
from f0ci.runner.recalling import recall_steps
from f0ci.runner.runs import RunRow, ask_to_cancel, list_runs
from f0ci.runner.sealing import Sealer, masked


def recorded(journal: Journal, row: RunRow) -> RunRecord:
    """Return the record of a run as the journal holds it, a mask in place of secrets."""
    steps = recall_steps(journal, row.run, _Masking())
    word = row.state.upper()
    outcome = Outcome[word] if word in Outcome.__members__ else Outcome.ERRORED if row.is_over else Outcome.WAITING
    top = [step.record for (path, _), step in steps.items() if "/" not in path]
    ran = [record for record in top if record.outcome is not Outcome.SKIPPED]
    return RunRecord(
        run=row.run,
        recipe=row.recipe,
        outcome=outcome,
        started=row.created,
        ended=row.ended,
        seconds=row.seconds,
        message=row.message,
        environment=row.environment,
        release=row.release,
        parameters=masked(row.parameters),
        steps=(*ran, *(record for record in top if record.outcome is Outcome.SKIPPED)),
        next_check=row.next_check,
    )


class RecordedRuns:
    """What an engine says and does of runs that needs nothing but the journal.

    Args:
        journal: the journal.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def cancel(self, run: str, reason: str) -> RunRow:
        """Have a run end; see `Engine`."""
        return ask_to_cancel(self._journal, run, reason)

    def list(self, *, state: str | None = None, recipe: str | None = None, limit: int = 50) -> tuple[RunRow, ...]:
        """Return runs, newest first."""
        return list_runs(self._journal, state=state, recipe=recipe, limit=limit)

    def record(self, row: RunRow) -> RunRecord:
        """Return the record of a run as the journal holds it, a mask in place of secrets."""
        return recorded(self._journal, row)


class _Masking(Sealer):
    """Puts a mask in place of every secret."""

    def unseal(self, text: str) -> Any:
        return masked(text)
