"""Who is alive: an advisory lock on the server, which ends with its session, however that ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

# asks for the lock of a name, without waiting
TAKE = "SELECT pg_try_advisory_lock(%s)"
_HELD = (
    "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND objsubid = 1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def key_of(name: str) -> int:
    """Return the number under which a name is locked: the first 64 bits of its SHA-256, signed."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def living(rows: Callable[[str], Iterable[Any]], names: Iterable[str]) -> set[str]:
    """Return those of some names whose lock somebody holds.

    Args:
        rows: answers a query.
        names: the names.
    """
    held = {number for (number,) in rows(_HELD)}
    return {name for name in names if key_of(name) in held}


class ServerLiveness:
    """A user of a database of runs, alive for as long as its session holds a lock.

    Args:
        owner: its name.
        rows: answers a query.
    """

    def __init__(self, owner: str, rows: Callable[[str], Iterable[Any]]) -> None:
        self.owner = owner
        self._rows = rows

    def lives(self, owner: str) -> bool:
        """Tell whether a user is alive."""
        return owner == self.owner or owner in living(self._rows, [owner])

    def end(self) -> None:
        """Do nothing: the lock ends with the session."""
