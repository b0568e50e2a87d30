"""The command line: click only, and the one place where an exception becomes a message and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code."""
    from f0ci.cli.boundary import run

    sys.exit(run(sys.argv[1:] if argv is None else argv))
