"""Which step starts when: a pure decision, and the loop of threads around it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any

from f0ci.core.cancellation import Cancellation

# seconds that running steps get to end once they were told to; ending a process group takes at most 2
SETTLING = 5.0
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What other steps must know of one that is over.

    Attributes:
        satisfied: True where steps that depend on it may run.
        stops: True where no further step may start.
        because: the step at the bottom of it, where not satisfied.
    """

    satisfied: bool = True
    stops: bool = False
    because: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps and what they wait for.

    Attributes:
        steps: names, in the order in which ready ones start.
        after: for each step, those that must be over before it starts.
        needs: for each step, those of them that must be satisfied, too.
    """

    steps: Sequence[str]
    after: Mapping[str, Collection[str]]
    needs: Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Moves:
    """What to do next.

    Attributes:
        start: steps to start now.
        blocked: steps that can never start, each with the verdict that follows.
    """

    start: tuple[str, ...] = ()
    blocked: Mapping[str, Verdict] = field(default_factory=dict)


def next_moves(graph: Graph, over: Mapping[str, Verdict], running: Collection[str], limit: int) -> Moves:
    """Return the moves that follow from what is over and what is running.

    | state of a step that did not start | move |
    |---|---|
    | something over says stop | none, for no step |
    | a step it needs is over and not satisfied | blocked, for that step's reason |
    | a step it comes after is not over | none |
    | ready, but `limit` steps run | none |
    | ready | start |
    """
    if any(verdict.stops for verdict in over.values()):
        return Moves()
    blocked: dict[str, Verdict] = {}
    ready = []
    for name in graph.steps:
        if name in over or name in running:
            continue
        broken = next((need for need in graph.needs[name] if need in over and not over[need].satisfied), None)
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
    timeout: float | None = None,
) -> tuple[str, ...]:
    """Run steps in threads until all are over, one says stop, or the work is cancelled.

    Threads are daemons: one that cannot be ended must not keep the process from ending. An interrupt (Ctrl-C) cancels.

    Args:
        graph: the steps.
        work: runs one step, in a thread of its own.
        on_blocked: told of each step that can never start, and of the step at the bottom of it.
        limit: steps that run at the same time at most.
        cancellation: ends the loop; also cancelled here when the time is over.
        timeout: seconds for all steps together, or None.

    Returns:
        Steps that were started and are not over: after a cancellation some may be beyond ending.
    """
    over: dict[str, Verdict] = {}
    running: dict[Future[Verdict], str] = {}
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        while not cancellation.cancelled:
            moves = next_moves(graph, over, running.values(), limit)
            for name, verdict in moves.blocked.items():
                over[name] = verdict
                on_blocked(name, verdict.because)
            if moves.blocked:
                continue
            for name in moves.start:
                # known before it starts: an interrupt in between must not lose it
                future: Future[Verdict] = Future()
                running[future] = name
                _start(work, name, future)
            if not running:
                return ()
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            either: list[Future[Any]] = [*running, cancellation.requested]
            done, _ = wait(either, timeout=left, return_when=FIRST_COMPLETED)
            if not done:
                cancellation.cancel(f"the recipe's time of {timeout:g}s is over")
            _collect(running, over)
        wait(running, timeout=SETTLING)
        _collect(running, over)
    except KeyboardInterrupt:
        cancellation.whole.cancel(INTERRUPTED)
        for future in running:
            future.cancel()
        wait(running, timeout=SETTLING)
        _collect(running, over)
    except BaseException:
        cancellation.cancel("f0ci failed")
        wait(running, timeout=SETTLING)
        raise
    return tuple(running.values())


def _collect(running: dict[Future[Verdict], str], over: dict[str, Verdict]) -> None:
    for future in [future for future in running if future.done()]:
        name = running.pop(future)
        if not future.cancelled():
            over[name] = future.result()


def _start(work: Callable[[str], Verdict], name: str, future: Future[Verdict]) -> None:
    def body() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(work(name))
        except BaseException as error:  # noqa: BLE001 - the loop raises it
            future.set_exception(error)

    threading.Thread(target=body, name=f"f0ci-{name}", daemon=True).start()
