"""`f0ci worker`: takes runs from queues, and carries them on.

DBOS Transact hands the entries of a queue out, within its limits, and knows which worker has which. What a run has done
stands in its journal, as everywhere; so an entry may be worked on twice, or given to another worker, and no step is
recorded twice for it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from f0ci.core.errors import ExitCode, F0ciError, GitError, NetworkError
from f0ci.runner.address import Address
from f0ci.runner.cluster import fleet, queues
from f0ci.runner.cluster.connection import EngineError
from f0ci.runner.cluster.extra import require_dbos
from f0ci.runner.cluster.handing import end_run, find_lost, wake_due
from f0ci.runner.cluster.health import health_endpoint
from f0ci.runner.cluster.journal import PostgresJournal
from f0ci.runner.cluster.slots import Slots

# seconds between two looks at waits that are over and at the other workers, and between two at runs that were lost
LOOKING, SEARCHING = 0.5, 2.0
# seconds for which the worker itself waits for the database; runs that it carries on have more
PATIENCE = 1.0
# seconds that DBOS gets to end, beside the grace of runs
ENDING = 10.0
# seconds after which whatever still keeps a process that was told to stop is left behind
KEPT = 30.0
# seconds without the database after which a worker is not well
UNWELL = 5.0
GRACE = 25.0


@dataclass(frozen=True, slots=True)
class Duty:
    """What a worker is to do.

    Attributes:
        address: the database.
        folder: the clone of the repository; runs without a release go on in it, where they were started in it.
        queues: where it takes runs from.
        slots: runs that it carries on at the same time at most.
        checkout: returns where the files of a release are, given its digest.
        grace: seconds that runs get to end by themselves when the worker is told to stop.
        health: host and port of the health endpoint, or None.
        tell: told what the worker does.
    """

    address: Address
    folder: Path
    queues: Sequence[queues.Queue]
    slots: int
    checkout: Callable[[str], Path]
    grace: float = GRACE
    health: tuple[str, int] | None = None
    tell: Callable[[str], None] = lambda _: None


def serve(duty: Duty) -> bool:
    """Work until SIGTERM or SIGINT, then let runs end or give them back; a second signal ends them at once.

    Returns:
        False where threads of DBOS are left that wait for a database that is away, so that the process has to be ended.

    Raises:
        CannotWork: the extra is not installed, or the database cannot be used.
    """
    require_dbos()
    name = fleet.new_name()
    duty = replace(duty, tell=_unfailing(duty.tell))
    over = threading.Event()
    try:
        with PostgresJournal(duty.address, owner=name, label=fleet.label_of(name), patience=PATIENCE) as journal:
            return _ServingWorker(duty, name, journal, over=over).run()
    finally:
        # not before: closing the journal waits for whoever uses it
        over.set()


@dataclass(slots=True)
class _ServingWorker:
    duty: Duty
    name: str
    journal: PostgresJournal
    slots: Slots = field(init=False)
    started: float = field(default_factory=time.time)
    stop: threading.Event = field(default_factory=threading.Event)
    hurry: threading.Event = field(default_factory=threading.Event)
    seen: float = field(default_factory=time.monotonic)
    outage: bool = False
    checking_out: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        label = fleet.label_of(self.name)
        lives = self.journal.liveness.lives
        self.slots = Slots(self.duty.address, label, self.duty.slots, lives, self.duty.tell)

    def run(self) -> bool:
        duty = self.duty
        queues.migrate(self.journal)
        # the lock first: whoever sees the name must find it held
        self.journal.be_alive()
        self._announce()
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._heeding_signals())
            where = ""
            if duty.health is not None:
                where = f", health at {stack.enter_context(health_endpoint(duty.health, self._health))}"
            dbos = self._launch()
            names = ", ".join(queues.names_of(duty.queues))
            duty.tell(f"worker {self.name} takes runs from {names}, {duty.slots} at a time{where}")
            with contextlib.suppress(KeyboardInterrupt):
                self._watch(dbos)
            return self._leave(dbos)

    def _launch(self) -> Any:
        from dbos import DBOS, DBOSPortableJSONSerializer

        queues.quiet()
        DBOS(
            config={
                "name": queues.APPLICATION,
                "system_database_url": queues.database_url(self.duty.address),
                "dbos_system_schema": queues.SCHEMA,
                "db_engine_kwargs": queues.engine_settings(fleet.label_of(self.name)),
                "sys_db_pool_size": 4,
                "application_version": queues.VERSION,
                "executor_id": self.name,
                "serializer": DBOSPortableJSONSerializer(),
                "run_migrations": False,
                "max_executor_threads": self.duty.slots + 8,
                "log_level": "ERROR",
                "enable_otlp": False,
            }
        )

        @DBOS.workflow(name=queues.WORKFLOW, max_recovery_attempts=None)
        def carry_on(run: str, release: str | None, root: str) -> str:
            return self.carry_on(run, release, root)

        DBOS.listen_queues(queues.names_of(self.duty.queues))
        DBOS.launch()
        for queue in self.duty.queues:
            queues.register(DBOS, queue, on_conflict="always_update")
        return DBOS

    def carry_on(self, run: str, release: str | None, started_in: str) -> str:
        """Carry a run on until it is over, waits or is given back; return its state.

        Args:
            run: the run.
            release: digest of the release whose files it runs, or None.
            started_in: the folder that it was started in.
        """
        try:
            root = self._root_of(release, started_in)
            state, message = self.slots.carry_on(run, root)
            if state == "given_up":
                end_run(self.journal, run, message)
                state = "errored"
        except (EngineError, GitError, NetworkError) as error:
            # nobody knows that it cannot be done: it comes back into its queue, perhaps for another worker
            state, message = "stopped", str(error)
        except F0ciError as error:
            end_run(self.journal, run, f"{error}; {error.hint}" if error.hint else str(error))
            state, message = "errored", str(error)
        if message:
            self.duty.tell(f"run {run} {state}: {message}")
        return state

    def _root_of(self, release: str | None, started_in: str) -> Path:
        """Return where the files of a run are on this machine.

        Raises:
            F0ciError: they are not to be had.
        """
        if release is None:
            if Path(started_in) == self.duty.folder:
                return self.duty.folder
            raise F0ciError(
                f"the run has no release, and worker {self.name} works in {str(self.duty.folder)!r},"
                f" not {started_in!r}",
                "hand it over as a release: f0ci run --queue NAME --release ID",
            )
        with self.checking_out:
            return self.duty.checkout(release)

    def _watch(self, dbos: Any) -> None:
        eye, searched = fleet.Watch(self.journal, self.name), 0.0
        while not self.stop.wait(LOOKING):
            try:
                self._announce()
                wake_due(self.journal)
                if time.monotonic() - searched >= SEARCHING:
                    searched = time.monotonic()
                    find_lost(self.journal)
                dead, silent = eye.look()
                for name in silent:
                    self.duty.tell(f"worker {name} holds its lock and says nothing: its sessions are ended")
                for name in dead:
                    self._take_over(dbos, name)
                self._is_back()
            except EngineError as error:
                if not self.outage:
                    self.duty.tell(f"{error}; waiting for it")
                self.outage = True
            except Exception as error:  # noqa: BLE001 - DBOS may raise anything, and the next look comes soon
                self.duty.tell(f"a look at the other workers failed: {type(error).__name__}: {error}")

    def _take_over(self, dbos: Any, name: str) -> None:
        """Put what a dead worker had back into its queues; DBOS waits without an end for a database that is away."""
        found: list[Any] = []

        def recover() -> None:
            found.append(dbos._recover_pending_workflows([name]))  # noqa: SLF001 - the only door DBOS has for it

        work = threading.Thread(target=recover, daemon=True, name="take-over")
        work.start()
        work.join(ENDING)
        # where that did not do, the next look tries again: an entry goes back once, however often it is asked for
        if found:
            fleet.forget(self.journal, name)
            self.duty.tell(f"worker {name} is gone: {len(found[0])} of its runs go back into their queues")

    def _announce(self) -> None:
        fleet.announce(
            self.journal,
            self.name,
            self.duty.folder,
            queues.names_of(self.duty.queues),
            self.duty.slots,
            self.started,
        )
        self.seen = time.monotonic()

    def _is_back(self) -> None:
        if self.outage:
            self.duty.tell(f"the engine {self.journal.name!r} is back")
        self.outage = False

    def _leave(self, dbos: Any) -> bool:
        duty = self.duty
        busy = self.slots.busy
        if busy:
            duty.tell(f"stopping; {len(busy)} runs get {duty.grace:g} s to end or to wait, then go on elsewhere")
        timer = threading.Thread(target=self._interrupt_in_time, daemon=True, name="grace")
        timer.start()
        seconds = duty.grace + ENDING
        ending = threading.Thread(
            target=lambda: dbos.destroy(workflow_completion_timeout_sec=int(seconds)), daemon=True, name="ending"
        )
        ending.start()
        begun = idle = time.monotonic()
        while ending.is_alive() and time.monotonic() < min(begun + seconds, idle + ENDING):
            ending.join(0.2)
            if self.slots.busy:
                idle = time.monotonic()
        self.hurry.set()
        timer.join()
        self.slots.close()
        with contextlib.suppress(EngineError):
            find_lost(self.journal)
            fleet.forget(self.journal, self.name)
        duty.tell(f"worker {self.name} ended")
        return not ending.is_alive()

    def _interrupt_in_time(self) -> None:
        self.hurry.wait(self.duty.grace)
        self.slots.interrupt()

    @contextlib.contextmanager
    def _heeding_signals(self) -> Iterator[None]:
        """Stop at the first signal, and hurry at the second.

        The interpreter writes each to a socket when it comes, and a thread reads them one after the other. A handler
        in Python would run in the main thread: late where that waits for the database, in the middle of what it does
        with a lock, and in the middle of itself where the second signal follows the first at once.
        """
        reading, writing = socket.socketpair()
        writing.setblocking(False)
        numbers = {signal.SIGTERM, signal.SIGINT}
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            # under nohup it is not for us
            numbers.add(signal.SIGHUP)
        listener = threading.Thread(target=self._heed, args=(reading, numbers), daemon=True, name="signals")
        listener.start()
        socket_before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        before = {number: signal.signal(number, lambda *_: None) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(socket_before)
            writing.close()
            listener.join()

    def _heed(self, signals: socket.socket, numbers: Collection[int]) -> None:
        with signals:
            while came := signals.recv(1):
                if came[0] not in numbers:
                    continue
                if self.stop.is_set():
                    self.hurry.set()
                else:
                    self.stop.set()
                    threading.Thread(target=self._end_in_time, daemon=True, name="end-in-time").start()

    def _end_in_time(self) -> None:
        """End the process where something keeps it: what it had goes on elsewhere, as after a crash."""
        self.hurry.wait(self.duty.grace)
        if not self.over.wait(KEPT):
            self.duty.tell(
                f"worker {self.name} was told to stop and is kept: it is ended, others take over what it had"
            )
            os._exit(ExitCode.CANNOT_WORK)

    def _health(self) -> tuple[bool, dict[str, Any]]:
        silent = time.monotonic() - self.seen
        state = "stopping" if self.stop.is_set() else "serving" if silent < UNWELL else "without its database"
        busy = self.slots.busy
        return state == "serving", {
            "worker": self.name,
            "state": state,
            "queues": queues.names_of(self.duty.queues),
            "slots": self.duty.slots,
            "busy": len(busy),
            "runs": busy,
            "database_seen_seconds_ago": round(silent, 3),
        }


def _unfailing(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Return what says something to whoever is left to read it: the work goes on also where nobody is."""

    def say(text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            tell(text)

    return say
