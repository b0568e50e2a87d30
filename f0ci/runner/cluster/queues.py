"""Queues: how many runs go on at the same time, and where."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from f0ci.core.duration import parse_duration
from f0ci.core.errors import InputError, UsageError
from f0ci.core.suggestions import did_you_mean
from f0ci.runner.address import Address
from f0ci.runner.cluster.connection import NETWORK, EngineError
from f0ci.runner.cluster.extra import require_dbos

if TYPE_CHECKING:
    from dbos import DBOS, DBOSClient

    from f0ci.runner.cluster.journal import PostgresJournal

DEFAULT = "default"
# runs of one queue that a worker carries on at the same time, where nothing says otherwise
PER_WORKER = 4
# what DBOS knows f0ci by; the version is that of what the queue holds, so that upgrades strand nothing
APPLICATION, SCHEMA, WORKFLOW, VERSION = "f0ci", "f0ci_queue", "carry_on", "f0ci-1"
# seconds between two looks of a worker at a queue
POLLING = 0.05
_RATE = re.compile(r"(\d+)\s*/\s*(\S+)")
_KNOWN = f"SELECT name FROM {SCHEMA}.queues WHERE application_name = ? ORDER BY name"  # noqa: S608 - the schema is ours


# queues that were there when somebody looked; f0ci takes none away
_SEEN: set[tuple[str, str]] = set()


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue and its limits.

    Attributes:
        name: its name.
        per_worker: runs that one worker carries on at the same time at most.
        everywhere: runs that all workers together carry on at the same time at most, or None.
        rate: runs that may begin, in so many seconds, or None.
    """

    name: str = DEFAULT
    per_worker: int = PER_WORKER
    everywhere: int | None = None
    rate: tuple[int, float] | None = None

    @property
    def limits(self) -> dict[str, Any]:
        """Return the limits as DBOS takes them."""
        return {
            "worker_concurrency": self.per_worker if self.everywhere is None else min(self.per_worker, self.everywhere),
            "global_concurrency": self.everywhere,
            "limiter": None if self.rate is None else {"limit": self.rate[0], "period": self.rate[1]},
            "polling_interval_sec": POLLING,
        }


def read_queues(written: Mapping[str, Any], place: str | None = None) -> dict[str, Queue]:
    """Return the queues that `f0ci.yaml` names under `engine`, by name; `default` is always among them.

    Raises:
        InputError: a rate is none.
    """
    found = {DEFAULT: Queue()}
    for name, limits in written.items():
        given = limits or {}
        found[name] = Queue(
            name,
            given.get("per_worker", PER_WORKER),
            given.get("everywhere"),
            _rate(name, given["rate"], place) if "rate" in given else None,
        )
    return found


def _rate(name: str, text: str, place: str | None) -> tuple[int, float]:
    found = _RATE.fullmatch(text)
    try:
        seconds = 0.0 if found is None else parse_duration(found[2]).total_seconds()
    except ValueError:
        seconds = 0.0
    if found is None or not int(found[1]) or seconds <= 0:
        raise InputError(
            f"the rate {text!r} of queue {name!r} is none", "write it as 20/1m: runs, in a time", place=place
        )
    return int(found[1]), seconds


def database_url(address: Address) -> str:
    """Return an address as SQLAlchemy wants it."""
    return "postgresql://" + address.url.partition("://")[2]


def engine_settings(label: str) -> dict[str, Any]:
    """Return how DBOS connects: as f0ci does, under the same name."""
    return {"connect_args": {**NETWORK, "application_name": label}}


def migrate(journal: PostgresJournal) -> None:
    """Make, or bring up to date, what DBOS keeps in the database.

    Raises:
        EngineError: a newer DBOS made it, or this user may not.
    """
    require_dbos()
    from dbos._migration import get_dbos_migrations

    known = len(get_dbos_migrations(SCHEMA, use_listen_notify=True))
    with journal.alone():
        _bring_to(journal, known)


def _bring_to(journal: PostgresJournal, known: int) -> None:
    from dbos import DBOS

    found = _layout(journal)
    if found > known:
        raise EngineError(
            f"the queues in {journal.name!r} were made by a newer DBOS (layout {found}, this one knows {known})",
            "upgrade f0ci[cluster] here too: pip install -U 'f0ci[cluster]'",
        )
    if found < known:
        quiet()
        try:
            DBOS.migrate(database_url(journal.address), schema=SCHEMA)
        except Exception as error:
            words = str(error).partition("\n")[0]
            raise EngineError(
                f"the queues in {journal.name!r} cannot be made: {words}",
                "let the role make schemas in the database, or have its owner run `f0ci worker` once",
            ) from error


def _layout(journal: PostgresJournal) -> int:
    if not journal.rows("SELECT 1 FROM pg_tables WHERE schemaname = ? AND tablename = 'dbos_migrations'", (SCHEMA,)):
        return 0
    found = journal.rows(f"SELECT version FROM {SCHEMA}.dbos_migrations")  # noqa: S608 - the schema is ours
    return int(found[0][0]) if found else 0


def quiet() -> None:
    """Have DBOS say only what went wrong, and talk to nobody but the database."""
    import logging

    logging.getLogger("dbos").setLevel(logging.ERROR)
    for name in [name for name in os.environ if name.startswith("DBOS_")]:
        del os.environ[name]


def known_queues(journal: PostgresJournal) -> list[str]:
    """Return the names of the queues that the database has."""
    return [name for (name,) in journal.rows(_KNOWN, (APPLICATION,))] if _layout(journal) else []


def require_queue(journal: PostgresJournal, name: str, declared: Mapping[str, Queue]) -> None:
    """Make sure that runs can be handed to a queue, also before any worker ever ran.

    Raises:
        UsageError: there is no such queue, in the database or among those declared.
    """
    if (str(journal.address), name) in _SEEN:
        return
    # not while somebody makes them
    with journal.alone():
        known = known_queues(journal)
    if name in known:
        _SEEN.add((str(journal.address), name))
        return
    if name not in declared:
        names = sorted({*known, *declared})
        raise UsageError(
            f"there is no queue {name!r}",
            did_you_mean(name, names, noun="there are") or "write it under engine.queues in f0ci.yaml",
        )
    migrate(journal)
    with_client(journal, lambda client: register(client, declared[name], on_conflict="never_update"))


def register(door: type[DBOS] | DBOSClient, queue: Queue, on_conflict: Any) -> None:
    """Record a queue with its limits, for all workers."""
    door.register_queue(queue.name, on_conflict=on_conflict, **queue.limits)


def with_client(journal: PostgresJournal, work: Any) -> None:
    """Do something with DBOS's queues from outside a worker."""
    require_dbos()
    from dbos import DBOSClient, DBOSPortableJSONSerializer

    quiet()
    client = DBOSClient(
        system_database_url=database_url(journal.address),
        dbos_system_schema=SCHEMA,
        serializer=DBOSPortableJSONSerializer(),
        application_name=APPLICATION,
        system_database_pool_size=1,
        retry_connection_errors=False,
    )
    try:
        work(client)
    finally:
        client.destroy()


def names_of(queues: Sequence[Queue]) -> list[str]:
    """Return the names of queues."""
    return [queue.name for queue in queues]
