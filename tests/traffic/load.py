"""A constant load on one address, each answer written down."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

THREADS = 6


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        at: when it was asked for, in seconds of `time.time`.
        status: HTTP status, or 0 where the connection failed.
        release: digest of the release that answered, or empty where the proxy itself did.
    """

    at: float
    status: int
    release: str


@dataclass
class Load:
    """Clients that ask at a constant rate, each over a connection that it keeps.

    Attributes:
        port: of the address on this machine.
        rate: requests a second of all clients together; 0 stops them for a while.
        headers: sent with each request.
        answers: what came back, in the order of coming back.
    """

    port: int
    rate: float = 100.0
    headers: Mapping[str, str] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the clients ask for as long as the block runs."""
        threads = [threading.Thread(target=self._ask, name=f"client {at}") for at in range(THREADS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            if self.rate <= 0:
                due = time.monotonic() + 0.02
                continue
            due = max(due + THREADS / self.rate, time.monotonic() - 0.2)
            self.answers.append(self._one(connection))
        connection.close()

    def _one(self, connection: http.client.HTTPConnection) -> Answer:
        at = time.time()
        try:
            connection.request("GET", "/", headers=dict(self.headers))
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return Answer(at, 0, "")
        return Answer(at, answer.status, answer.headers.get("X-Release", ""))

    def between(self, start: float, end: float) -> list[Answer]:
        """Return what was asked for between two moments."""
        return [answer for answer in list(self.answers) if start <= answer.at < end]


def shares(answers: list[Answer]) -> dict[str, float]:
    """Return the percent of answers by release."""
    counted = Counter(answer.release for answer in answers)
    return {release: 100 * count / len(answers) for release, count in counted.items()}


def failed(answers: list[Answer]) -> list[Answer]:
    """Return the answers that no client wants."""
    return [answer for answer in answers if not 200 <= answer.status < 400]
