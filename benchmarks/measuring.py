"""Running programs in turns and writing down what they cost."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

Command = Sequence[str]
_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost.

    Attributes:
        wall: seconds by the clock.
        cpu: seconds of all its processes together.
        memory: megabytes of its largest process; what takes less than `launcher.py`, some 9, is told as that.
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
        proof: texts that each run must print: what shows that it did its work to the end.
    """

    command: Command
    folder: Path
    prepare: Callable[[], None] = _nothing
    proof: frozenset[str] = frozenset()


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


def run(command: Command, folder: Path, seconds: float = 900, output: IO[bytes] | None = None) -> Cost:
    """Run a program to its end.

    Args:
        command: the program and its arguments.
        folder: where it works.
        seconds: after which it is ended.
        output: where all goes that it prints; None throws it away.

    Raises:
        FileNotFoundError: there is no such program, or folder.
    """
    read, write = os.pipe()
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(seconds), str(write), str(folder), *command]
    printed = subprocess.DEVNULL if output is None else output
    process = subprocess.Popen(
        launcher,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=printed,
        stderr=printed,
        pass_fds=[write],
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
    """Run programs one after the other, round by round, so that a busy machine hits all of them alike.

    Raises:
        SystemExit: one did not print what shows that it did its work.
    """
    found = {name: Runs() for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            program.prepare()
            with tempfile.TemporaryFile() as output:
                found[name].costs.append(run(program.command, program.folder, output=output))
                prove(name, program, output)
    return found


def prove(name: str, program: Program, output: IO[bytes]) -> None:
    """Stop unless a program printed what it had to: one that ended early is not fast."""
    if not program.proof:
        return
    output.seek(0)
    text = output.read().decode("utf-8", "replace")
    missing = sorted(each for each in program.proof if each not in text)
    if missing:
        raise SystemExit(
            f"{name} ended before its work was done: it says nothing of {missing[:3]}; it said {text[-300:]}"
        )
