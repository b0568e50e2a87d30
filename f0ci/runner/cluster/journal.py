"""The journal of runs in PostgreSQL: the tables of `journal.sql`, for commands and workers on many machines.

A change that the server has confirmed is on its disk. One whose confirmation was lost with the connection is looked up
by its transaction id, and written again where it did not happen: an outage shorter than `PATIENCE` is a pause.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from typing import Any

import psycopg

from f0ci.runner.address import Address
from f0ci.runner.cluster.connection import EngineError, Session, connect, explanation
from f0ci.runner.cluster.dialect import prelude_to, schema_for, statement_for, statement_for_change, values_for
from f0ci.runner.cluster.liveness import TAKE, ServerLiveness, key_of
from f0ci.runner.cluster.replaying import Change, Differs
from f0ci.runner.journal import Journal

VERSION = 1
# seconds for which the server may be away before a run that wants to record something stops
PATIENCE = 60.0
# seconds between two tries to reach it
PAUSE = 0.2
# what can be mended by a new connection
_LOST = (psycopg.OperationalError, psycopg.InterfaceError)
_END_HOLDER = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND (classid::bigint << 32) | objid::bigint = %s"
)
# one command at a time makes or changes the layout
_LAYOUT_LOCK = key_of("f0ci layout")


class PostgresJournal(Journal):
    """An open journal in PostgreSQL; safe to use from several threads, and beside other commands.

    Args:
        address: the database.
        owner: by which this user carries runs on; None makes one up.
        label: of the sessions, for those who look at the server; by default the owner.
        insist: True waits for a server that is away from the beginning.
        patience: seconds for which the server may be away.

    Raises:
        EngineError: it cannot be reached or used, or was written by a newer version.
    """

    has_workers = True

    def __init__(
        self,
        address: Address,
        *,
        owner: str | None = None,
        label: str | None = None,
        patience: float = PATIENCE,
        insist: bool = False,
    ) -> None:
        self.address = address
        # the environment is that of a recipe once a run goes on
        self._password = os.environ.get("PGPASSWORD")
        self._owner = owner or f"{os.getpid()}-{os.urandom(6).hex()}"
        self._label = (label or f"f0ci {self._owner}")[:63]
        self._patience = patience
        self._lock = threading.RLock()
        self._closed = False
        self._locked = False
        self._alive = ServerLiveness(self._owner, self.rows)
        try:
            self._session = self._first(insist)
        except psycopg.Error as error:
            raise explanation(address, error) from error
        try:
            self._prepare()
        except BaseException as error:
            self._session.close()
            if isinstance(error, psycopg.Error):
                raise explanation(address, error) from error
            raise
        # a child that a scriptlet forks shares the session and its lock, and may live longer than this process
        os.register_at_fork(after_in_child=self._forget)

    @property
    def name(self) -> str:
        """Return where the journal is, for people."""
        return str(self.address)

    @property
    def liveness(self) -> ServerLiveness:  # type: ignore[override]
        """Return what tells others that this journal's user lives."""
        self.be_alive()
        return self._alive

    def be_alive(self) -> None:
        """Hold the lock of this user's name from now on.

        Raises:
            EngineError: the server was away for too long.
        """
        with self._lock:
            try:
                if not self._locked:
                    self._again(lambda _: self._take_lock())
            except psycopg.Error as error:
                raise explanation(self.address, error) from error

    @contextlib.contextmanager
    def transaction(self, *, lasting: bool = True) -> Iterator[Any]:
        """Give a connection for one change; the change is durable when the block is over, or not there at all.

        Args:
            lasting: False where it need not outlive a crash of the server before the next change that does.

        Raises:
            EngineError: it cannot be written, or the server was away for too long.
        """
        with self._lock:
            change = Change(lasting)
            try:
                self._again(change.begin)
                try:
                    yield Writing(self, change)
                except BaseException:
                    self._roll_back()
                    raise
                self._again(change.commit)
            except psycopg.Error as error:
                self._roll_back()
                raise explanation(self.address, error) from error

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows that a query finds, or `returning` ones of a change of its own.

        Raises:
            EngineError: it cannot be read.
        """
        text, given = statement_for(statement), values_for(statement, values)
        with self._lock:
            try:
                found: list[Any] = self._again(lambda session: session.execute(text, given).fetchall())
            except psycopg.Error as error:
                raise explanation(self.address, error) from error
        return found

    def close(self) -> None:
        """Close the session; runs of this user count as stopped from now on."""
        with self._lock:
            self._closed = True
            self._session.close()

    def _forget(self) -> None:
        """Leave the session to the process that forked this one, without a word to the server."""
        self._closed = True
        with contextlib.suppress(psycopg.Error, OSError):
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, self._session.fileno(), inheritable=False)
            os.close(nothing)

    def run_again(self, change: Change, work: Callable[[Session], Any]) -> Any:
        """Carry out part of a change, where need be after the part before it on a new connection."""

        def on_session(session: Session) -> Any:
            change.catch_up(session)
            return work(session)

        return self._again(on_session)

    def _again(self, work: Callable[[Session], Any]) -> Any:
        """Do something on the session, on a new one where it is lost, until it is done or patience is over."""
        until: float | None = None
        while True:
            try:
                if self._session.closed and not self._closed:
                    self._reconnect()
                return work(self._session)
            except Differs as error:
                raise EngineError(
                    f"the engine {self.name!r} was away during a change, and holds another one since: {error}",
                    "nothing of the change is recorded; go on with `f0ci run --resume RUN`",
                ) from error
            except _LOST as error:
                now = time.monotonic()
                until = until or now + self._patience
                if self._closed or not _is_lost(self._session, error) or now >= until:
                    raise
                self._session.close()
                time.sleep(PAUSE)

    def _first(self, insist: bool) -> Session:
        until = time.monotonic() + (self._patience if insist else 0.0)
        while True:
            try:
                return connect(self.address, self._label, self._password)
            except psycopg.OperationalError as error:
                if time.monotonic() >= until or not _is_away(error):
                    raise
                time.sleep(PAUSE)

    def _reconnect(self) -> None:
        self._session = connect(self.address, self._label, self._password)
        if self._locked:
            self._take_lock()

    def _take_lock(self) -> None:
        """Hold the lock of the owner's name; what is left of a lost session may hold it for a moment."""
        while not self._session.execute(TAKE, (key_of(self._owner),)).fetchall()[0][0]:
            self._session.execute(_END_HOLDER, (key_of(self._owner),))
            time.sleep(PAUSE)
        self._locked = True

    def _roll_back(self) -> None:
        with contextlib.suppress(psycopg.Error):
            self._session.execute("ROLLBACK")

    def _prepare(self) -> None:
        found = self._version()
        if found == VERSION:
            return
        if found > VERSION:
            raise EngineError(
                f"the engine {self.name!r} has layout {found}, this f0ci knows up to {VERSION}",
                "use the newer f0ci that made it: upgrade this one first, workers and commands alike",
            )
        folder = resources.files("f0ci.runner")
        # another command may be quicker
        with self.alone(), self._session.transaction():
            if self._version() == 0:
                self._session.execute("CREATE SCHEMA IF NOT EXISTS f0ci")
                self._session.execute(schema_for((folder / "journal.sql").read_text(encoding="utf-8")))
                self._session.execute((folder / "cluster" / "layout.sql").read_text(encoding="utf-8"))
                self._session.execute("INSERT INTO layout VALUES (%s)", (VERSION,))

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Let nobody else change the layout meanwhile.

        Raises:
            EngineError: somebody else has been at it for too long.
        """
        until = time.monotonic() + PATIENCE
        while not self.rows("SELECT pg_try_advisory_lock(?)", (_LAYOUT_LOCK,))[0][0]:
            if time.monotonic() >= until:
                raise EngineError(f"somebody else changes the layout of {self.name!r}", "try again when that is over")
            time.sleep(PAUSE)
        try:
            yield
        finally:
            self.rows("SELECT pg_advisory_unlock(?)", (_LAYOUT_LOCK,))

    def _version(self) -> int:
        # a name alone may be looked up in what the session remembers
        known = self._session.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'f0ci' AND tablename = 'layout'")
        if not known.fetchall():
            return 0
        return int(self._session.execute("SELECT version FROM f0ci.layout").fetchall()[0][0])


class Writing:
    """What a change is written through; as much of a connection to SQLite as the journal uses."""

    def __init__(self, journal: PostgresJournal, change: Change) -> None:
        self._journal = journal
        self._change = change

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Answer:
        """Carry out one statement."""
        prelude = prelude_to(statement)
        if prelude is not None:
            self.execute(prelude)
        text, given = statement_for_change(statement), values_for(statement, values)
        return Answer(
            *self._journal.run_again(self._change, lambda session: self._change.carry_out(session, text, given))
        )

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Carry out one statement for each of some rows."""
        for values in rows:
            self.execute(statement, values)


class Answer:
    """What a statement answered.

    Attributes:
        rowcount: rows that it changed or found.
    """

    def __init__(self, rowcount: int, rows: list[Any]) -> None:
        self.rowcount = rowcount
        self._rows = rows

    def fetchone(self) -> Any:
        """Return the first row, or None."""
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[Any]:
        """Return all rows."""
        return self._rows


def _is_lost(session: Session, error: psycopg.Error) -> bool:
    """Tell whether an error says that the server is away, and not that it refuses something."""
    return session.closed or _is_away(error)


def _is_away(error: psycopg.Error) -> bool:
    state = error.sqlstate or ""
    # refused connections have no state; 57P: shutting down or starting up; 08: connection; 53300: full for a moment
    return not state or state.startswith(("57P", "08")) or state == "53300"
