"""Killed workers, a server that goes away, a network that stalls: every step is recorded once, and all runs end."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from f0ci.runner.address import Address, read_address
from f0ci.runner.cluster.engine import ClusterEngine
from f0ci.runner.cluster.fleet import list_workers
from f0ci.runner.cluster.journal import PostgresJournal
from f0ci.runner.frozen import freeze
from f0ci.runner.interface import Order
from f0ci.runner.options import RunOptions
from f0ci.runner.runs import list_runs
from f0ci.source.project import Project
from tests.conftest import rounds, write_files
from tests.postgres import Server
from tests.unit.runner.cluster.conftest import StartWorker, WorkerProcess, all_over, wait_until
from tests.unit.runner.cluster.proxy import Proxy
from tests.unit.runner.test_crashing import INNER, PATHS, RECIPE, TRACE, bodies_of

# bodies of one run that are in flight at the same time at most
SIDE_BY_SIDE = 2
SLOTS = 2


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository whose steps leave a line each time their body runs."""
    folder = tmp_path / "work"
    # a body takes so long that some are in flight at any moment
    trace = TRACE.replace("(context, params):\n", "(context, params):\n    time.sleep(0.03)\n", 1)
    files = {"recipes/crash.yaml": RECIPE, "recipes/inner.yaml": INNER, "scriptlets/trace.py": f"import time\n{trace}"}
    write_files(folder, files)
    return folder


def hand_over(journal: PostgresJournal, root: Path, count: int, first: int = 0) -> list[str]:
    """Hand runs over, and return them."""
    engine, plan = ClusterEngine(journal), freeze(root, Project(), "recipes/crash.yaml", None)
    runs = [f"run-{number:03}" for number in range(first, first + count)]
    for run in runs:
        engine.start(Order(plan, options=RunOptions(run=run)))
        engine.hand_over(run)
    return runs


def check(journal: PostgresJournal, root: Path, runs: Sequence[str], most_repeated: int) -> None:
    """Check that every run passed, that every step was recorded once, and how often bodies were repeated."""
    assert {row.state for row in list_runs(journal, limit=1_000)} == {"passed"}
    recorded = Counter(journal.rows("SELECT run, path FROM steps WHERE outcome = 'passed'"))
    assert recorded == Counter({(run, path): 1 for run in runs for path in PATHS})
    assert journal.rows("SELECT DISTINCT value FROM changes WHERE key = 'seen.f'") == [("3",)]
    assert journal.rows("SELECT run, key FROM changes GROUP BY run, key HAVING count(*) > 1") == []
    assert journal.rows("SELECT DISTINCT n FROM (SELECT count(*) AS n FROM attempts GROUP BY run) AS t") == [(2,)]
    bodies = Counter(line.split()[1] for line in (root / "trace.txt").read_text().splitlines())
    assert set(bodies) == {f"{run}/{path}" for run in runs for path in PATHS if path != "d"}
    assert sum(count - 1 for count in bodies.values()) <= most_repeated


