"""Where runs are recorded when it is not a file: the address of a PostgreSQL database."""

from __future__ import annotations

import re

from f0ci.core.errors import InputError, UsageError
from f0ci.core.values import dataclass

# what may stand before the rest of an address; libpq knows the first two
SCHEMES = ("postgresql", "postgres")
_ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<rest>.*)", re.IGNORECASE)
_PASSWORD = re.compile(r"(?<=[?&])((?:ssl)?password=)[^&]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """A database that holds runs.

    Attributes:
        url: as given, perhaps with a password; never to be shown.
        queue: the queue that new runs are handed to, or None where they run here.
    """

    url: str
    queue: str | None = None

    def __str__(self) -> str:
        """Return the address for people, without its password."""
        scheme, _, rest = self.url.partition("://")
        before, at, host = rest.rpartition("@")
        user = before.partition(":")[0]
        return _PASSWORD.sub(r"\1***", f"{scheme}://{user}{at}{host}")

    def __repr__(self) -> str:
        return f"Address({str(self)!r}, {self.queue!r})"

    @property
    def has_password(self) -> bool:
        """Tell whether the address itself holds a password."""
        before = self.url.partition("://")[2].rpartition("@")[0]
        return ":" in before or _PASSWORD.search(self.url) is not None


def read_address(url: str, queue: str | None = None, *, place: str | None = None) -> Address:
    """Return the address that somebody wrote.

    Args:
        url: `postgresql://user@host:port/database`.
        queue: the queue for new runs, or None.
        place: where it stands in a file, or None where it was given to a command.

    Raises:
        UsageError: a command was given what is no address of a PostgreSQL database.
        InputError: a file holds such, or one with a password.
    """
    address = Address(url, queue)
    found = _ADDRESS.fullmatch(url)
    hint = "write postgresql://user@host:port/database"
    if found is None or found["scheme"].lower() not in SCHEMES or not found["rest"]:
        shown = str(address) if found is not None else url.partition("@")[2] or url
        message = f"{shown!r} is no address of an engine"
        if place is not None:
            raise InputError(message, hint, place=place)
        raise UsageError(message, hint)
    if place is not None and address.has_password:
        raise InputError(
            f"the address {str(address)!r} is written with its password",
            "leave the password out, and give it in PGPASSWORD, in ~/.pgpass, or the whole address in F0CI_ENGINE",
            place=place,
        )
    return address
