"""Killed at random moments, two at a time on one journal: every step is recorded once, and all runs end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from f0ci.runner.journal import Journal
from f0ci.runner.runs import list_runs
from tests.conftest import rounds, write_files

RECIPE = """
metadata: {name: crash}
steps:
  - {name: a, type: python, module: scriptlets.trace, function: trace, args: {name: a}}
  - {name: b, parallel_group: g, type: python, module: scriptlets.trace, function: trace, args: {name: b}}
  - {name: c, parallel_group: g, type: python, module: scriptlets.trace, function: trace, args: {name: c}}
  - {name: d, type: sub_recipe, recipe_path: recipes/inner.yaml}
  - {name: e, type: python, module: scriptlets.trace, function: flaky, args: {name: e},
     error_handling: {retry_attempts: 3}}
  - {name: f, type: python, module: scriptlets.trace, function: trace,
     args: {name: f, sum: "#{steps.a.outputs.n + steps.b.outputs.n + steps.d.outputs.x.n}"}}
"""
INNER = """
metadata: {name: inner}
steps:
  - {name: x, type: python, module: scriptlets.trace, function: trace, args: {name: x}}
  - {name: y, type: python, module: scriptlets.trace, function: trace, args: {name: y}}
"""
# one line a body, in one write, so that killed writers tear nothing
TRACE = """
import os

def trace(context, params):
    line = f"{os.getpid()} {context.idempotency_key}\\n".encode()
    file = os.open("trace.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line)
    os.close(file)
    context.set("seen." + params["name"], params.get("sum", 1))
    return {"n": 1}

def flaky(context, params):
    if context.attempt < 3:
        return 1
    return trace(context, params)
"""
PATHS = ["a", "b", "c", "d", "d/x", "d/y", "e", "f"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository whose steps leave a line each time their body runs."""
    folder = tmp_path / "work"
    write_files(folder, {"recipes/crash.yaml": RECIPE, "recipes/inner.yaml": INNER, "scriptlets/trace.py": TRACE})
    return folder


def start(root: Path, file: Path, runs: list[str]) -> subprocess.Popen[bytes]:
    """Start a process that carries runs on."""
    script = Path(__file__).with_name("crashing.py")
    return subprocess.Popen([sys.executable, str(script), str(root), str(file), *runs])


def passed(file: Path) -> set[str]:
    """Return the runs that passed."""
    if not file.exists():
        return set()
    with Journal(file) as journal:
        return {row.run for row in list_runs(journal, state="passed", limit=1_000)}


def bodies_of(root: Path) -> int:
    """Return how many bodies of steps ran so far."""
    trace = root / "trace.txt"
    return len(trace.read_bytes().splitlines()) if trace.exists() else 0


def test_kills_at_random_moments_lose_nothing_and_repeat_only_bodies_in_flight(root: Path, tmp_path: Path) -> None:
    chance = random.Random(20_261_126)
    file, kills = tmp_path / "journal.sqlite", 0
    runs = [f"run-{number:03}" for number in range(rounds(20, 300))]
    deadline = time.monotonic() + rounds(120, 1_200)
    while time.monotonic() < deadline:
        left = [run for run in runs if run not in passed(file)]
        # the two go through the runs in different orders, so that they meet
        workers = [start(root, file, order) for order in (left, left[::-1])]
        # killed after some more bodies, at any moment of what follows one: a faster machine is killed as often
        enough = bodies_of(root) + chance.randint(1, 15)
        while bodies_of(root) < enough and any(worker.poll() is None for worker in workers):
            time.sleep(chance.uniform(0.001, 0.02))
        alive = [worker for worker in workers if worker.poll() is None]
        for worker in alive:
            os.kill(worker.pid, signal.SIGKILL)
            kills += 1
        codes = {worker.wait() for worker in workers}
        assert codes <= {0, -signal.SIGKILL}
        if codes == {0}:
            break

    with Journal(file) as journal:
        assert [row.state for row in list_runs(journal, limit=1_000)] == ["passed"] * len(runs)
        recorded = Counter(journal.rows("SELECT run, path FROM steps WHERE outcome = 'passed'"))
        changes = journal.rows("SELECT run, key, count(*) FROM changes GROUP BY run, key")
        sums = journal.rows("SELECT DISTINCT value FROM changes WHERE key = 'seen.f'")
        attempts = journal.rows("SELECT run, count(*) FROM attempts GROUP BY run")
    assert recorded == Counter({(run, path): 1 for run in runs for path in PATHS})
    assert sums == [("3",)]
    assert {count for _, _, count in changes} == {1}
    assert attempts == [(run, 2) for run in runs]
    bodies = Counter(line.split()[1] for line in (root / "trace.txt").read_text().splitlines())
    assert set(bodies) == {f"{run}/{path}" for run in runs for path in PATHS if path != "d"}
    # at most what ran at the moment of a kill, which is two side by side, is repeated
    repeated = sum(count - 1 for count in bodies.values())
    assert repeated <= 2 * kills
    assert kills >= 2


def test_two_processes_on_one_journal_steal_nothing(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    runs = [f"run-{number}" for number in range(20)]
    workers = [start(root, file, order) for order in (runs, list(reversed(runs)))]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0]

    lines = [line.split() for line in (root / "trace.txt").read_text().splitlines()]
    # every run was carried on by one process, and every body ran once
    assert all(len({pid for pid, key in lines if key.startswith(f"{run}/")}) == 1 for run in runs)
    assert len(lines) == len({key for _, key in lines}) == len(runs) * 7
