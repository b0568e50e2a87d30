"""What is left of a process that is killed, and of one that is not."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.core.lifeline import Lifeline


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def sleeper() -> subprocess.Popen[bytes]:
    """Return a process that leads a group and does not end by itself."""
    return subprocess.Popen(["sleep", "600"], start_new_session=True)


def test_a_group_ends_with_who_holds_it(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    held = tmp_path / "held"
    holder = os.fork()
    if holder == 0:
        lifeline = Lifeline()
        lifeline.start()
        with lifeline.holding(sleeper.pid):
            held.touch()
            signal.pause()
    until(held.exists)
    assert sleeper.poll() is None
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)

    assert sleeper.wait(timeout=30) == -signal.SIGKILL


def test_a_group_that_is_not_held_any_more_stays(sleeper: subprocess.Popen[bytes]) -> None:
    lifeline = Lifeline()
    lifeline.start()
    with lifeline.holding(sleeper.pid):
        pass
    lifeline.close()

    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()


def test_it_ends_although_a_forked_child_keeps_its_pipe() -> None:
    lifeline = Lifeline()
    lifeline.start()
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    lifeline.close()
    lifeline.close()
    # nothing is started after the end
    lifeline.start()
    with lifeline.holding(os.getpid()):
        pass

    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
