"""Threads that are used again: starting one costs more than a small step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue


class Threads:
    """As many threads as there is work at the same time.

    They are daemons: a step that cannot be ended must not keep the process from ending.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[SimpleQueue[tuple[str, Callable[[], None]] | None]] = []
        self._closed = False

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Do some work in a thread that has nothing to do, or a new one; the work raises nothing."""
        with self._lock:
            inbox = self._idle.pop() if self._idle else None
        if inbox is None:
            inbox = SimpleQueue()
            threading.Thread(target=self._serve, args=(inbox,), name=name, daemon=True).start()
        inbox.put((name, work))

    def close(self) -> None:
        """Let threads end once they have nothing to do."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for inbox in idle:
            inbox.put(None)

    def _serve(self, inbox: SimpleQueue[tuple[str, Callable[[], None]] | None]) -> None:
        while True:
            job = inbox.get()
            if job is None:
                return
            name, work = job
            threading.current_thread().name = name
            work()
            with self._lock:
                if self._closed:
                    return
                self._idle.append(inbox)
