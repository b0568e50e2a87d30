"""Workers: what they take, how many at a time, who takes over, and how they stop."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from f0ci.core.errors import GitError
from f0ci.core.outcome import Outcome
from f0ci.runner.address import Address
from f0ci.runner.cluster import worker as serving
from f0ci.runner.cluster.engine import ClusterEngine
from f0ci.runner.cluster.fleet import GONE, SILENT, Worker, gone, list_workers, silenced
from f0ci.runner.cluster.journal import PostgresJournal
from f0ci.runner.cluster.slots import Slots
from f0ci.runner.cluster.worker import Duty, _ServingWorker
from f0ci.runner.frozen import freeze
from f0ci.runner.history import history_of
from f0ci.runner.interface import Order
from f0ci.runner.options import RunOptions
from f0ci.runner.runs import find_run, get_run
from f0ci.source.project import Project
from tests.conftest import write_files
from tests.unit.runner.cluster.conftest import StartWorker, all_over, wait_until

SERVING = """
import ctypes, os, signal, sys, threading
from pathlib import Path
from types import SimpleNamespace
from f0ci.runner.address import Address
from f0ci.runner.cluster import worker as serving
from f0ci.runner.cluster.worker import Duty, _ServingWorker

journal = SimpleNamespace(liveness=SimpleNamespace(lives=lambda owner: True))
duty = Duty(Address("postgresql://nowhere"), Path(), (), 1, lambda release: Path(), grace=0)
worker = _ServingWorker(duty, "1-a", journal)
"""
# a signal comes while the main thread holds what an event waits by
WHILE_IT_LOOKS = f"""{SERVING}
with worker._heeding_signals():
    for event in (worker.stop, worker.hurry):
        with event._cond:
            os.kill(os.getpid(), signal.SIGTERM)
        assert event.wait(20)
"""
# the second signal comes right after the first thing that is done about the first one
AT_ONCE = f"""{SERVING}
with worker._heeding_signals():
    handler, left = signal.getsignal(signal.SIGTERM).__code__, [signal.SIGTERM]
    def meddle(frame, event, arg):
        if left and frame.f_code is handler and event in ("c_return", "return"):
            os.kill(os.getpid(), left.pop())
    sys.setprofile(meddle)
    os.kill(os.getpid(), signal.SIGTERM)
    sys.setprofile(None)
    assert not left
    assert worker.stop.wait(20)
    assert worker.hurry.wait(20)
"""
# the main thread waits in native code, which goes on waiting whatever signals come
STUCK = f"""{SERVING}
serving.KEPT = 0.01
lock = ctypes.create_string_buffer(256)
with worker._heeding_signals():
    ctypes.CDLL(None).pthread_mutex_lock(lock)
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    ctypes.CDLL(None).pthread_mutex_lock(lock)
"""


WAIT = "  - {name: ask, type: wait, args: {approval: true}}\n"
SPANS = """
import time

def span(context, params):
    begin = time.time()
    time.sleep(params["seconds"])
    with open("spans.txt", "a") as file:
        file.write(f"{begin} {time.time()} {params['name']}\\n")

def leave(context, params):
    import os
    with open("spans.txt", "a") as file:
        file.write("0 0 left\\n")
    if params.get("child"):
        # it keeps whatever this process holds open
        child = os.fork()
        if child == 0:
            try:
                time.sleep(60)
            finally:
                os._exit(0)
        with open("children.txt", "a") as file:
            file.write(f"{child}\\n")
    os._exit(9)
