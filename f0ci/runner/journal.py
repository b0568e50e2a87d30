"""The journal of runs: one SQLite file that survives a killed process and a power loss.

Its tables are documented in `journal.sql`. Every change is one transaction that is on the disk when it returns (WAL,
`synchronous=FULL`).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from f0ci.core.errors import CannotWork
from f0ci.runner.liveness import Liveness

VERSION = 1
# seconds that a write waits for other commands on the same journal
PATIENCE = 30.0
FOLDER = ".f0ci/runs"
FILE = "journal.sqlite"


class JournalError(CannotWork):
    """The journal cannot be read or written; what it holds stays as it is."""


def default_path(root: Path) -> Path:
    """Return where a repository keeps its journal."""
    return root / FOLDER / FILE


class Journal:
    """An open journal; safe to use from several threads, and beside other commands.

    Args:
        path: the file; made, with its folder, where it does not exist.

    Raises:
        JournalError: it cannot be opened, is no journal, or was written by a newer version.
    """

    # True where workers carry runs on, on whatever machine
    has_workers = False

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock = threading.RLock()
        self._liveness: Liveness | None = None
        with self._explained():
            self._prepare_folder()
            self._connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, timeout=PATIENCE
            )
            try:
                with self._alone():
                    self._check_kind()
                    self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
                    self._migrate()
                self._inode = self.path.stat().st_ino
            except BaseException:
                self._connection.close()
                raise

    @property
    def name(self) -> str:
        """Return where the journal is, for people."""
        return str(self.path)

    @property
    def liveness(self) -> Liveness:
        """Return what tells others that this journal's user lives."""
        if self._liveness is not None:
            return self._liveness
        with self._lock, self._explained():
            if self._liveness is None:
                self._liveness = Liveness(self.path.parent / "owners")
            return self._liveness

    @contextlib.contextmanager
    def transaction(self, *, lasting: bool = True) -> Iterator[sqlite3.Connection]:
        """Give a connection for one change; the change is durable when the block is over, or not there at all.

        Args:
            lasting: False where it need not outlive a power loss before the next change that does; a file always does.

        Raises:
            JournalError: it cannot be written: a full disk, a file that went away, another command that does not end.
        """
        del lasting
        with self._lock:
            try:
                self._check_present()
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    with contextlib.suppress(sqlite3.Error):
                        self._connection.execute("ROLLBACK")
                    raise
            except (sqlite3.Error, OSError) as error:
                raise self._explanation(error) from error

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows that a query finds.

        Raises:
            JournalError: it cannot be read.
        """
        with self._lock, self._explained():
            return self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        """Close the file; runs of this user count as stopped from now on."""
        with self._lock:
            self._connection.close()
            if self._liveness is not None:
                self._liveness.end()
                self._liveness = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare_folder(self) -> None:
        folder = self.path.parent
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o700)
            # whatever the repository ignores, a journal is never committed
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        if not self.path.exists():
            # parameters and outputs are nobody else's business
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no other command open the journal meanwhile: SQLite does not wait where two turn WAL on at once."""
        import fcntl

        # not the journal itself: closing another handle of it would drop SQLite's own locks
        with self.path.with_name(f"{self.path.name}-opening").open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _check_kind(self) -> None:
        """Refuse what is not ours before anything of it is changed."""
        found = self._version()
        if found > VERSION:
            raise JournalError(
                f"the journal {str(self.path)!r} has version {found}, this f0ci knows up to {VERSION}",
                "use the newer f0ci that wrote it, or another file with --journal",
            )
        tables = {name for (name,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "runs" not in tables:
            raise JournalError(f"{str(self.path)!r} is a database, but no journal of runs", _ELSEWHERE)

    def _migrate(self) -> None:
        if self._version() == 0:
            self._connection.execute("BEGIN IMMEDIATE")
            from importlib import resources

            # another command may have been quicker
            if self._version() == 0:
                script = (resources.files("f0ci.runner") / "journal.sql").read_text(encoding="utf-8")
                for statement in script.split(";\n"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {VERSION}")
            self._connection.execute("COMMIT")

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _check_present(self) -> None:
        try:
            same = os.stat(self.path).st_ino == self._inode  # noqa: PTH116 - asked at every change
        except FileNotFoundError:
            same = False
        if not same:
            # SQLite would go on writing into a file that nobody can find
            raise JournalError(
                f"the journal {str(self.path)!r} was removed or replaced while it was in use",
                "put it back; runs go on from what it holds with `f0ci run --resume RUN`",
            )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise self._explanation(error) from error

    def _explanation(self, error: Exception) -> JournalError:
        code = getattr(error, "sqlite_errorname", "")
        return JournalError(f"the journal {str(self.path)!r} cannot be used: {error}", _hint(code, error))


_ELSEWHERE = "name another file with --journal"


def _hint(code: str, error: Exception) -> str:
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return f"it is no journal, or damaged; move it away, or {_ELSEWHERE}"
    if code.startswith("SQLITE_BUSY"):
        return "another command holds it; wait for that one to end"
    if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")) or getattr(error, "errno", None) == 28:
        return "free space on its disk, then go on with `f0ci run --resume RUN`"
    return f"check the folder's permissions, or {_ELSEWHERE}"
