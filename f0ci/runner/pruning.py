"""Forgetting runs that are over."""

from __future__ import annotations

from datetime import datetime

from f0ci.runner.journal import Journal
from f0ci.runner.runs import OVER, RunRow, list_runs

# runs forgotten in one change: other commands on the journal wait so long at most
AT_ONCE = 200
_TABLES = ("steps", "attempts", "changes", "signals", "runs")


def prunable(journal: Journal, before: datetime) -> tuple[RunRow, ...]:
    """Return the runs that were over before a moment, oldest first; what waits or can go on is never among them."""
    over = (row for row in list_runs(journal, ended_before=before, limit=-1) if row.state in OVER)
    # a promotion that went on made another run
    left = (row for row in list_runs(journal, state="stopped", limit=-1) if row.promotion and row.created < before)
    return tuple(sorted((*over, *left), key=lambda row: row.number))


def prune(journal: Journal, before: datetime) -> tuple[RunRow, ...]:
    """Forget the runs that were over before a moment, with all that is recorded of them, and return them.

    Plans that no run follows any more go with them. The file keeps its size, and new runs use the room.

    Raises:
        JournalError: the journal cannot be written; what is forgotten by then stays forgotten.
    """
    rows = prunable(journal, before)
    for start in range(0, len(rows), AT_ONCE):
        runs = [(row.run,) for row in rows[start : start + AT_ONCE]]
        with journal.transaction() as connection:
            for table in _TABLES:
                connection.executemany(f"DELETE FROM {table} WHERE run = ?", runs)  # noqa: S608 - tables are ours
            connection.execute("DELETE FROM plans WHERE plan NOT IN (SELECT plan FROM runs)")
    return rows
