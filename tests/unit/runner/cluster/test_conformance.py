"""What every engine must do, of the two on PostgreSQL: runs in this process, and runs that workers carry on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from f0ci.runner.address import Address, read_address
from f0ci.runner.cluster.engine import ClusterEngine
from f0ci.runner.cluster.journal import PostgresJournal
from f0ci.runner.engine import EmbeddedEngine, Engine
from tests.postgres import Server
from tests.unit.runner.cluster.conftest import WorkerProcess
from tests.unit.runner.conformance import Bench, EngineConformance

_TABLES = "f0ci.runs, f0ci.plans, f0ci.steps, f0ci.attempts, f0ci.changes, f0ci.signals, f0ci.handed_over"


@pytest.fixture(scope="module")
def place(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Address, Path]]:
    """Return a database and a folder that one worker serves for all tests: starting one takes a second."""
    address, root = read_address(server.url(server.new_database())), tmp_path_factory.mktemp("work")
    worker = WorkerProcess.start(address, root, "--slots", "1")
    yield address, root
    assert worker.stop() == 0
    assert "Traceback" not in "\n".join(worker.said)


class TestRunsHere(EngineConformance):
    """The embedded engine with its journal in PostgreSQL passes the suite."""

    @pytest.fixture
    def bench(self, address: Address, tmp_path: Path) -> Iterator[Bench]:
        opened: list[PostgresJournal] = []

        def make() -> Engine:
            opened.append(PostgresJournal(address))
            return EmbeddedEngine(opened[-1], sleep=lambda _: None)

        yield Bench(tmp_path, make)
        for journal in opened:
            journal.close()


class TestRunsElsewhere(EngineConformance):
    """The engine whose runs workers carry on passes the suite."""

    @pytest.fixture
    def bench(self, place: tuple[Address, Path]) -> Iterator[Bench]:
        address, root = place
        opened: list[PostgresJournal] = []

        def make() -> Engine:
            opened.append(PostgresJournal(address))
            return ClusterEngine(opened[-1], patience=30)

        make()
        with opened[0].transaction() as connection:
            connection.execute(f"TRUNCATE {_TABLES}, f0ci_queue.workflow_status CASCADE")
        (root / "tally.txt").unlink(missing_ok=True)
        yield Bench(root, make)
        for journal in opened:
            journal.close()
