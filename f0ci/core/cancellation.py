"""Stopping work that runs in several threads and processes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future


class Cancellation:
    """A request to stop, with its reason; it reaches everything that was started below it.

    Args:
        parent: cancelling it cancels this one too.
    """

    def __init__(self, parent: Cancellation | None = None) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._reason: str | None = None
        self._parent = parent
        self._asked = threading.Event()
        self._requested: Future[str] | None = None

    @property
    def requested(self) -> Future[str]:
        """Return a future that is done once stopping is asked for, so that one wait covers it and running work."""
        # most work never asks, and the import costs more than a small command
        from concurrent.futures import Future

        with self._lock:
            if self._requested is None:
                self._requested = Future()
                if self._reason is not None:
                    self._requested.set_result(self._reason)
            return self._requested

    @property
    def cancelled(self) -> bool:
        """Tell whether stopping was asked for."""
        return self._reason is not None

    @property
    def whole(self) -> Cancellation:
        """Return the cancellation of the whole work that this is part of."""
        return self if self._parent is None else self._parent.whole

    @property
    def reason(self) -> str:
        """Return why, empty while nobody asked."""
        return self._reason or ""

    def cancel(self, reason: str) -> None:
        """Ask everything to stop; only the first reason counts."""
        with self._lock:
            if self._reason is not None:
                return
            self._reason = reason
            callbacks, requested = list(self._callbacks), self._requested
        self._asked.set()
        if requested is not None:
            requested.set_result(reason)
        for callback in callbacks:
            callback()

    @contextlib.contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call back on cancellation for as long as the block runs; at once where it already happened."""
        with self._lock:
            late = self._reason is not None
            self._callbacks.append(callback)
        try:
            if late:
                callback()
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    @contextlib.contextmanager
    def child(self) -> Iterator[Cancellation]:
        """Give a cancellation for part of the work, cancelled with the whole."""
        part = Cancellation(self)
        with self.calling(lambda: part.cancel(self.reason)):
            yield part

    def wait(self, seconds: float) -> bool:
        """Wait until stopping is asked for, or for that many seconds; tell whether it was asked for."""
        self._asked.wait(seconds)
        return self.cancelled
