"""What `f0ci[cluster]` installs; nothing of it is needed otherwise."""

from __future__ import annotations

from importlib import util

from f0ci.core.errors import CannotWork

_HINT = "install it: pip install 'f0ci[cluster]'"


def require_dbos() -> None:
    """Make sure that DBOS is there.

    Raises:
        CannotWork: it is not.
    """
    if util.find_spec("dbos") is None:
        raise CannotWork("an engine on PostgreSQL needs DBOS, which is not installed", _HINT)


def require_psycopg() -> None:
    """Make sure that the driver of PostgreSQL is there.

    Raises:
        CannotWork: it is not.
    """
    if util.find_spec("psycopg") is None:
        raise CannotWork("an engine on PostgreSQL needs psycopg, which is not installed", _HINT)
