"""The loop that runs steps side by side; `readiness` decides which of them start."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from queue import Empty, SimpleQueue

from f0ci.core.cancellation import Cancellation
from f0ci.core.values import dataclass
from f0ci.runner.readiness import Graph, Readiness, Verdict
from f0ci.runner.threads import Threads

# seconds that running steps get to end once they were told to; ending a process group takes at most 2
SETTLING = 5.0
# seconds between two looks at what others may want of the run
LOOKING = 1.0
# seconds that the record of a step waits for others that end with it, where nothing waits for the record
GATHERING = 0.002
INTERRUPTED = "interrupted"


def run_graph(
    graph: Graph,
    work: Callable[[str], Verdict],
    on_blocked: Callable[[str, str], None],
    *,
    limit: int,
    cancellation: Cancellation,
    threads: Threads | None = None,
    timeout: float | None = None,
    spent: float = 0.0,
    over: Mapping[str, Verdict] | None = None,
    before_start: Callable[[Sequence[str]], None] = lambda _: None,
    can_end: Callable[[str], bool] = lambda _: True,
    look: Callable[[], object] | None = None,
) -> tuple[str, ...]:
    """Run steps in threads until all are over or wait, one says stop, or the work is cancelled.

    An interrupt (Ctrl-C) cancels.

    Args:
        graph: the steps.
        work: runs one step, in a thread that runs no other meanwhile.
        on_blocked: told of each step that can never start, and of the step at the bottom of it.
        limit: steps that run at the same time at most.
        cancellation: ends the loop; also cancelled here when the time is over.
        threads: where steps run.
        timeout: seconds for all steps together, or None.
        spent: seconds of them that are over already.
        over: steps that are over before anything starts.
        before_start: called before each round of starts, also an empty one, with the steps about to start: whatever
            must be safe before others build on it is made safe here. Called by one thread at a time.
        can_end: tells whether a running step can be ended, so that it is worth waiting for its end.
        look: called about once a second while steps run.

    Returns:
        Steps that were started and are not over: after a cancellation some may be beyond ending.
    """
    own = threads or Threads()
    readiness = Readiness(graph, over)
    return _Loop(readiness, work, on_blocked, limit, cancellation, own, before_start, can_end, look).run(timeout, spent)


@dataclass(slots=True)
class _Loop:
    """The steps of a graph, driven by the threads that run them.

    A thread whose step ended says so in `done`; one of them at a time takes everything that is there, records it and
    starts what follows, the first of it in its own thread: a chain of steps changes threads nowhere. The thread that
    wants the graph run only watches the time, and takes over for good (`closed`) where the work is cancelled.
    """

    readiness: Readiness
    work: Callable[[str], Verdict]
    on_blocked: Callable[[str, str], None]
    limit: int
    cancellation: Cancellation
    threads: Threads
    before_start: Callable[[Sequence[str]], None]
    can_end: Callable[[str], bool]
    look: Callable[[], object] | None
    done: SimpleQueue[tuple[str, Verdict | BaseException]] = field(default_factory=SimpleQueue)
    # True when nothing runs any more, an error, or None where it is worth a look whether the work is cancelled
    news: SimpleQueue[bool | BaseException | None] = field(default_factory=SimpleQueue)
    driving: threading.Lock = field(default_factory=threading.Lock)
    closed: bool = False
    running: dict[str, None] = field(default_factory=dict)

    def run(self, timeout: float | None, spent: float) -> tuple[str, ...]:
        deadline = None if timeout is None else time.monotonic() + timeout - spent
        try:
            with self.cancellation.calling(lambda: self.news.put(None)):
                with self.driving:
                    first = self._advance()
                for name in first:
                    self._start(name)
                if self._watched(deadline, timeout):
                    return ()
            self._settle()
        except KeyboardInterrupt:
            self.cancellation.whole.cancel(INTERRUPTED)
            self._settle()
        except BaseException:
            self.cancellation.cancel("f0ci failed")
            with contextlib.suppress(BaseException):
                self._settle()
            raise
        return tuple(self.running)

    def _advance(self) -> tuple[str, ...]:
        """Take what is done, and return the steps to start now; only who drives may ask."""
        if self.closed or self.cancellation.cancelled:
            return ()
        self._take_all()
        starting = self._next()
        # what ends a moment later is recorded along with this, as nothing waits for the record
        with contextlib.suppress(Empty):
            while not starting and self.running:
                self._take(self.done.get(timeout=GATHERING))
                self._take_all()
                starting = self._next()
        self.before_start(starting)
        # known before they start: an interrupt in between must not lose them
        self.running.update(dict.fromkeys(starting))
        if not self.running:
            self.news.put(True)
        return starting

    def _next(self) -> tuple[str, ...]:
        while True:
            moves = self.readiness.moves(self.limit - len(self.running))
            if not moves.blocked:
                return moves.start
            for name, verdict in moves.blocked.items():
                self.on_blocked(name, verdict.because)

    def _start(self, name: str) -> None:
        self.threads.start(f"f0ci-{name}", lambda: self._work(name))

    def _work(self, name: str) -> None:
        step: str | None = name
        while step is not None:
            threading.current_thread().name = f"f0ci-{step}"
            answer: Verdict | BaseException
            try:
                answer = self.work(step)
            except BaseException as error:  # noqa: BLE001 - whoever wants the graph run raises it
                answer = error
            self.done.put((step, answer))
            step = self._drive()

    def _drive(self) -> str | None:
        """Take the graph further unless somebody does, and return a step that this thread is to run."""
        own: str | None = None
        # whoever drives looks again after giving the lock back, so that nothing stays in the queue
        while not self.closed and not self.done.empty() and self.driving.acquire(blocking=False):
            try:
                starting = self._advance()
            except BaseException as error:  # noqa: BLE001 - whoever wants the graph run raises it
                self.closed = True
                self.news.put(error)
                return own
            finally:
                self.driving.release()
            if self.cancellation.cancelled:
                # the one that watches takes what is left
                for name in starting:
                    self._start(name)
                return own
            for name in starting:
                if own is None:
                    own = name
                else:
                    self._start(name)
        return own

    def _watched(self, deadline: float | None, timeout: float | None) -> bool:
        """Wait until nothing runs any more; tell False where the work is cancelled."""
        looked = time.monotonic()
        while not self.cancellation.cancelled:
            left = None if deadline is None else min(threading.TIMEOUT_MAX, max(0.0, deadline - time.monotonic()))
            pause = left if self.look is None else min(LOOKING, LOOKING if left is None else left)
            try:
                news = self.news.get(timeout=pause)
            except Empty:
                news = None
            if isinstance(news, BaseException):
                raise news
            if news:
                return True
            if self.look is not None and time.monotonic() - looked >= LOOKING:
                looked = time.monotonic()
                self.look()
            if deadline is not None and time.monotonic() >= deadline:
                self.cancellation.cancel(f"the recipe's time of {timeout:g}s is over")
        return False

    def _take_all(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                self._take(self.done.get_nowait())

    def _take(self, item: tuple[str, Verdict | BaseException]) -> None:
        name, answer = item
        self.running.pop(name, None)
        if isinstance(answer, BaseException):
            raise answer
        self.readiness.end(name, answer)

    def _settle(self) -> None:
        """Take over, and let running steps end that were told to."""
        with self.driving:
            self.closed = True
        until = time.monotonic() + SETTLING
        while any(self.can_end(name) for name in self.running):
            try:
                self._take(self.done.get(timeout=max(0.0, until - time.monotonic())))
            except Empty:
                break
        self._take_all()
