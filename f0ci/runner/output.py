"""What scriptlets print, step by step, although steps share one process."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any, TextIO

from f0ci.core.processes import BoundedOutput

# the step that each thread works for; None where a thread works for f0ci itself
_steps: dict[int, BoundedOutput | None] = {}
_bystanders: set[int] = set()


class _ThreadStream(io.TextIOBase):
    """A stand-in for `sys.stdout` or `sys.stderr` that asks who is writing.

    There is one for each name and process: logging, once configured by a scriptlet, keeps the stream it found.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.replaced: TextIO | None = None

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """Return the descriptor that child processes inherit."""
        return {"stdout": 1, "stderr": 2}[self._name]

    def write(self, text: str) -> int:
        step = self._writer()
        if step is not None:
            step.write(text.encode("utf-8", errors="replace"))
            return len(text)
        through = self._beneath()
        return through.write(text) if through is not None else len(text)

    def flush(self) -> None:
        if self._writer() is None:
            through = self._beneath()
            if through is not None:
                through.flush()

    def _writer(self) -> BoundedOutput | None:
        thread = threading.get_ident()
        if thread in _steps:
            return _steps[thread]
        if thread in _bystanders:
            return None
        # a thread that a scriptlet started: its step is known where only one runs
        running = [step for step in list(_steps.values()) if step is not None]
        return running[0] if len(running) == 1 else None

    def _beneath(self) -> TextIO | None:
        current: Any = getattr(sys, self._name)
        through: TextIO | None = self.replaced if current is self else current
        return through


_STREAMS = {"stdout": _ThreadStream("stdout"), "stderr": _ThreadStream("stderr")}


@contextlib.contextmanager
def streams_by_thread() -> Iterator[None]:
    """Put the stand-ins in place for as long as the block runs, and keep children off standard output."""
    _bystanders.clear()
    _bystanders.update(thread.ident for thread in threading.enumerate() if thread.ident is not None)
    with _children_write_to_stderr():
        for name, stream in _STREAMS.items():
            if getattr(sys, name) is not stream:
                stream.replaced = getattr(sys, name)
                setattr(sys, name, stream)
        try:
            yield
        finally:
            # a step that could not be ended goes on printing, and standard output is for results
            if not any(_steps.values()):
                for name, stream in _STREAMS.items():
                    setattr(sys, name, stream.replaced)


@contextlib.contextmanager
def collecting(output: BoundedOutput | None) -> Iterator[None]:
    """Collect what this thread prints for as long as the block runs; None lets it through."""
    thread = threading.get_ident()
    before = _steps.get(thread, _NOBODY)
    _steps[thread] = output
    try:
        yield
    finally:
        if isinstance(before, _Nobody):
            del _steps[thread]
        else:
            _steps[thread] = before


class _Nobody:
    pass


_NOBODY = _Nobody()


@contextlib.contextmanager
def _children_write_to_stderr() -> Iterator[None]:
    # a scriptlet's own child inherits descriptor 1, where only the result belongs
    for stream in (sys.stdout, sys.__stdout__):
        if stream is not None:
            stream.flush()
    try:
        saved = os.dup(1)
        os.dup2(2, 1)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            if sys.__stdout__ is not None:
                sys.__stdout__.flush()
        os.dup2(saved, 1)
        os.close(saved)
