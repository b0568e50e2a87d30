"""The workers of one database: who lives, who is gone, and who only seems to live."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci import __version__
from f0ci.runner.cluster.liveness import living

if TYPE_CHECKING:
    from f0ci.runner.cluster.journal import PostgresJournal

# seconds without its lock after which a worker counts as gone: one whose server was restarted is back by then
GONE = 2.5
# seconds without a word after which a worker that still holds its lock is cut off: its network stalls
SILENT = 15.0
_ANNOUNCE = (
    "INSERT INTO workers VALUES (?, ?, ?, ?, ?, ?, ?, extract(epoch FROM clock_timestamp()), ?)"
    " ON CONFLICT (worker) DO UPDATE SET seen = excluded.seen"
)
_LIST = (
    "SELECT worker, host, pid, folder, queues, slots, started, version,"
    " extract(epoch FROM clock_timestamp())::float8 - seen FROM workers ORDER BY started"
)
_CUT_OFF = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE application_name = ? AND usename = current_user"
)


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as others see it.

    Attributes:
        name: its name, and executor id.
        host: the machine.
        pid: the process.
        folder: the clone it works in.
        queues: names of the queues it takes runs from.
        slots: runs it carries on at the same time at most.
        started: when, in seconds since the epoch.
        version: of f0ci.
        silent: seconds since it last said that it lives.
        alive: True where it holds its lock.
    """

    name: str
    host: str
    pid: int
    folder: str
    queues: tuple[str, ...]
    slots: int
    started: float
    version: str
    silent: float
    alive: bool

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "queues": list(self.queues),
            "silent": round(self.silent, 3),
        }


def new_name() -> str:
    """Return a name that no other worker has or had."""
    return f"{socket.gethostname().partition('.')[0][:24]}-{os.getpid()}-{os.urandom(4).hex()}"


def label_of(worker: str) -> str:
    """Return the name of a worker's sessions, by which they are found on the server."""
    return f"f0ci/{worker}"[:63]


def announce(
    journal: PostgresJournal, name: str, folder: Path, queues: Sequence[str], slots: int, started: float
) -> None:
    """Say that a worker lives; its lock proves it, this says since when it can reach the server."""
    values = (
        name,
        socket.gethostname(),
        os.getpid(),
        str(folder),
        json.dumps(list(queues)),
        slots,
        started,
        __version__,
    )
    with journal.transaction() as connection:
        connection.execute(_ANNOUNCE, values)


def forget(journal: PostgresJournal, name: str) -> None:
    """Take a worker off the list: it ended, or its runs are taken over."""
    with journal.transaction() as connection:
        connection.execute("DELETE FROM workers WHERE worker = ?", (name,))


def list_workers(journal: PostgresJournal) -> tuple[Worker, ...]:
    """Return all workers, the oldest first."""
    rows = journal.rows(_LIST)
    alive = living(journal.rows, [row[0] for row in rows]) if rows else set()
    return tuple(
        Worker(name, host, pid, folder, tuple(json.loads(queues)), slots, started, version, silent, name in alive)
        for name, host, pid, folder, queues, slots, started, version, silent in rows
    )


def gone(workers: Collection[Worker], missed: Mapping[str, float], now: float) -> tuple[list[str], dict[str, float]]:
    """Return the workers that count as gone, and since when each of those without a lock was seen so.

    | a worker | is |
    |---|---|
    | holds its lock | alive |
    | has no lock, for less than `GONE` seconds | given time to come back, as after a restart of the server |
    | has no lock, for longer | gone |

    Args:
        workers: all of them.
        missed: since when each was seen without its lock.
        now: the time, on the clock of `missed`.
    """
    since = {one.name: missed.get(one.name, now) for one in workers if not one.alive}
    return [name for name, begin in since.items() if now - begin >= GONE], since


def silenced(workers: Collection[Worker], me: str) -> list[str]:
    """Return the workers that hold their lock and say nothing: their network stalls, and the server does not know."""
    return [one.name for one in workers if one.alive and one.silent > SILENT and one.name != me]


def cut_off(journal: PostgresJournal, worker: str) -> None:
    """End every session of a worker: what it has not written by now, it can never write."""
    journal.rows(_CUT_OFF, (label_of(worker),))


class Watch:
    """One worker's eye on the others.

    Args:
        journal: the database.
        me: this worker.
    """

    def __init__(self, journal: PostgresJournal, me: str) -> None:
        self._journal = journal
        self._me = me
        self._missed: dict[str, float] = {}

    def look(self) -> tuple[list[str], list[str]]:
        """Look at all others once; return those that are gone, and those that were cut off now."""
        others = [one for one in list_workers(self._journal) if one.name != self._me]
        found, self._missed = gone(others, self._missed, time.monotonic())
        silent = silenced(others, self._me)
        for name in silent:
            cut_off(self._journal, name)
        return found, silent
