"""Standard output and error as a command can rely on them, whatever they were connected to."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from f0ci.core.errors import CannotWork


class _Listener(io.FileIO):
    """A file that goes on when its reader has left: what a command decides does not depend on who reads it."""

    gone = False

    def write(self, data: Any) -> int:
        """Write bytes, or nothing where nobody reads them any more.

        Raises:
            CannotWork: they cannot be written, as on a full disk; said once.
        """
        if self.gone:
            return memoryview(data).nbytes
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            self.gone = True
            return memoryview(data).nbytes
        except OSError as error:
            self.gone = True
            hint = "free space on its disk, or send the output elsewhere"
            raise CannotWork(f"cannot write the output: {error.strerror}", hint) from error


def settle_streams() -> None:
    """Make stdout and stderr usable where they are closed, full, left by their reader, or of another encoding."""
    if sys.stderr is None:
        sys.stderr = _nowhere()
    if sys.stdout is None:
        sys.stdout = _nowhere()
        return
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    buffer = io.BufferedWriter(_Listener(number, "w", closefd=False))
    sys.stdout = io.TextIOWrapper(
        buffer, encoding=sys.stdout.encoding, errors="backslashreplace", line_buffering=sys.stdout.isatty()
    )


def _nowhere() -> io.TextIOWrapper:
    # never closed: it stands for a stream of the process
    return io.TextIOWrapper(io.FileIO(os.open(os.devnull, os.O_WRONLY), "w"), encoding="utf-8", write_through=True)
