"""f0ci in processes of its own: several at once, or killed at a point that a test names.

The processes are forked by a server that has imported f0ci already, so that each costs no start.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["f0ci.cli.promoting", "f0ci.cli.approving", "f0ci.cli.holding", "f0ci.commands.promoting", "f0ci.git.refs"]
)
# no process of a test takes longer, whatever the machine does beside it
_PATIENCE_SECONDS = 240.0
KILLED = -int(signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit code (negative is the signal that ended it), and what it printed."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Started:
    """A process that runs."""

    process: Any
    output: Path

    def end(self) -> Ended:
        """Wait for the process, and take care that it is gone."""
        self.process.join(_PATIENCE_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        code = self.process.exitcode
        self.process.close()
        return Ended(int(code), self.output.read_text(encoding="utf-8", errors="replace"))


def start(work: Path, *args: str, output: Path, kill_at: int | None = None, counter: Path | None = None) -> Started:
    """Start `f0ci ARGS` in a work tree.

    Args:
        work: the work tree.
        args: the command.
        output: file for what it prints.
        kill_at: the process kills itself (SIGKILL) once it is past so many points that others can see: a push, the
            deploy recipe. None lets it run to its end.
        counter: file that gets the number of such points when it ends by itself.
    """
    output.touch()
    arguments = (str(work), args, str(output), dict(os.environ), kill_at, str(counter) if counter else None)
    process = _CONTEXT.Process(target=_main, args=arguments)
    process.start()
    return Started(process, output)


def run_all(commands: Sequence[tuple[Path, Sequence[str]]], folder: Path) -> list[Ended]:
    """Run several commands at once, each in its work tree, and return how they ended, in order."""
    folder.mkdir(exist_ok=True)
    started = [start(work, *args, output=folder / f"{at}.txt") for at, (work, args) in enumerate(commands)]
    return [one.end() for one in started]


def _main(
    work: str,
    args: Sequence[str],
    output: str,
    environment: Mapping[str, str],
    kill_at: int | None,
    counter: str | None,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    handle = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    passed = _watch(kill_at)
    from f0ci.cli.boundary import run

    code = run(["-C", work, *args])
    if counter is not None:
        Path(counter).write_text(str(passed()), encoding="ascii")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _watch(kill_at: int | None) -> Callable[[], int]:
    """Count the points that others can see, kill the process past one of them, and return the count's reader."""
    from f0ci.git.refs import RefStore
    from f0ci.promotion import deploying, elsewhere

    count = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            result = function(*args, **kwargs)
            # a push that was turned down has changed nothing
            if getattr(result, "code", 0) == 0:
                count += 1
                if count == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    setattr(RefStore, "_send", counted(RefStore._send))  # noqa: B010 - a method cannot be assigned to in the open
    assert vars(elsewhere)["deploy"] is deploying.deploy, "what a promotion runs its deploy recipe with has moved"
    setattr(elsewhere, "deploy", counted(deploying.deploy))  # noqa: B010 - as above
    return lambda: count