"""


@dataclass
class Shop:
    """A repository, and what hands its recipes over.

    Attributes:
        root: the repository.
        journal: the database.
    """

    root: Path
    journal: PostgresJournal

    def engine(self, **given: Any) -> ClusterEngine:
        """Return an engine as a command has it."""
        return ClusterEngine(self.journal, **given)

    def hand_over(
        self, steps: str, heading: str = "metadata: {name: test}", *, name: str | None = None, **given: Any
    ) -> str:
        """Hand a recipe of these steps to a queue, and return the run."""
        write_files(self.root, {"recipes/test.yaml": f"{heading}\nsteps:\n{steps}", "scriptlets/spans.py": SPANS})
        plan = freeze(self.root, Project(), "recipes/test.yaml", None)
        engine = self.engine(**{key: given.pop(key) for key in ("queue", "priority", "declared") if key in given})
        run = engine.start(Order(plan, options=RunOptions(run=name), **given))
        engine.hand_over(run)
        return run

    def state(self, run: str) -> str:
        """Return the state of a run."""
        return get_run(self.journal, run).state

    def reaches(self, run: str, *states: str) -> Callable[[], bool]:
        """Return what tells whether a run is in one of some states."""
        return lambda: self.state(run) in states

    @property
    def spans(self) -> list[tuple[float, float, str]]:
        """Return begin, end and name of the bodies that ran, in the order of their ends."""
        file = self.root / "spans.txt"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(float(begin), float(end), name) for begin, end, name in map(str.split, lines)]


@pytest.fixture
def shop(tmp_path: Path, journal: PostgresJournal) -> Shop:
    """Return a repository in which nothing was run yet."""
    root = tmp_path / "shop"
    root.mkdir()
    return Shop(root, journal)


def body(seconds: float, name: str = "x") -> str:
    """Return a step that takes some time."""
    return (
        f"  - {{name: {name}, type: python, module: scriptlets.spans, function: span,"
        f" args: {{seconds: {seconds}, name: {name}}}}}\n"
    )


def is_over(pid: int | str) -> Callable[[], bool]:
    """Return what tells whether a process ended."""
    return lambda: not Path("/proc", str(pid)).exists()


def most_at_once(spans: list[tuple[float, float, str]]) -> int:
    """Return how many bodies ran at the same time at most."""
    return max(sum(begin <= other <= end for begin, end, _ in spans) for other, _, _ in spans)


def test_a_run_that_waits_holds_nothing_and_goes_on_by_itself(shop: Shop, start_worker: StartWorker) -> None:
    worker = start_worker(shop.root, "--slots", "1")
    asked = shop.hand_over(body(0) + WAIT + body(0, "after"))
    wait_until(shop.reaches(asked, "waiting"))
    soaked = shop.hand_over("  - {name: soak, type: wait, args: {for: 1s}}\n")
    wait_until(shop.reaches(soaked, "waiting", "passed"))
    with urllib.request.urlopen(worker.health) as answer:  # noqa: S310 - an address of ours
        told = json.load(answer)
    # the one slot is free for others while both wait
    assert (told["state"], told["busy"], told["slots"]) == ("serving", 0, 1)
    assert shop.journal.rows("SELECT DISTINCT status FROM f0ci_queue.workflow_status") == [("SUCCESS",)]

    wait_until(shop.reaches(soaked, "passed"))
    shop.engine().send(asked, "ask", "approve", who="alice")
    wait_until(shop.reaches(asked, "passed"))
    assert [step.path for step in history_of(shop.journal, asked).timeline] == ["x", "ask", "after"]


def test_what_was_sent_while_a_run_came_to_wait_is_seen(shop: Shop, start_worker: StartWorker) -> None:
    start_worker(shop.root)
    steps = "  - {name: ask, type: wait, args: {approval: {count: 3}}}\n"
    runs = [shop.hand_over(steps) for _ in range(3)]
    for who in ("alice", "bob", "carol"):
        for run in runs:
            shop.engine().send(run, "ask", "approve", who=who)
    wait_until(lambda: all_over(shop.journal, runs))
    assert {shop.state(run) for run in runs} == {"passed"}


def test_cancelling_ends_the_processes_of_a_running_step(shop: Shop, start_worker: StartWorker) -> None:
    start_worker(shop.root)
    run = shop.hand_over("  - {name: slow, run: 'sleep 611 & echo $! $$ > pids; wait'}\n")
    wait_until(lambda: (shop.root / "pids").exists() and (shop.root / "pids").read_text().strip())
    shop.engine().cancel(run, "not wanted")
    wait_until(shop.reaches(run, "cancelled"))
    for pid in (shop.root / "pids").read_text().split():
        wait_until(is_over(pid))


def test_a_run_in_the_queue_is_cancelled_at_once(shop: Shop, start_worker: StartWorker) -> None:
    run = shop.hand_over(body(0))
    assert shop.state(run) == "queued"
    assert shop.engine().cancel(run, "not wanted").state == "cancelled"
    other = shop.hand_over(body(0, "other"))
    start_worker(shop.root)
    wait_until(shop.reaches(other, "passed"))
    assert [name for _, _, name in shop.spans] == ["other"]
    assert shop.state(run) == "cancelled"


def test_smaller_priorities_come_first(shop: Shop, start_worker: StartWorker) -> None:
    runs = [shop.hand_over(body(0, f"p{priority}"), priority=priority) for priority in (30, 10, 20, 0)]
    (shop.root / "f0ci.yaml").write_text("engine: {queues: {default: {per_worker: 1}}}\n")
    start_worker(shop.root)
    wait_until(lambda: all_over(shop.journal, runs))
    assert [name for _, _, name in shop.spans] == ["p0", "p10", "p20", "p30"]


def test_limits_hold_over_all_workers(shop: Shop, start_worker: StartWorker) -> None:
    (shop.root / "f0ci.yaml").write_text(
        "engine: {queues: {default: {per_worker: 3, everywhere: 3}, slow: {per_worker: 4, rate: 2/2s}}}\n"
    )
    for _ in range(2):
        start_worker(shop.root)
    runs = [shop.hand_over(body(0.3, f"n{number}")) for number in range(10)]
    rated = [shop.hand_over(body(0, f"r{number}"), queue="slow") for number in range(5)]
    wait_until(lambda: all_over(shop.journal, [*runs, *rated]))

    assert 2 <= most_at_once([span for span in shop.spans if span[2].startswith("n")]) <= 3
    begun = shop.journal.rows(
        "SELECT started_at_epoch_ms FROM f0ci_queue.workflow_status WHERE queue_name = 'slow' ORDER BY 1"
    )
    assert len(begun) == 5
    assert all(later - first > 1_990 for (first,), (later,) in itertools.pairwise(begun[::2]))


def test_told_to_stop_a_worker_lets_runs_end(shop: Shop, start_worker: StartWorker) -> None:
    worker = start_worker(shop.root, "--grace", "30")
    run = shop.hand_over(body(0.6))
    wait_until(lambda: shop.state(run) == "running")
    late = shop.hand_over(body(0, "late"))
    # what is in the queue by then is taken or not; whatever is taken ends
    assert worker.stop() == 0
    assert shop.state(run) == "passed"
    assert shop.state(late) in {"passed", "queued"}
    assert list_workers(shop.journal) == ()


def test_told_to_stop_a_worker_gives_back_what_does_not_end(shop: Shop, start_worker: StartWorker) -> None:
    worker = start_worker(shop.root, "--grace", "0")
    slow = "  - {name: slow, run: 'echo x >> tries; test -e gate || sleep 600'}\n"
    run = shop.hand_over(body(0) + slow + body(0, "after"))
    wait_until((shop.root / "tries").exists)
    assert worker.stop() == 0
    assert shop.state(run) == "queued"

    (shop.root / "gate").touch()
    start_worker(shop.root)
    wait_until(shop.reaches(run, "passed"))
    assert (shop.root / "tries").read_text().split() == ["x", "x"]
    assert [name for _, _, name in shop.spans] == ["x", "after"]


def test_the_runs_of_a_killed_worker_go_on_within_seconds(shop: Shop, start_worker: StartWorker) -> None:
    victim = start_worker(shop.root)
    slow = "  - {name: slow, run: 'echo x >> tries; test -e gate || sleep 600'}\n"
    run = shop.hand_over(body(0) + slow + body(0, "after"))
    wait_until((shop.root / "tries").exists)
    heir = start_worker(shop.root)
    (shop.root / "gate").touch()
    victim.kill()

    wait_until(shop.reaches(run, "passed"), seconds=20)
    wait_until(lambda: heir.has_said(f"worker {victim.name} is gone: 1 of its runs"))
    assert [name for _, _, name in shop.spans] == ["x", "after"]
    assert [one.name for one in list_workers(shop.journal)] == [heir.name]


def test_a_worker_whose_own_process_alone_is_killed_leaves_nothing_running(
    shop: Shop, start_worker: StartWorker
) -> None:
    worker = start_worker(shop.root)
    run = shop.hand_over("  - {name: slow, run: 'echo $$ > pids; exec sleep 613'}\n")
    wait_until(lambda: (shop.root / "pids").exists() and (shop.root / "pids").read_text().strip())
    children = worker.children()
    worker.process.kill()
    worker.process.wait(10)
    for pid in (*children, int((shop.root / "pids").read_text())):
        wait_until(is_over(pid))
    assert shop.state(run) == "stopped"


def test_a_run_under_which_processes_end_is_given_up(shop: Shop, start_worker: StartWorker) -> None:
    start_worker(shop.root)
    run = shop.hand_over("  - {name: bad, type: python, module: scriptlets.spans, function: leave}\n")
    wait_until(shop.reaches(run, "errored"))
    assert "3 processes ended while they carried it on, the last with exit code 9" in get_run(shop.journal, run).message
    assert len(shop.spans) == 3


def test_a_process_ends_for_the_worker_although_a_child_of_it_lives(shop: Shop, start_worker: StartWorker) -> None:
    start_worker(shop.root)
    leave = "type: python, module: scriptlets.spans, function: leave, args: {child: true}"
    run = shop.hand_over(f"  - {{name: bad, {leave}}}\n")
    try:
        wait_until(shop.reaches(run, "errored"), seconds=40)
    finally:
        # each lived until now, or this raises
        for child in (shop.root / "children.txt").read_text().split():
            os.kill(int(child), signal.SIGKILL)
    assert len(shop.spans) == 3


def test_a_run_whose_process_begins_when_the_worker_stops_is_given_back(
    address: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    slots = Slots(address, "f0ci test", 1, lambda _: False, told.append)
    begin, begun = subprocess.Popen, []

    def begin_late(*args: Any, **given: Any) -> Any:
        begun.append(begin(*args, **given))
        slots.interrupt()
        return begun[-1]

    monkeypatch.setattr(subprocess, "Popen", begin_late)
    assert slots.carry_on("run", tmp_path) == ("stopped", "the worker is stopping")
    # it is over, and was not even told which run
    assert ([process.poll() is None for process in begun], told, slots.busy) == ([False], [], [])
    slots.close()


def test_secrets_reach_workers_as_references(shop: Shop, start_worker: StartWorker) -> None:
    heading = "metadata: {name: test}\nparameters: [{name: token, sensitive: true}]"
    step = '  - {name: use, run: "test ${#T} = 14 && echo $T", args: {T: "#{params.token}"}}\n'
    engine_free = '  - {name: env, run: "env", pass_env: "*"}\n'
    with pytest.raises(Exception, match="the parameter 'token' is sensitive") as caught:
        shop.hand_over(step, heading, parameters={"token": "planted-secret"})
    assert "-p token=secret://token" in str(getattr(caught.value, "hint", ""))

    start_worker(shop.root, env={"F0CI_SECRET_TOKEN": "planted-secret"})
    run = shop.hand_over(step + engine_free, heading, parameters={"token": "secret://token"})
    wait_until(shop.reaches(run, "passed", "failed", "errored"))
    record = shop.engine().record(get_run(shop.journal, run))
    assert record.outcome is Outcome.PASSED, record
    everything = json.dumps(
        [
            shop.journal.rows(f"SELECT t::text FROM {table} t")  # noqa: S608 - our own tables
            for table in (
                "runs",
                "steps",
                "changes",
                "plans",
                "f0ci_queue.workflow_input",
                "f0ci_queue.workflow_output",
            )
        ]
    )
    assert "planted-secret" not in everything
    # nor does a step see what opens the database
    assert "right-password" not in everything


def test_a_run_without_a_release_is_for_workers_of_its_folder(
    shop: Shop, start_worker: StartWorker, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    start_worker(tmp_path / "other")
    run = shop.hand_over(body(0))
    wait_until(shop.reaches(run, "errored"))
    row = find_run(shop.journal, run)
    assert row is not None
    assert "the run has no release, and worker" in row.message
    assert "--release ID" in row.message


def test_what_git_cannot_say_now_is_asked_again(journal: PostgresJournal, address: Address, tmp_path: Path) -> None:
    told: list[str] = []

    def checkout(_: str) -> Path:
        raise GitError("the remote did not answer", "try again")

    duty = Duty(address, tmp_path, [], 1, checkout, tell=told.append)
    state = _ServingWorker(duty, "w", journal).carry_on("r", "0" * 64, "/somewhere")
    assert (state, told) == ("stopped", ["run r stopped: the remote did not answer"])


def worker(name: str, *, alive: bool, silent: float = 0.0) -> Worker:
    """Return a worker as others see it."""
    return Worker(name, "host", os.getpid(), "/work", ("default",), 4, 0.0, "0", silent, alive)


@pytest.mark.parametrize(
    ("alive", "missed", "now", "is_gone"),
    [
        (True, {}, 100.0, False),
        (False, {}, 100.0, False),
        (False, {"w": 100.0}, 100.0 + GONE - 0.1, False),
        (False, {"w": 100.0}, 100.0 + GONE, True),
        (True, {"w": 1.0}, 100.0, False),
    ],
)
def test_a_worker_is_gone_once_its_lock_is_free_for_some_time(
    alive: bool, missed: dict[str, float], now: float, is_gone: bool
) -> None:
    found, since = gone([worker("w", alive=alive)], missed, now)
    assert (found == ["w"]) is is_gone
    assert since == ({} if alive else {"w": missed.get("w", now)})


def test_only_others_that_hold_their_lock_and_say_nothing_are_cut_off() -> None:
    workers = [
        worker("me", alive=True, silent=SILENT + 1),
        worker("well", alive=True, silent=SILENT - 1),
        worker("silent", alive=True, silent=SILENT + 1),
        worker("dead", alive=False, silent=SILENT + 1),
    ]
    assert silenced(workers, "me") == ["silent"]


@pytest.mark.parametrize(
    ("script", "code"), [(WHILE_IT_LOOKS, 0), (AT_ONCE, 0), (STUCK, 3)], ids=["while it looks", "at once", "stuck"]
)
def test_signals_are_heeded_whenever_they_come(script: str, code: int) -> None:
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == code


@pytest.mark.parametrize(("is_over", "codes"), [(False, [3]), (True, [])])
def test_a_worker_that_something_keeps_is_ended(
    *, is_over: bool, codes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    journal: Any = SimpleNamespace(liveness=SimpleNamespace(lives=None))
    duty = Duty(Address("postgresql://nowhere"), tmp_path, [], 1, Path, tell=told.append)
    kept = _ServingWorker(duty, "1-a", journal)
    ended: list[int] = []
    monkeypatch.setattr(serving, "KEPT", 0.01)
    monkeypatch.setattr(os, "_exit", ended.append)
    kept.hurry.set()
    if is_over:
        kept.over.set()

    kept._end_in_time()

    assert (ended, len(told)) == (codes, len(codes))
