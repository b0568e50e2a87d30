"""Ends that come from outside: timeouts and interrupts."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.core.outcome import Outcome
from f0ci.runner.executing import RunInterrupted
from f0ci.runner.options import RunOptions
from tests.unit.runner.conftest import LEGACY, Workspace, of, outcomes

STUCK = "type: python, module: scriptlets.meeting, function: Stuck"


def release(pipe: Path) -> None:
    """Let the scriptlet end that was left behind."""
    left = [thread for thread in threading.enumerate() if thread.name == "f0ci-stuck"]
    assert left
    pipe.open("w").close()
    for thread in left:
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.fixture
def watch() -> Callable[[Path], threading.Thread]:
    """Return a function that interrupts once a pipe says something, and then waits until nobody holds the pipe."""

    def follow(pipe: Path) -> None:
        with pipe.open() as stream:
            assert stream.readline() == "begun\n"
            os.kill(os.getpid(), signal.SIGINT)
            stream.read()

    def start(pipe: Path) -> threading.Thread:
        thread = threading.Thread(target=follow, args=(pipe,), daemon=True)
        thread.start()
        return thread

    return start


def test_a_recipe_without_a_timeout_of_steps_has_its_own(zoo: Workspace) -> None:
    record = zoo.run(
        f"  - {{name: slow, run: exec sleep 600}}\n  - {{name: never, {LEGACY}}}\n"
        f"  - {{name: tidy, trigger: on_error, {LEGACY}}}\n",
        heading="metadata: {name: test}\nexecution: {timeout_seconds: 0.2}",
    )

    assert record.outcome is Outcome.ERRORED
    assert record.message == "the recipe's time of 0.2s is over"
    assert outcomes(record) == {"slow": "errored", "tidy": "passed", "never": "skipped"}


def test_the_timeout_of_a_sub_recipe_step_ends_its_steps(zoo: Workspace) -> None:
    zoo.write("recipes/slow.yaml", "metadata: {name: slow}\nsteps: [{name: sleep, run: exec sleep 600}]\n")
    record = zoo.run(
        "  - {name: call, type: sub_recipe, recipe_path: recipes/slow.yaml, timeout: 0.2}\n",
    )

    assert of(record, "call").outcome is Outcome.ERRORED
    assert of(record, "call").steps[0].message == "the recipe's time of 0.2s is over"


def test_a_python_step_beyond_its_time_is_left_behind_and_stops_the_run(
    zoo: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(zoo.root / "pipe")
    record = zoo.run(
        f"  - {{name: stuck, {STUCK}, timeout: 0.1, isolation: thread, args: {{pipe: {zoo.root}/pipe}}}}\n"
        f"  - {{name: never, depends_on: [], {LEGACY}}}\n",
        options=RunOptions(continue_on_error=True, parallel=1, max_retries=3),
    )

    assert (of(record, "stuck").outcome, of(record, "stuck").attempts) == (Outcome.ERRORED, 1)
    assert "still running after its time of 0.1s" in of(record, "stuck").message
    assert of(record, "never").outcome is Outcome.SKIPPED
    release(zoo.root / "pipe")
    assert capfd.readouterr().out == ""


def test_an_interrupt_leaves_a_python_step_behind(zoo: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(zoo.root / "pipe")

    with pytest.raises(RunInterrupted) as caught:
        zoo.run(
            f"  - {{name: stuck, {STUCK}, args: {{pipe: {zoo.root}/pipe, interrupt: true}}}}\n"
            f"  - {{name: recover, trigger: on_error, {LEGACY}}}\n"
        )

    record = caught.value.record
    assert outcomes(record) == {"stuck": "errored", "recover": "skipped"}
    assert "left behind" in of(record, "stuck").message
    release(zoo.root / "pipe")
    assert capfd.readouterr().out == ""


def test_an_interrupt_ends_every_process_and_leaves_a_record(
    zoo: Workspace, watch: Callable[[Path], threading.Thread]
) -> None:
    os.mkfifo(zoo.root / "alive.fifo")
    watcher = watch(zoo.root / "alive.fifo")

    with pytest.raises(RunInterrupted) as caught:
        zoo.run(
            "  - {name: long, run: exec 3>alive.fifo; echo begun >&3; sleep 600 & wait}\n"
            f"  - {{name: never, {LEGACY}}}\n"
            f"  - {{name: recover, trigger: on_error, {LEGACY}}}\n"
        )

    watcher.join(timeout=10)
    assert not watcher.is_alive(), "a process of the step is still alive"
    record = caught.value.record
    assert (record.outcome, record.message) == (Outcome.ERRORED, "interrupted")
    assert outcomes(record) == {"long": "errored", "never": "skipped", "recover": "skipped"}
    assert of(record, "never").message == "interrupted"
