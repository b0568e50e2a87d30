"""Running part of a run again: a new run that keeps the records of the rest."""

from __future__ import annotations

import json
from datetime import datetime

from f0ci.core.errors import Refused, UsageError
from f0ci.recipes.graph import order
from f0ci.runner.frozen import Plan
from f0ci.runner.journal import Journal
from f0ci.runner.options import RunOptions
from f0ci.runner.runs import RunRow


def fork(journal: Journal, row: RunRow, plan: Plan, start_from: str, options: RunOptions, now: datetime) -> str:
    """Record a new run that keeps what a run recorded, but for one step and what depends on it; return its id.

    Args:
        journal: the journal.
        row: the run.
        plan: what it follows.
        start_from: the step that shall run again.
        options: of the new run, with its id.
        now: when it is made.

    Raises:
        UsageError: there is no such step.
        Refused: the run is not over.
    """
    if row.state == "running":
        raise Refused(f"run {row.run!r} is not over", "wait for it to end")
    if plan.recipe.step(start_from) is None:
        raise UsageError(f"--from names {start_from!r}, which is no step of {row.recipe}", None)
    graph = order(plan.recipe)
    again = {start_from, *graph.successors(start_from), *graph.on_error}
    kept = [step.name for step in plan.recipe.steps if step.name not in again]
    with journal.transaction() as connection:
        connection.execute(
            "INSERT INTO runs (run, number, plan, recipe, root, environment, release, parameters, options,"
            " values_before, parent, state, created)"
            " SELECT ?, (SELECT max(number) + 1 FROM runs), plan, recipe, root, environment, release, parameters,"
            " ?, values_before, run, 'stopped', ? FROM runs WHERE run = ?",
            (options.run, json.dumps(options.to_json()), now.timestamp(), row.run),
        )
        for name in kept:
            connection.execute(
                "INSERT INTO steps SELECT ?1, path, round, kind, outcome, position, attempts, started, ended,"
                " seconds, message, outputs, output, next_check FROM steps WHERE run = ?2"
                " AND (path = ?3 OR substr(path, 1, length(?3) + 1) = ?3 || '/')"
                " AND outcome IN ('passed', 'skipped')",
                (options.run, row.run, name),
            )
            connection.execute(
                "INSERT INTO changes SELECT ?1, number, key, value, who, step, attempt, time, conflict FROM changes"
                " WHERE run = ?2 AND (step = ?3 OR substr(step, 1, length(?3) + 1) = ?3 || '/')",
                (options.run, row.run, name),
            )
    return str(options.run)
