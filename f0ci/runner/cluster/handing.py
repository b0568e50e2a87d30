"""Handing runs to workers: whatever makes a run go on, and its entry in the queue, are one change."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from f0ci.runner.cluster.liveness import living
from f0ci.runner.cluster.queues import APPLICATION, SCHEMA, VERSION, WORKFLOW, with_client
from f0ci.runner.runs import get_run

if TYPE_CHECKING:
    from f0ci.runner.cluster.journal import PostgresJournal

# runs that are put into queues in one change
AT_ONCE = 100
_ENQUEUE = (
    f"SELECT {SCHEMA}.enqueue_workflow(workflow_name => '{WORKFLOW}', queue_name => ?,"  # noqa: S608 - our own names
    " positional_args => (SELECT ARRAY[to_json(run), to_json(release), to_json(root)]::json[] FROM runs WHERE run = ?),"
    " workflow_id => ?,"
    f" app_version => '{VERSION}', priority => CAST(? AS INT4), application_name => '{APPLICATION}')"
)
_DUE = (
    "SELECT run FROM runs WHERE state = 'waiting' AND next_check <= extract(epoch FROM clock_timestamp())"  # noqa: S608 - a number of ours
    " AND EXISTS (SELECT 1 FROM handed_over WHERE handed_over.run = runs.run)"
    f" ORDER BY next_check LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED"
)
# not over, not waiting, and nothing in the queue will carry it on
_LOST = (
    "SELECT runs.run, owner FROM runs JOIN handed_over ON handed_over.run = runs.run"  # noqa: S608 - the schema is ours
    " WHERE ended IS NULL AND state IN ('running', 'queued', 'stopped') AND NOT EXISTS (SELECT 1"
    f" FROM {SCHEMA}.workflow_status WHERE workflow_uuid = runs.run || '#' || turn"
    f" AND status IN ('ENQUEUED', 'PENDING', 'DELAYED')) LIMIT {AT_ONCE} FOR UPDATE OF runs SKIP LOCKED"
)


def hand_over(connection: Any, run: str, queue: str, priority: int) -> None:
    """Put a run that nobody carries on into a queue for the first time; inside a transaction."""
    connection.execute(
        "INSERT INTO handed_over VALUES (?, ?, ?, 0) ON CONFLICT (run) DO NOTHING", (run, queue, priority)
    )
    next_turn(connection, run)


def next_turn(connection: Any, run: str) -> bool:
    """Put a run into its queue once more; inside a transaction; False where it was never handed over."""
    found = connection.execute(
        "UPDATE handed_over SET turn = turn + 1 WHERE run = ? RETURNING queue, priority, turn", (run,)
    ).fetchone()
    if found is None:
        return False
    queue, priority, turn = found
    connection.execute(_ENQUEUE, (queue, run, f"{run}#{turn}", priority))
    connection.execute(
        "UPDATE runs SET state = 'queued', owner = NULL, next_check = NULL WHERE run = ? AND ended IS NULL", (run,)
    )
    return True


def wake_if_waiting(connection: Any, run: str, state: str) -> None:
    """Let workers look at a run that something was sent to; one that goes on looks by itself."""
    if state == "waiting":
        next_turn(connection, run)


def wake_due(journal: PostgresJournal) -> int:
    """Put runs into their queues whose time has come, and return how many."""
    return _put_back(journal, _DUE)


def find_lost(journal: PostgresJournal) -> int:
    """Put runs into their queues that are not over, and that nothing would carry on; return how many.

    Those are the runs that a stopping worker gave back, and whatever a crash left between two records.
    """
    return _put_back(journal, _LOST)


def _put_back(journal: PostgresJournal, query: str) -> int:
    # most of the time there is nothing, and looking needs no change
    if not journal.rows(query):
        return 0
    with journal.transaction() as connection:
        rows = connection.execute(query).fetchall()
        owners = [row[1] for row in rows if len(row) > 1 and row[1]]
        alive = living(journal.rows, owners) if owners else set()
        runs = [row[0] for row in rows if len(row) == 1 or row[1] not in alive]
        for run in runs:
            next_turn(connection, run)
    return len(runs)


def end_run(journal: PostgresJournal, run: str, message: str) -> None:
    """Record that a run cannot be carried on; one that somebody has, or that is over, stays as it is."""
    row = get_run(journal, run)
    if row.is_over or row.state == "running":
        return
    with journal.transaction() as connection:
        connection.execute(
            "UPDATE runs SET state = 'errored', message = ?, ended = ?, next_check = NULL, owner = NULL"
            " WHERE run = ? AND ended IS NULL AND owner IS ?",
            (message, time.time(), row.run, row.owner),
        )


def is_handed_over(journal: Any, run: str) -> bool:
    """Tell whether workers carry a run on, named by its id or the beginning of one.

    Raises:
        UsageError: there is no such run.
    """
    row = get_run(journal, run)
    return bool(journal.rows("SELECT 1 FROM handed_over WHERE run = ?", (row.run,)))


def like(connection: Any, run: str, other: str) -> None:
    """Put a run into the queue of another, where that one was handed over; inside a transaction."""
    found = connection.execute("SELECT queue, priority FROM handed_over WHERE run = ?", (other,)).fetchone()
    if found is not None:
        hand_over(connection, run, *found)


def forget(journal: Any, runs: Sequence[str]) -> None:
    """Forget what the queues know of runs that are forgotten."""
    for start in range(0, len(runs), AT_ONCE):
        rows = journal.rows(
            "SELECT run, turn FROM handed_over WHERE run = ANY(?)", (list(runs[start : start + AT_ONCE]),)
        )
        if not rows:
            continue
        entries = [f"{run}#{number}" for run, turn in rows for number in range(1, turn + 1)]
        with_client(journal, lambda client, entries=entries: client.delete_workflows(entries))
        with journal.transaction() as connection:
            connection.execute("DELETE FROM handed_over WHERE run = ANY(?)", ([run for run, _ in rows],))
