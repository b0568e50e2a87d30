"""What services answer, and what is said of answers that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from f0ci.core.errors import NetworkError
from f0ci.core.redaction import Redactor

# characters of a service's own words that a message quotes
_QUOTED = 200
_HINTS: Mapping[int, str] = {
    401: "check the credentials, and that the service takes this kind",
    403: "check what the credentials allow",
    404: "check the address",
    407: "check the credentials of the proxy",
    429: "ask less often",
}


class ConnectionFault(NetworkError):
    """The connection could not be made, or broke; asking again may help."""


class StatusError(NetworkError):
    """A service answered with a status other than 2xx.

    Args:
        message: as in every error of f0ci.
        hint: the next action, or None.
        status: the HTTP status.
        data: what the service said as JSON, or None.
        pause: seconds for which it asks to be left alone.
    """

    def __init__(
        self, message: str, hint: str | None = None, *, status: int = 0, data: Any = None, pause: float = 0.0
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.data = data
        self.pause = pause


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end.

    Attributes:
        url: what answered, as asked, with its query.
        where: the same as messages show it.
        status: the HTTP status.
        headers: by name in any case.
        body: as it arrived, not encoded.
    """

    url: str
    where: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def read_json(answer: Answer, redactor: Redactor) -> Any:
    """Return the data that an answer holds.

    Raises:
        StatusError: its status is not 2xx.
        NetworkError: it holds no JSON.
    """
    problem = None
    data = None
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        problem = error
    if not 200 <= answer.status < 300:
        said = printable(answer.body.decode("utf-8", "replace"))
        words = f": {said}" if said and not said.startswith("<") else ""
        hint = _HINTS.get(answer.status, "look at the service's log" if answer.status >= 500 else "check the question")
        raise StatusError(
            redactor.text(f"{answer.where} answered {answer.status}{words}"),
            hint,
            status=answer.status,
            data=data,
            pause=asked_pause(answer.headers.get("Retry-After")),
        )
    if problem is not None:
        said = printable(answer.body.decode("utf-8", "replace"))
        raise NetworkError(
            redactor.text(f"{answer.where} answered with what is not JSON: {said!r}"),
            "check the address; a page for people, such as a login, may answer there",
        ) from problem
    return data


def asked_pause(header: str | None) -> float:
    """Return the seconds that a `Retry-After` header names (RFC 9110, section 10.2.3); 0 for none or nonsense."""
    from email.utils import parsedate_to_datetime

    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def printable(text: str) -> str:
    """Return the first line of foreign words that holds any, without control characters, and not too long."""
    line = next((line.strip() for line in text[: 10 * _QUOTED].splitlines() if line.strip()), "")
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= _QUOTED else line[: _QUOTED - 3] + "..."


def why(error: BaseException) -> str:
    """Return the operating system's or the TLS library's word for what broke a connection."""
    for each in _chain(error):
        # of a certificate, what is wrong with it
        word = getattr(each, "verify_message", None) or getattr(each, "reason", None)
        if isinstance(each, OSError) and isinstance(word, str):
            return word.lower().replace("_", " ").rstrip(".")
        if isinstance(each, OSError) and each.strerror:
            return each.strerror.lower()
        if isinstance(each, TimeoutError):
            return "no answer in time"
    return "the connection broke"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised for, however it was wrapped."""
    seen: set[int] = set()
    found = [error]
    while found:
        each = found.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        found.extend(one for one in inner if isinstance(one, BaseException))
