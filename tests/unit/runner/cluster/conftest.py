"""A server, databases on it, and worker processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from f0ci.runner.address import Address, read_address
from f0ci.runner.cluster.journal import PostgresJournal
from tests.postgres import Server

# longer than a worker keeps itself: its grace, and thirty seconds
PATIENCE = 90.0


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Return a server for all tests of one process."""
    made = Server.make()
    yield made
    made.remove()


@pytest.fixture
def address(server: Server) -> Address:
    """Return the address of a database of the test's own."""
    return read_address(server.url(server.new_database()))


@pytest.fixture
def journal(address: Address) -> Iterator[PostgresJournal]:
    """Return the journal in that database, as a command has it."""
    with PostgresJournal(address) as opened:
        yield opened


@dataclass
class WorkerProcess:
    """A `f0ci worker` that runs.

    Attributes:
        process: the process.
        said: what it said so far, line by line.
    """

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    _listener: threading.Thread = field(default_factory=threading.Thread)

    @classmethod
    def start(
        cls, address: Address, folder: Path, *options: str, env: dict[str, str] | None = None, ready: bool = True
    ) -> WorkerProcess:
        """Start one, and wait until it takes runs, unless it need not be ready."""
        process = subprocess.Popen(
            [sys.executable, "-m", "f0ci", "-C", str(folder), "worker", "--health", "0", *options],
            env={
                **os.environ,
                "F0CI_ENGINE": address.url,
                "NO_COLOR": "1",
                # where it has to be aborted, it says where its threads are
                "PYTHONFAULTHANDLER": "1",
                **(env or {}),
            },
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        worker = cls(process)
        worker._listener = threading.Thread(target=worker._listen, daemon=True)
        worker._listener.start()
        if ready:
            wait_until(lambda: worker.has_said("takes runs from") or process.poll() is not None)
            assert process.poll() is None, worker.said
        return worker

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))

    def has_said(self, words: str) -> bool:
        """Tell whether some line holds these words."""
        return any(words in line for line in self.said)

    @property
    def health(self) -> str:
        """Return the address of its health endpoint."""
        found = re.search(r"health at (\S+)", "\n".join(self.said))
        assert found is not None
        return found[1]

    @property
    def name(self) -> str:
        """Return the name under which others know it."""
        found = re.search(r"worker (\S+) takes", "\n".join(self.said))
        assert found is not None
        return found[1]

    def children(self) -> list[int]:
        """Return the processes it started."""
        files = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(child) for file in files for child in file.read_text(encoding="ascii").split()]

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Kill it, and every process it started, as a machine that goes away does."""
        children = self.children()
        for pid, number in ((self.process.pid, how), *((child, signal.SIGKILL) for child in children)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        self.process.wait(30)

    def stop(self) -> int:
        """Tell it to stop, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired as late:
            self.kill(signal.SIGABRT)
            self._listener.join(10)
            raise AssertionError("\n".join([f"a worker did not end within {PATIENCE:g} s", *self.said])) from late
        finally:
            if self.process.stderr is not None:
                self.process.stderr.close()


StartWorker = Callable[..., WorkerProcess]


@pytest.fixture
def start_worker(address: Address) -> Iterator[StartWorker]:
    """Return what starts workers, all of which end with the test."""
    started: list[WorkerProcess] = []

    def start(folder: Path, *options: str, at: Address | None = None, **more: Any) -> WorkerProcess:
        started.append(WorkerProcess.start(at or address, folder, *options, **more))
        return started[-1]

    yield start
    for worker in started:
        if worker.process.poll() is None:
            worker.process.send_signal(signal.SIGTERM)
            worker.process.send_signal(signal.SIGTERM)
    for worker in started:
        worker.stop()


def wait_until(condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
    """Wait until something holds, or fail."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def all_over(journal: PostgresJournal, runs: Sequence[str]) -> bool:
    """Tell whether runs are over."""
    rows = journal.rows("SELECT count(*) FROM runs WHERE ended IS NULL AND run = ANY(?)", (list(runs),))
    return bool(rows[0][0] == 0)
