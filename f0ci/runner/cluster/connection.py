"""One session on a PostgreSQL server, which is never waited for without an end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from f0ci.runner.address import Address
from f0ci.runner.journal import JournalError

if TYPE_CHECKING:
    from psycopg.abc import PQGen

# seconds in which a server must accept a connection, and in which one that is silent counts as gone
CONNECTING = 5
SILENCE = 10.0
# what keeps a session's network honest: seconds, seconds, count; milliseconds in which sent bytes must arrive
NETWORK: dict[str, Any] = {
    "connect_timeout": CONNECTING,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": int(SILENCE * 1000),
}
Result = TypeVar("Result")


class EngineError(JournalError):
    """The database of runs cannot be used; what it holds stays as it is."""


class Session(psycopg.Connection[Any]):
    """A connection that gives a silent server up, also where something in between still acknowledges bytes.

    A statement that has to wait for a lock is cancelled by the server after half of that time (`lock_timeout`), and
    says so; silence for longer is a network that stalls.
    """

    def wait(self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None) -> Result:
        """Carry out what psycopg wants of the socket."""
        until = time.monotonic() + SILENCE
        try:
            return super().wait(gen, interval, SILENCE if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if timeout is not None or time.monotonic() < until:
                raise
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the server said nothing for {SILENCE:g} s") from error


def connect(address: Address, name: str, password: str | None = None) -> Session:
    """Return a session that commits each statement outside of a transaction.

    Args:
        address: the database.
        name: by which others find the session among those of the server.
        password: where the address has none; None leaves it to libpq.

    Raises:
        psycopg.Error: there is no such server or database, or it does not let us in.
    """
    settings: dict[str, Any] = {
        "application_name": name,
        "options": f"-c lock_timeout={int(SILENCE * 500)} -c search_path=f0ci -c client_min_messages=warning",
    }
    if password is not None and not address.has_password:
        settings["password"] = password
    return Session.connect(address.url, autocommit=True, **NETWORK, **settings)


def explanation(address: Address, error: psycopg.Error) -> EngineError:
    """Return what a person should know of an error of PostgreSQL, without the password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    words = error.diag.message_primary or (lines[0] if lines else type(error).__name__)
    words = words.removeprefix("connection failed: ")
    state = error.sqlstate or ""
    if "password authentication failed" in words or "no password supplied" in words or state.startswith("28"):
        hint = "give user and password: PGPASSWORD, ~/.pgpass, or the address in F0CI_ENGINE"
    elif state == "3D000" or ('database "' in words and "does not exist" in words):
        hint = "create the database: createdb"
    elif state.startswith("42501"):
        hint = "let the role make schemas and tables in the database, or have its owner run `f0ci worker` once"
    elif state.startswith("53"):
        hint = "free space, or raise its max_connections; runs go on with `f0ci run --resume RUN`"
    elif state.startswith("42"):
        hint = "the layout is not as this f0ci made it: use one version of f0ci everywhere, or restore a backup"
    else:
        hint = "check that the server runs and can be reached; runs go on with `f0ci run --resume RUN`"
    return EngineError(f"the engine {str(address)!r} cannot be used: {words}", hint)
