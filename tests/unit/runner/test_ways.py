"""A scriptlet package on the path, as real repositories have them: every way in which scriptlets behave."""

from __future__ import annotations

import os
import shutil
import signal
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from f0ci.core.outcome import Outcome
from f0ci.recipes.records import StepRecord
from tests.unit.runner.conftest import PROJECTS, Workspace

P, F, E = Outcome.PASSED, Outcome.FAILED, Outcome.ERRORED


@pytest.fixture
def ways(tmp_path: Path) -> Workspace:
    """Return a fresh copy of the repository."""
    root = tmp_path / "ways"
    shutil.copytree(PROJECTS / "ways", root)
    return Workspace(root)


def one(workspace: Workspace, function: str, more: str = "", args: str = "{}") -> StepRecord:
    """Run a recipe of one step and return its record."""
    step = f"  - {{name: one, type: python, module: scriptlets.ways, function: {function}, args: {args}{more}}}\n"
    return workspace.run(step, environment=None).steps[0]


@pytest.mark.parametrize("where", ["", ", isolation: process"], ids=["in a thread", "in a process of its own"])
@pytest.mark.parametrize(
    ("function", "args", "outcome", "words", "outputs"),
    [
        ("Modern", "{numbers: [1, 2]}", P, "", {"status": "success", "total": 3}),
        ("Modern", "{numbers: [a]}", F, "unsupported operand", {}),
        ("Legacy", "{}", P, "", {}),
        ("Legacy", "{code: 3}", F, "returned 3", {}),
        ("Mapping", "{}", P, "", {"status": "success", "rows": 3, "error": "no rows"}),
        ("Mapping", "{status: error}", F, "returned status 'error': no rows", None),
        ("Raises", "{}", F, "RuntimeError: the source is gone at scriptlets/ways.py:", None),
        ("Unserialisable", "{}", F, "context value of 'bad' is not JSON", None),
        ("Missing", "{}", E, "has no class or function 'Missing'", None),
    ],
)
def test_scriptlets_behave_the_same_wherever_they_run(
    ways: Workspace, where: str, function: str, args: str, outcome: Outcome, words: str, outputs: dict[str, Any] | None
) -> None:
    step = one(ways, function, where, args)

    assert (step.outcome, outputs is None or step.outputs == outputs) == (outcome, True)
    assert words in step.message
    if function == "Modern":
        assert ways.context.get("modern.ready") is False
        assert [change["who"] for change in ways.context.get_history()][:1] == ["Modern"]
        assert {change["step"] for change in ways.context.get_history()} == {"one"}


def test_one_that_hangs_is_ended_with_all_it_started(ways: Workspace) -> None:
    step = one(ways, "Hangs", ", timeout: 1.5")

    assert step.outcome is Outcome.FAILED
    assert step.message.startswith("ended after its time of 1.5s")
    assert ways.context.get("hangs.begun") is True
    assert all(gone(int(process)) for process in (ways.root / "hanging.pid").read_text().split())


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("where", ["", ", isolation: process"], ids=["in a thread", "in a process of its own"])
def test_one_that_forks_counts_once(ways: Workspace, where: str) -> None:
    step = one(ways, "Forks", where)

    assert (step.outcome, step.outputs["who"]) == (Outcome.PASSED, "parent")
    stays = int((ways.root / "forked.pid").read_text())
    if where:
        assert gone(stays)
    else:
        # in f0ci's own process nobody can tell what a scriptlet left behind
        os.kill(stays, signal.SIGKILL)
        os.waitpid(stays, 0)


def gone(process: int) -> bool:
    """Tell whether a process ends within seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
            os.kill(process, 0)
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("where", ["", ", isolation: process"], ids=["in a thread", "in a process of its own"])
def test_one_that_writes_a_hundred_megabytes_costs_no_memory(ways: Workspace, where: str) -> None:
    # what this process holds at the most, whatever it held before and however large it once was
    tracemalloc.start()
    try:
        step = one(ways, "Loud", where)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert step.outcome is Outcome.PASSED
    assert step.output.startswith("[... the beginning is left out]\n")
    assert step.output.endswith("the end\n")
    assert len(step.output) < 100_000
    assert most < 10_000_000


def test_one_that_wants_too_much_memory_fails_alone(ways: Workspace) -> None:
    assert one(ways, "Hungry", ", limits: {memory: 2G}", "{megabytes: 10}").outcome is Outcome.PASSED
    step = one(ways, "Hungry", ", limits: {memory: 400M}", "{megabytes: 1000}")

    assert step.outcome is Outcome.FAILED
    assert "MemoryError" in step.message


def test_one_that_ends_its_process_fails_alone(ways: Workspace) -> None:
    step = one(ways, "Exits", ", isolation: process")

    assert (step.outcome, step.message) == (Outcome.FAILED, "the scriptlet's process ended with 7")


@pytest.mark.parametrize(
    ("command", "limits", "words"),
    [
        ("head -c 3000000 /dev/zero > big", "file_size: 1M", "the command ended with"),
        ("while :; do :; done", "cpu: 1", "the command was ended by"),
        ("exec 3<. 4<. 5<. 6<. 7<. 8<. 9<.", "open_files: 6", "the command ended with"),
    ],
)
def test_limits_hold_for_commands(ways: Workspace, command: str, limits: str, words: str) -> None:
    record = ways.run(f'  - {{name: one, run: "{command}", limits: {{{limits}}}, timeout: 30}}\n', environment=None)

    assert record.steps[0].outcome is Outcome.FAILED
    assert words in record.steps[0].message
    assert not (ways.root / "big").exists() or (ways.root / "big").stat().st_size <= 2**20
