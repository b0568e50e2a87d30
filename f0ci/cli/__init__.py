"""The command line: click only, and the one place where an exception becomes a message and an exit code."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

_OBJECTS_BETWEEN_COLLECTIONS = 100_000
# where it was used, threads of a library may be left that wait for a database for as long as it is away
_WORKER = "f0ci.runner.cluster.worker"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code."""
    # importing makes many objects and no garbage: looking for some several times takes a fifth of a short command
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    from f0ci.cli.boundary import run
    from f0ci.cli.streams import settle_streams
    from f0ci.core.concealing import conceal_tokens

    conceal_tokens()
    # most of what a command makes lives until its end
    gc.set_threshold(20_000, 20, 20)
    settle_streams()
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        # not under nohup
        signal.signal(signal.SIGHUP, _interrupt)
    code = run(sys.argv[1:] if argv is None else argv)
    # nothing is worth collecting from a process that ends
    gc.freeze()
    if argv is None and not _is_watched():
        _leave(code)
    sys.exit(code)


def _is_watched() -> bool:
    """Tell whether something goes on after the command: a thread, a profiler, a debugger, a prompt."""
    import threading

    # since Python 3.12, profilers may be known here alone
    tools = getattr(sys, "monitoring", None)
    return (
        (threading.active_count() > 1 and _WORKER not in sys.modules)
        or bool(sys.getprofile() or sys.gettrace() or sys.flags.inspect)
        or (tools is not None and any(tools.get_tool(number) for number in range(6)))
    )


def _leave(code: int) -> None:
    """End the process without taking the interpreter apart, which takes a tenth of a short command and shows nowhere.

    Returns:
        Only where a stream cannot be written: then the interpreter ends as it ends, unless a worker's threads keep it.
    """
    atexit._run_exitfuncs()  # noqa: SLF001 - the interpreter would call them; no other name is given to it
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        if _WORKER not in sys.modules:
            return
    os._exit(code)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    # a cancelled CI job sends SIGTERM, a terminal that is closed SIGHUP; what f0ci started must end like after Ctrl-C
    raise KeyboardInterrupt
