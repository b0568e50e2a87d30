"""Which step starts when: a pure decision, and the loop around it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from f0ci.core.cancellation import Cancellation
from f0ci.runner.threads import Threads

# seconds that running steps get to end once they were told to; ending a process group takes at most 2
SETTLING = 5.0
# seconds between two looks at what others may want of the run
LOOKING = 1.0
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What other steps must know of one that is over, or waits.

    Attributes:
        satisfied: True where steps that depend on it may run.
        stops: True where no further step may start.
        because: the step at the bottom of it, where not satisfied.
        skipped: True where it did not run.
        waits: True where it is not over: something outside has to happen first.
    """

    satisfied: bool = True
    stops: bool = False
    because: str = ""
    skipped: bool = False
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps and what they wait for.

    Attributes:
        steps: names, in the order in which ready ones start.
        after: for each step, those that must be over before it starts.
        needs: for each step, those of them that must be satisfied, too.
        strict: steps that a skipped step does not satisfy.
    """

    steps: Sequence[str]
    after: Mapping[str, Collection[str]]
    needs: Mapping[str, Collection[str]]
    strict: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Moves:
    """What to do next.

    Attributes:
        start: steps to start now.
        blocked: steps that can never start, each with the verdict that follows.
    """

    start: tuple[str, ...] = ()
    blocked: Mapping[str, Verdict] = field(default_factory=dict)


def next_moves(
    graph: Graph,
    over: Mapping[str, Verdict],
    running: Collection[str],
    limit: int,
    parked: Collection[str] = (),
) -> Moves:
    """Return the moves that follow from what is over, what is running and what waits (`parked`).

    | state of a step that did not start | move |
    |---|---|
    | something over says stop | none, for no step |
    | a step it needs is over and not satisfied | blocked, for that step's reason |
    | a step it needs was skipped, and it says that this does not satisfy it | blocked |
    | a step it comes after is not over, or waits | none |
    | ready, but `limit` steps run | none |
    | ready | start |
    """
    if any(verdict.stops for verdict in over.values()):
        return Moves()
    blocked: dict[str, Verdict] = {}
    ready = []
    for name in graph.steps:
        if name in over or name in running or name in parked:
            continue
        strict = name in graph.strict
        broken = next(
            (
                need
                for need in graph.needs[name]
                if need in over and (not over[need].satisfied or (strict and over[need].skipped))
            ),
            None,
        )
        if broken is not None:
            blocked[name] = Verdict(satisfied=False, because=over[broken].because or broken)
        elif all(before in over for before in graph.after[name]):
            ready.append(name)
    return Moves(tuple(ready[: max(0, limit - len(running))]), blocked)


def run_graph(
    graph: Graph,
    work: Callable[[str], Verdict],
    on_blocked: Callable[[str, str], None],
    *,
    limit: int,
    cancellation: Cancellation,
    threads: Threads | None = None,
    timeout: float | None = None,
    over: Mapping[str, Verdict] | None = None,
    before_start: Callable[[Sequence[str]], None] = lambda _: None,
    can_end: Callable[[str], bool] = lambda _: True,
    look: Callable[[], object] | None = None,
) -> tuple[str, ...]:
    """Run steps in threads until all are over or wait, one says stop, or the work is cancelled.

    An interrupt (Ctrl-C) cancels.

    Args:
        graph: the steps.
        work: runs one step, in a thread of its own.
        on_blocked: told of each step that can never start, and of the step at the bottom of it.
        limit: steps that run at the same time at most.
        cancellation: ends the loop; also cancelled here when the time is over.
        threads: where steps run.
        timeout: seconds for all steps together, or None.
        over: steps that are over before anything starts.
        before_start: called before each round of starts, also an empty one, with the steps about to start: whatever
            must be safe before others build on it is made safe here.
        can_end: tells whether a running step can be ended, so that it is worth waiting for its end.
        look: called about once a second while steps run.

    Returns:
        Steps that were started and are not over: after a cancellation some may be beyond ending.
    """
    return _Loop(graph, work, on_blocked, limit, cancellation, threads or Threads(), before_start, can_end, look).run(
        dict(over or {}), timeout
    )


@dataclass(slots=True)
class _Loop:
    graph: Graph
    work: Callable[[str], Verdict]
    on_blocked: Callable[[str, str], None]
    limit: int
    cancellation: Cancellation
    threads: Threads
    before_start: Callable[[Sequence[str]], None]
    can_end: Callable[[str], bool]
    look: Callable[[], object] | None
    done: SimpleQueue[tuple[str, Verdict | BaseException] | None] = field(default_factory=SimpleQueue)
    running: dict[str, None] = field(default_factory=dict)
    parked: dict[str, None] = field(default_factory=dict)
    looked: float = field(default_factory=time.monotonic)

    def run(self, over: dict[str, Verdict], timeout: float | None) -> tuple[str, ...]:
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            with self.cancellation.calling(lambda: self.done.put(None)):
                while not self.cancellation.cancelled:
                    moves = next_moves(self.graph, over, self.running, self.limit, self.parked)
                    for name, verdict in moves.blocked.items():
                        over[name] = verdict
                        self.on_blocked(name, verdict.because)
                    if moves.blocked:
                        continue
                    self.before_start(moves.start)
                    for name in moves.start:
                        # known before it starts: an interrupt in between must not lose it
                        self.running[name] = None
                        self._start(name)
                    if not self.running:
                        return ()
                    self._wait(over, deadline, timeout)
            self._settle(over)
        except KeyboardInterrupt:
            self.cancellation.whole.cancel(INTERRUPTED)
            self._settle(over)
        except BaseException:
            self.cancellation.cancel("f0ci failed")
            with contextlib.suppress(BaseException):
                self._settle(over)
            raise
        return tuple(self.running)

    def _start(self, name: str) -> None:
        def body() -> None:
            answer: Verdict | BaseException
            try:
                answer = self.work(name)
            except BaseException as error:  # noqa: BLE001 - the loop raises it
                answer = error
            self.done.put((name, answer))

        self.threads.start(f"f0ci-{name}", body)

    def _wait(self, over: dict[str, Verdict], deadline: float | None, timeout: float | None) -> None:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        pause = left if self.look is None else min(LOOKING, LOOKING if left is None else left)
        try:
            self._take(self.done.get(timeout=pause), over)
            while True:
                self._take(self.done.get_nowait(), over)
        except Empty:
            pass
        if self.look is not None and time.monotonic() - self.looked >= LOOKING:
            self.looked = time.monotonic()
            self.look()
        if deadline is not None and self.running and time.monotonic() >= deadline:
            self.cancellation.cancel(f"the recipe's time of {timeout:g}s is over")

    def _take(self, item: tuple[str, Verdict | BaseException] | None, over: dict[str, Verdict]) -> None:
        if item is None:
            return
        name, answer = item
        self.running.pop(name, None)
        if isinstance(answer, BaseException):
            raise answer
        if answer.waits:
            self.parked[name] = None
        else:
            over[name] = answer

    def _settle(self, over: dict[str, Verdict]) -> None:
        """Let running steps end that were told to."""
        until = time.monotonic() + SETTLING
        while any(self.can_end(name) for name in self.running):
            try:
                self._take(self.done.get(timeout=max(0.0, until - time.monotonic())), over)
            except Empty:
                break
        with contextlib.suppress(Empty):
            while self.running:
                self._take(self.done.get_nowait(), over)
