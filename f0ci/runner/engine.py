"""The engine that needs nothing but a file; `f0ci.runner.interface` says what any engine offers."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from f0ci.core.clock import Clock, SystemClock
from f0ci.core.errors import UsageError
from f0ci.core.redaction import Redactor
from f0ci.recipes.records import RunRecord
from f0ci.runner.context import Context
from f0ci.runner.events import Listener
from f0ci.runner.executing import Underway, bind, carry_on, new_id, secrets_of
from f0ci.runner.frozen import Plan, thaw
from f0ci.runner.interface import Engine, Order
from f0ci.runner.journal import Journal
from f0ci.runner.options import RunOptions
from f0ci.runner.recorded import RecordedRuns
from f0ci.runner.recording import JournalRecorder
from f0ci.runner.runs import (
    RunExists,
    RunRow,
    claim,
    find_run,
    get_run,
    insert_run,
    plan_document,
    recalled_changes,
    refuse_promoted,
    release,
    send_signal,
)
from f0ci.runner.sealing import Sealer
from f0ci.runner.secret_values import SecretValues, hide_sensitive
from f0ci.runner.surroundings import Surroundings
from f0ci.runner.threads import Threads

__all__ = ["EmbeddedEngine", "Engine", "Order"]

# plans that are kept for the next run that follows the same
_KEPT_PLANS = 32


class EmbeddedEngine(RecordedRuns):
    """The engine in this process, with a journal for its memory.

    Args:
        journal: the journal.
        clock: the time for records.
        on_event: told of what happens, or None.
        redactor: keeps secrets out of what people see.
        given: values of sensitive parameters, which the journal does not hold, for runs that go on.
        sleep: waits between tries, given seconds; None waits until the run is stopped.
        root: where the files of runs are here; None is where each was started.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        clock: Clock | None = None,
        on_event: Listener | None = None,
        redactor: Redactor | None = None,
        given: Mapping[str, Any] | None = None,
        sleep: Callable[[float], object] | None = None,
        root: Path | None = None,
    ) -> None:
        super().__init__(journal)
        self._clock = clock or SystemClock()
        self._on_event = on_event
        self._redactor = redactor or Redactor()
        self._given = dict(given or {})
        self._sleep = sleep
        self._root = root
        self._home: Surroundings | None = None
        self._threads: Threads | None = None
        self._plans: dict[str, Plan] = {}

    @contextlib.contextmanager
    def at_home(self, root: Path) -> Iterator[None]:
        """Run many recipes of one repository, one after the other, in the same surroundings: scriptlets stay imported.

        Raises:
            CannotWork: another run is active in this process, or the root cannot be entered.
        """
        with Surroundings(root.resolve()) as home:
            self._home = home
            self._threads = Threads()
            try:
                yield
            finally:
                self._threads.close()
                self._home = self._threads = None

    def start(self, order: Order, then: Callable[[Any, str], None] = lambda _connection, _run: None) -> str:
        """Record a run and return its id; see `Engine`.

        Args:
            order: what is to be run.
            then: part of the same change, given its connection and the run.
        """
        known, params, options, sealer = self._ready(order)
        if known is None:
            try:
                with self._journal.transaction() as connection:
                    insert_run(connection, order.plan, options, params, order.values, sealer, None)
                    then(connection, str(options.run))
            except RunExists:
                # it must be the same run that the faster command started
                self._ready(order)
        return str(options.run)

    def run(self, order: Order, context: Context | None = None) -> RunRecord:
        """Start a run and carry it on, which saves a write.

        Args:
            order: what is to be run.
            context: holds `order.values`, and the run's values afterwards.

        Raises:
            F0ciError: as `start` and `resume`.
        """
        known, params, options, sealer = self._ready(order)
        if known is not None:
            return self.resume(known.run, context)
        plan, owner = order.plan, self._journal.liveness.owner
        context = context or Context(order.values)
        values = context.to_dict()
        recorder = JournalRecorder(
            self._journal,
            str(options.run),
            context,
            sealer,
            now=self._now,
            insert=lambda connection: insert_run(connection, plan, options, params, values, sealer, owner),
        )
        underway = Underway(
            plan, params, options, context, self._redactor, sealer, self._secrets(plan), self._clock.now(), recorder
        )
        try:
            return self._carry_on(underway)
        except RunExists:
            # the row comes with the first record, before any step starts, so nothing happened here yet
            return self.run(order, context)

    def resume(self, run: str, context: Context | None = None) -> RunRecord:
        """Carry a run on until it is over or waits; see `Engine`."""
        row = get_run(self._journal, run)
        if not row.is_over:
            refuse_promoted(row)
            row = claim(self._journal, run)
        if row.is_over:
            return self.record(row)
        try:
            underway = self._underway(row, context)
        except BaseException:
            release(self._journal, row.run, row.state)
            raise
        return self._carry_on(underway)

    def fork(self, run: str, start_from: str) -> str:
        """Record a new run that keeps what a run recorded, but for one step and what depends on it; return its id.

        Raises:
            UsageError: there is no such run or step.
            Refused: the run is not over.
        """
        from f0ci.runner.forking import fork

        row = get_run(self._journal, run)
        refuse_promoted(row)
        options = replace(self._options(row), run=new_id(self._clock.now()))
        return fork(self._journal, row, self._plan(row), start_from, options, self._clock.now())

    def send(
        self, run: str, step: str, kind: str, *, who: str | None = None, data: Any = None, key: str | None = None
    ) -> bool:
        """Send something to a step; see `Engine`."""
        return send_signal(self._journal, self.addressed(run, step, kind), step, kind, who=who, data=data, key=key)

    def addressed(self, run: str, step: str, kind: str) -> str:
        """Return the id of a run, a step of which something may be sent to.

        Raises:
            UsageError: there is no such run or step, or the step waits for nothing of the kind.
        """
        row = get_run(self._journal, run)
        if not row.is_over:
            from f0ci.runner.recipients import check_recipient

            check_recipient(self._plan(row), step, kind)
        return row.run

    def _ready(self, order: Order) -> tuple[RunRow | None, dict[str, Any], RunOptions, Sealer]:
        given = self._secrets(order.plan)
        given.hide_given(self._redactor)
        sealer = Sealer(lambda name: given.find(name, self._redactor))
        params = bind(order.plan, order.parameters, order.options, self._redactor, sealer)
        options = replace(order.options, run=order.options.run or new_id(self._clock.now()))
        known = None if order.options.run is None else find_run(self._journal, str(options.run))
        if known is not None:
            self._given = {**self._given, **order.parameters}
            if known.plan != order.plan.digest or known.parameters != sealer.seal(params):
                raise UsageError(
                    f"the run {known.run!r} exists, and is not the same: it runs {known.recipe!r} as it was, with its"
                    " parameters",
                    "take another id, or go on with it by `f0ci run --resume " + known.run + "`",
                )
        return known, params, options, sealer

    def _underway(self, row: RunRow, context: Context | None) -> Underway:
        plan = self._plan(row)
        given = self._secrets(plan)
        given.hide_given(self._redactor)
        sealer = Sealer(lambda name: given.find(name, self._redactor))
        hide_sensitive(plan.recipe, self._given, self._redactor, sealer)
        params = sealer.unseal(row.parameters)
        hide_sensitive(plan.recipe, params, self._redactor, sealer)
        values = sealer.unseal(row.values)
        context = context or Context()
        for key, value in values.items():
            if not context.has(key):
                context.set(key, value)
        context.recall(recalled_changes(self._journal, row.run, sealer))
        recorder = JournalRecorder(
            self._journal, row.run, context, sealer, fresh=False, before=row.seconds, now=self._now
        )
        options = self._options(row)
        return Underway(
            plan, params, options, context, self._redactor, sealer, given, row.created, recorder, before=row.seconds
        )

    def _carry_on(self, underway: Underway) -> RunRecord:
        ready = replace(
            underway,
            listener=self._on_event,
            clock=self._clock,
            sleep=self._sleep,
            home=self._home,
            threads=self._threads,
        )
        try:
            return carry_on(ready)
        except KeyboardInterrupt:
            raise
        except BaseException:
            with contextlib.suppress(Exception):
                release(self._journal, str(underway.options.run), "stopped")
            raise

    def _now(self) -> float:
        # finer than the clock of records, where that is the machine's
        return time.time() if isinstance(self._clock, SystemClock) else self._clock.now().timestamp()

    def _secrets(self, plan: Plan) -> SecretValues:
        return secrets_of(plan, dict(os.environ) if self._home is None else self._home.outside)

    def _plan(self, row: RunRow) -> Plan:
        if row.plan not in self._plans:
            if len(self._plans) >= _KEPT_PLANS:
                self._plans.clear()
            self._plans[row.plan] = thaw(plan_document(self._journal, row.plan), self._root or Path(row.root))
        return self._plans[row.plan]

    @staticmethod
    def _options(row: RunRow) -> RunOptions:
        data = json.loads(row.options)
        known = {name: value for name, value in data.items() if name in RunOptions.__slots__}
        return RunOptions(**{**known, "run": row.run, "only": tuple(data["only"]), "skip": tuple(data["skip"])})
