"""Runs as the journal holds them: made, claimed, asked for, sent to."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from f0ci.core.clock import format_time
from f0ci.core.errors import InputError, Refused, UsageError
from f0ci.core.suggestions import did_you_mean
from f0ci.core.values import dataclass
from f0ci.runner.context import Change
from f0ci.runner.frozen import Plan
from f0ci.runner.journal import Journal
from f0ci.runner.options import RunOptions
from f0ci.runner.recalling import moment_of
from f0ci.runner.sealing import Sealer, masked

# the variable that names the promotion on whose behalf a run is made
PROMOTION = "F0CI_PROMOTION"
OVER = frozenset({"passed", "skipped", "failed", "errored", "inconclusive", "cancelled"})
_COLUMNS = (
    "run, number, plan, recipe, root, environment, release, parameters, options, values_before, parent, state,"
    " message, created, ended, seconds, next_check, owner"
)
_INSERT = (
    "INSERT INTO runs (run, number, plan, recipe, root, environment, release, parameters, options, values_before,"
    " parent, state, created, owner)"
    " VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM runs), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (run) DO NOTHING"
)


class RunExists(Refused):
    """Another command started the run under this id a moment ago."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as its row says.

    Attributes:
        run: its id.
        number: order of creation, from 1.
        plan: digest of what it follows.
        recipe: file of the recipe.
        root: the repository it was started in.
        environment: name of the environment, or None.
        release: digest of the release, or None.
        parameters: sealed JSON text of the bound parameters.
        options: JSON text of the options.
        values: sealed JSON text of the context's values at the start.
        parent: the run whose records were taken over, or None.
        state: `queued` (a worker will take it), `running`, `waiting`, `stopped` (nobody carries it on and nothing keeps
            it), or how it ended.
        message: why, where there is something to say.
        created: when it was started.
        ended: when it was over, or None.
        seconds: time in which somebody carried it on.
        next_check: when a waiting run may go on by itself, or None.
        owner: who carries it on, or None.
    """

    run: str
    number: int
    plan: str
    recipe: str
    root: str
    environment: str | None
    release: str | None
    parameters: str
    options: str
    values: str
    parent: str | None
    state: str
    message: str
    created: datetime
    ended: datetime | None
    seconds: float
    next_check: datetime | None
    owner: str | None

    @property
    def is_over(self) -> bool:
        """Tell whether nothing can take it further."""
        return self.state in OVER

    @property
    def promotion(self) -> str | None:
        """Return the promotion that made the run, its own way and in a checkout of its own, or None."""
        name = json.loads(self.options).get("variables", {}).get(PROMOTION)
        return None if name is None else str(name)

    def to_json(self) -> dict[str, Any]:
        """Return the run as plain JSON data, a mask in place of secrets."""
        return {
            "run": self.run,
            "recipe": self.recipe,
            "state": self.state,
            "message": self.message,
            "environment": self.environment,
            "release": self.release,
            "created_at": format_time(self.created),
            "ended_at": None if self.ended is None else format_time(self.ended),
            "seconds": round(self.seconds, 3),
            "next_check_at": None if self.next_check is None else format_time(self.next_check),
            "parameters": masked(self.parameters),
            "parent": self.parent,
            "promotion": self.promotion,
        }


def insert_run(
    connection: Any,
    plan: Plan,
    options: RunOptions,
    parameters: Mapping[str, Any],
    values: Mapping[str, Any],
    sealer: Sealer,
    owner: str | None,
    parent: str | None = None,
) -> None:
    """Write a new run into a journal, inside a transaction; a claimed one has an owner.

    Raises:
        RunExists: another command was faster.
    """
    connection.execute("INSERT OR IGNORE INTO plans VALUES (?, ?)", (plan.digest, plan.document))
    made = connection.execute(
        _INSERT,
        (
            options.run,
            plan.digest,
            plan.recipe.path,
            str(plan.root),
            None if plan.environment is None else plan.environment.name,
            options.release,
            sealer.seal(dict(parameters)),
            json.dumps(options.to_json()),
            sealer.seal(dict(values)),
            parent,
            "stopped" if owner is None else "running",
            time.time(),
            owner,
        ),
    )
    if made.rowcount != 1:
        raise RunExists(f"another command has just started run {options.run!r}", f"f0ci runs show {options.run}")


def find_run(journal: Journal, run: str) -> RunRow | None:
    """Return a run, or None; one whose process died is `stopped`."""
    rows = journal.rows(f"SELECT {_COLUMNS} FROM runs WHERE run = ?", (run,))  # noqa: S608 - columns are ours
    return _row(journal, rows[0]) if rows else None


def get_run(journal: Journal, run: str) -> RunRow:
    """Return a run, named by its id or the beginning of one.

    Raises:
        UsageError: there is no such run, or several begin so.
    """
    found = find_run(journal, run)
    if found is not None:
        return found
    pattern = run.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    names = [name for (name,) in journal.rows("SELECT run FROM runs WHERE run LIKE ? ESCAPE '\\' LIMIT 3", (pattern,))]
    if run and len(names) == 1:
        return get_run(journal, names[0])
    if run and names:
        raise UsageError(f"several runs begin with {run!r}", "write more of the id: " + ", ".join(names))
    known = [name for (name,) in journal.rows("SELECT run FROM runs ORDER BY number DESC LIMIT 50")]
    raise UsageError(
        f"the journal {journal.name!r} has no run {run!r}", did_you_mean(run, known, noun="its newest runs")
    )


def list_runs(
    journal: Journal,
    *,
    state: str | None = None,
    recipe: str | None = None,
    ended_before: datetime | None = None,
    limit: int = 50,
) -> tuple[RunRow, ...]:
    """Return runs, newest first.

    Args:
        journal: the journal.
        state: only those in this state.
        recipe: only those of this file.
        ended_before: only those that were over before this moment.
        limit: how many at most; -1 for all.
    """
    stored = {"stopped": "running", None: None}.get(state, state)
    rows = journal.rows(
        f"SELECT {_COLUMNS} FROM runs WHERE (?1 IS NULL OR state = ?1 OR (?2 = 'stopped' AND state = 'stopped'))"  # noqa: S608
        " AND (?3 IS NULL OR recipe = ?3) AND (?5 IS NULL OR ended < ?5) ORDER BY number DESC LIMIT ?4",
        (
            stored,
            state,
            recipe,
            limit if state not in {"running", "stopped"} else -1,
            None if ended_before is None else ended_before.timestamp(),
        ),
    )
    found = (_row(journal, row) for row in rows)
    return tuple(row for row in found if state is None or row.state == state)[: None if limit < 0 else limit]


def refuse_promoted(row: RunRow) -> None:
    """Refuse to take a run further that belongs to a promotion: its checkout is gone, and the promotion makes another.

    Raises:
        Refused: it does.
    """
    if row.promotion is not None:
        hint = f"go on with the promotion: f0ci promote --continue {row.promotion}"
        raise Refused(f"run {row.run!r} deployed for the promotion {row.promotion!r}", hint)


def claim(journal: Journal, run: str) -> RunRow:
    """Make a run this user's, who alone carries it on from now on; one that is over stays as it is.

    Raises:
        Refused: somebody who is alive carries it on.
    """
    liveness = journal.liveness
    while True:
        row = get_run(journal, run)
        if row.is_over:
            return row
        # `get_run` says `stopped` of the dead, so what is left here lives, or is this user
        if row.state == "running":
            raise Refused(
                f"run {row.run!r} is being carried on by another command (process {str(row.owner).partition('-')[0]})",
                "wait for that one to end, or end it with `f0ci runs cancel " + row.run + "`",
            )
        # whoever lost it finds out at the first record
        with journal.transaction(lasting=False) as connection:
            changed = connection.execute(
                "UPDATE runs SET owner = ?, state = 'running' WHERE run = ? AND owner IS ? AND ended IS NULL",
                (liveness.owner, row.run, row.owner),
            )
        if changed.rowcount == 1:
            return row


def release(journal: Journal, run: str, state: str) -> None:
    """Give a run back without having taken it further."""
    with journal.transaction() as connection:
        connection.execute(
            "UPDATE runs SET owner = NULL, state = ? WHERE run = ? AND owner = ?", (state, run, journal.liveness.owner)
        )


def send_signal(
    journal: Journal,
    run: str,
    step: str,
    kind: str,
    *,
    who: str | None,
    data: Any,
    key: str | None = None,
    then: Callable[[Any, str], None] = lambda _connection, _state: None,
) -> bool:
    """Send something to a step that waits, or will; return False where the same key was sent before.

    Args:
        journal: the journal.
        run: the run.
        step: path of the step.
        kind: `approve`, `reject` or `event`.
        who: the sender, or None.
        data: a reason, or what an event carries.
        key: makes sending it twice the same as once.
        then: part of the same change, given its connection and the state of the run.

    Raises:
        UsageError: there is no such run.
        Refused: the run, or the step, is over.
    """
    row = get_run(journal, run)
    if row.is_over:
        raise Refused(f"run {row.run!r} is over: {row.state}", "nothing waits in it any more")
    with journal.transaction() as connection:
        state = connection.execute("SELECT state FROM runs WHERE run = ?", (row.run,)).fetchone()[0]
        over = connection.execute(
            "SELECT outcome FROM steps WHERE run = ? AND path = ? AND outcome NOT IN ('running', 'waiting')",
            (row.run, step),
        ).fetchone()
        if over is not None:
            raise Refused(f"step {step!r} of run {row.run!r} is over: {over[0]}", "nothing waits there any more")
        changed = connection.execute(
            "INSERT OR IGNORE INTO signals VALUES"
            " (?1, (SELECT coalesce(max(number), 0) + 1 FROM signals WHERE run = ?1), ?2, ?3, ?4, ?5, ?6, ?7)",
            (row.run, step, kind, who, json.dumps(data), time.time(), key),
        )
        then(connection, state)
    return changed.rowcount == 1


def ask_to_cancel(journal: Journal, run: str, reason: str) -> RunRow:
    """Have a run end: one that nobody carries on is over at once, another soon; one that is over stays as it is."""
    row = get_run(journal, run)
    if row.is_over:
        return row
    with journal.transaction() as connection:
        connection.execute("UPDATE runs SET cancel = ? WHERE run = ?", (reason, row.run))
        connection.execute(
            "UPDATE runs SET state = 'cancelled', message = ?, ended = ?, next_check = NULL, owner = NULL"
            " WHERE run = ? AND owner IS ? AND ? != 'running'",
            (reason, time.time(), row.run, row.owner, row.state),
        )
    return get_run(journal, row.run)


def recalled_changes(journal: Journal, run: str, sealer: Sealer | None = None) -> list[Change]:
    """Return the recorded changes of a run's context, oldest first.

    Args:
        journal: the journal.
        run: the run.
        sealer: puts secrets back; None puts a mask in their place.

    Raises:
        InputError: a value holds a secret that was not given again.
    """
    rows = journal.rows(
        "SELECT number, key, value, who, step, attempt, time, conflict FROM changes WHERE run = ? ORDER BY number",
        (run,),
    )
    first = journal.rows("SELECT values_before FROM runs WHERE run = ?", (run,))
    read = masked if sealer is None else sealer.unseal
    texts = {key: _json(value) for key, value in (read(first[0][0]) if first else {}).items()}
    found = []
    for number, named, value, by, step, attempt, moment, conflict in rows:
        text = value if "\ue000" not in value else _json(read(value))
        key = read(named) if "\ue000" in named else named
        who = read(by) if by is not None and "\ue000" in by else by
        found.append(Change(number, key, texts.get(key), text, who, step, attempt, moment, conflict))
        texts[key] = text
    return found


def plan_document(journal: Journal, digest: str) -> dict[str, Any]:
    """Return a plan that the journal holds.

    Raises:
        InputError: it does not.
    """
    rows = journal.rows("SELECT document FROM plans WHERE plan = ?", (digest,))
    if not rows:
        raise InputError("the journal lost the plan of the run", "start a new run")
    document: dict[str, Any] = json.loads(rows[0][0])
    return document


def _row(journal: Journal, row: Any) -> RunRow:
    values = list(row)
    if row[11] == "running" and not journal.liveness.lives(row[17] or ""):
        values[11] = "stopped"
    for index in (13, 14, 16):
        values[index] = None if row[index] is None else moment_of(row[index])
    return RunRow(*values)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
