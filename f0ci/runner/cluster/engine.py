"""The engine whose runs workers carry on; `f0ci.runner.interface` says what any engine offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from f0ci.core.errors import InputError
from f0ci.environments.secrets import is_reference
from f0ci.recipes.records import RunRecord
from f0ci.runner.cluster.following import follow
from f0ci.runner.cluster.handing import hand_over, next_turn, wake_if_waiting
from f0ci.runner.cluster.journal import PostgresJournal
from f0ci.runner.cluster.queues import DEFAULT, Queue, read_queues, require_queue
from f0ci.runner.engine import EmbeddedEngine
from f0ci.runner.events import Listener
from f0ci.runner.interface import Order
from f0ci.runner.recorded import RecordedRuns
from f0ci.runner.runs import get_run, send_signal


class ClusterEngine(RecordedRuns):
    """The engine of many machines: runs are handed to a queue, workers carry them on, this process looks on.

    Args:
        journal: the database.
        queue: the queue for new runs.
        priority: of new runs among those of their queue; smaller ones first.
        declared: queues that the repository knows, by name.
        on_event: told of what happens, or None.
        patience: seconds to look on for at most, or None.
    """

    def __init__(
        self,
        journal: PostgresJournal,
        *,
        queue: str = DEFAULT,
        priority: int = 0,
        declared: Mapping[str, Queue] | None = None,
        on_event: Listener | None = None,
        patience: float | None = None,
    ) -> None:
        super().__init__(journal)
        self._journal: PostgresJournal = journal
        self._queue = queue
        self._priority = priority
        self._declared = read_queues({}) if declared is None else declared
        self._on_event = on_event
        self._patience = patience
        self._local = EmbeddedEngine(journal)

    def start(self, order: Order) -> str:
        """Record a run and hand it to the queue; see `Engine`.

        Raises:
            UsageError: there is no such queue.
            InputError: a sensitive parameter holds a value, which no worker would ever know.
        """
        require_queue(self._journal, self._queue, self._declared)
        refuse_values(order)
        return self._local.start(order)

    def submit(self, order: Order) -> str:
        """Record a run and put it into the queue, in one change; return its id. One that exists stays as it is.

        Raises:
            UsageError: there is no such queue, or the id belongs to a run of something else.
            InputError: as `start`.
        """
        require_queue(self._journal, self._queue, self._declared)
        refuse_values(order)
        return self._local.start(order, lambda connection, run: hand_over(connection, run, self._queue, self._priority))

    def resume(self, run: str) -> RunRecord:
        """Have workers carry a run on, and look on until it is over or waits; see `Engine`."""
        name = self.hand_over(run).run
        return self.record(follow(self._journal, name, self._on_event, self._patience))

    def hand_over(self, run: str) -> RunRecord:
        """Put a run into its queue, where it is not over and nobody carries it on; return how it stands."""
        row = get_run(self._journal, run)
        if row.state in {"stopped", "waiting"}:
            with self._journal.transaction() as connection:
                state, owner = connection.execute("SELECT state, owner FROM runs WHERE run = ?", (row.run,)).fetchone()
                resting = state in {"stopped", "waiting"} or (state == "running" and owner == row.owner)
                if resting and not next_turn(connection, row.run):
                    hand_over(connection, row.run, self._queue, self._priority)
        return self.record(get_run(self._journal, row.run))

    def send(
        self, run: str, step: str, kind: str, *, who: str | None = None, data: Any = None, key: str | None = None
    ) -> bool:
        """Send something to a step, and have workers look at it; see `Engine`."""
        name = self._local.addressed(run, step, kind)

        def wake(connection: Any, state: str) -> None:
            wake_if_waiting(connection, name, state)

        return send_signal(self._journal, name, step, kind, who=who, data=data, key=key, then=wake)


def refuse_values(order: Order) -> None:
    """Refuse a sensitive parameter that holds a value: the journal does not, so no worker would ever know it.

    Raises:
        InputError: one does.
    """
    recipe = order.plan.recipe
    for parameter in recipe.parameters:
        sensitive = recipe.document.get((*parameter.at, "sensitive")) is True
        given = order.parameters.get(parameter.name) if sensitive else None
        if given is not None and not is_reference(given):
            raise InputError(
                f"the parameter {parameter.name!r} is sensitive, and workers are told no secrets",
                f"give a reference, which each worker resolves by itself: -p {parameter.name}=secret://{parameter.name}",
            )
