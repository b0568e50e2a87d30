"""Running programs in turns and writing down what they cost."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Command = Sequence[str]
_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost.

    Attributes:
        wall: seconds by the clock.
        cpu: seconds of all its processes together.
        memory: megabytes of its largest process.
        code: exit code; negative for a signal.
    """

    wall: float
    cpu: float
    memory: float
    code: int


def _nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program to measure.

    Attributes:
        command: the program and its arguments.
        folder: where it works.
        prepare: what is done before each run, unmeasured.
    """

    command: Command
    folder: Path
    prepare: Callable[[], None] = _nothing


@dataclass(slots=True)
class Runs:
    """What the runs of one program cost."""

    costs: list[Cost] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """Median of the seconds by the clock."""
        return statistics.median(cost.wall for cost in self.costs)

    @property
    def cpu(self) -> float:
        """Median of the seconds of all processes together."""
        return statistics.median(cost.cpu for cost in self.costs)

    @property
    def memory(self) -> float:
        """Median of the megabytes of the largest process."""
        return statistics.median(cost.memory for cost in self.costs)


def environment() -> dict[str, str]:
    """Return the environment of measured programs: compiled modules are kept, as in an installation."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "F0CI_"))}


def run(command: Command, folder: Path, seconds: float = 900) -> Cost:
    """Run a program to its end, its output thrown away.

    Args:
        command: the program and its arguments.
        folder: where it works.
        seconds: after which it is ended.

    Raises:
        FileNotFoundError: there is no such program, or folder.
    """
    read, write = os.pipe()
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(seconds), str(write), str(folder), *command]
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(
        launcher, env=environment(), stdin=nowhere, stdout=nowhere, stderr=nowhere, pass_fds=[write]
    )
    os.close(write)
    with os.fdopen(read) as report:
        said = report.read().split()
    process.wait()
    if not said:
        raise FileNotFoundError(f"{command[0]!r} could not be started in {folder}")
    wall, cpu, kilobytes, status = said
    return Cost(float(wall), float(cpu), int(kilobytes) / 1024, os.waitstatus_to_exitcode(int(status)))


def in_turns(programs: Mapping[str, Program], rounds: int) -> dict[str, Runs]:
    """Run programs one after the other, round by round, so that a busy machine hits all of them alike."""
    found = {name: Runs() for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            program.prepare()
            found[name].costs.append(run(program.command, program.folder))
    return found
