"""The command line: click only, and the one place where an exception becomes a message and an exit code."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

_OBJECTS_BETWEEN_COLLECTIONS = 100_000


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
    sys.exit(code)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    # a cancelled CI job sends SIGTERM, a terminal that is closed SIGHUP; what f0ci started must end like after Ctrl-C
    raise KeyboardInterrupt