def test_workers_killed_at_random_moments_lose_nothing(
    root: Path, journal: PostgresJournal, start_worker: StartWorker
) -> None:
    chance = random.Random(20_261_126)
    most = rounds(3, 40)
    workers = [start_worker(root, "--slots", str(SLOTS)) for _ in range(3)]
    runs = hand_over(journal, root, rounds(30, 300))
    kills = 0
    while kills < most and not all_over(journal, runs):
        enough = bodies_of(root) + chance.randint(1, 3 * len(runs) // most)
        wait_until(lambda enough=enough: bodies_of(root) >= enough or all_over(journal, runs))  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.01))
        victim = chance.choice(workers)
        workers.remove(victim)
        # its machine goes away, or only its own process does
        if chance.random() < 0.5:
            victim.kill()
        else:
            victim.process.kill()
            victim.process.wait()
        kills += 1
        workers.append(start_worker(root, "--slots", str(SLOTS), ready=False))
    wait_until(lambda: all_over(journal, runs), seconds=rounds(90, 600))

    check(journal, root, runs, most_repeated=kills * SLOTS * SIDE_BY_SIDE)
    assert kills >= rounds(2, 20)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_server_that_goes_away_and_comes_back_is_a_pause(
    how: signal.Signals, root: Path, address: Address, server: Server, start_worker: StartWorker
) -> None:
    workers = [start_worker(root, "--slots", str(SLOTS)) for _ in range(2)]
    with PostgresJournal(address) as journal:
        runs = hand_over(journal, root, 40)
        wait_until(lambda: bodies_of(root) >= 20)
        server.stop(how)
        wait_until(lambda: any(worker.has_said("waiting for it") for worker in workers))
        server.start()
        wait_until(lambda: all_over(journal, runs))
        # steps that ran meanwhile were recorded afterwards: nobody was taken for dead
        check(journal, root, runs, most_repeated=0)
        # and nobody has to be started again
        more = hand_over(journal, root, 5, first=40)
        wait_until(lambda: all_over(journal, more))
        assert all(one.alive for one in list_workers(journal))
    said = "\n".join(line for worker in workers for line in worker.said)
    assert "Traceback" not in said, said


def test_a_worker_stops_while_its_server_is_away(
    root: Path, address: Address, server: Server, start_worker: StartWorker
) -> None:
    with Proxy(server.port) as proxy:
        far = read_address(re.sub(r":\d+/", f":{proxy.port}/", address.url))
        worker = start_worker(root, "--grace", "1", at=far)
        with PostgresJournal(address) as journal:
            hand_over(journal, root, 1)
            wait_until(lambda: bodies_of(root) >= 1)
    assert worker.stop() == 0
    assert worker.has_said("ended")


def test_a_worker_that_nobody_listens_to_goes_on(
    root: Path, address: Address, server: Server, start_worker: StartWorker
) -> None:
    worker = start_worker(root)
    assert worker.process.stderr is not None
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), worker.process.stderr.fileno())
    server.stop()
    wait_until(lambda: health_of(worker) == "without its database")
    server.start()
    wait_until(lambda: health_of(worker) == "serving")
    with PostgresJournal(address) as journal:
        runs = hand_over(journal, root, 2)
        wait_until(lambda: all_over(journal, runs))
    assert worker.stop() == 0


def health_of(worker: WorkerProcess) -> str:
    """Return what a worker says of itself where it is asked."""
    try:
        with urllib.request.urlopen(worker.health) as answer:  # noqa: S310 - an address of ours
            told = json.load(answer)
    except urllib.error.HTTPError as unwell:
        with unwell:
            told = json.load(unwell)
    return str(told["state"])


def test_a_worker_whose_network_stalls_is_cut_off_and_comes_back(
    root: Path, address: Address, journal: PostgresJournal, server: Server, start_worker: StartWorker
) -> None:
    with Proxy(server.port) as proxy:
        far = read_address(re.sub(r":\d+/", f":{proxy.port}/", address.url))
        stalled = start_worker(root, "--slots", str(SLOTS), at=far)
        runs = hand_over(journal, root, 20)
        wait_until(lambda: bodies_of(root) >= 20)
        proxy.flowing.clear()
        heir = start_worker(root, "--slots", str(SLOTS))
        wait_until(lambda: all_over(journal, runs))
        assert heir.has_said(f"worker {stalled.name} holds its lock and says nothing")
        check(journal, root, runs, most_repeated=SLOTS * SIDE_BY_SIDE)

        proxy.flowing.set()
        wait_until(lambda: came_back(journal, stalled))
        heir.stop()
        more = hand_over(journal, root, 3, first=20)
        wait_until(lambda: all_over(journal, more))
        check(journal, root, [*runs, *more], most_repeated=SLOTS * SIDE_BY_SIDE)


def came_back(journal: PostgresJournal, worker: WorkerProcess) -> bool:
    """Tell whether a worker is known, and alive."""
    return any(one.name == worker.name and one.alive and one.silent < 2 for one in list_workers(journal))
