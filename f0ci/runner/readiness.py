"""Which steps may start: what follows from the steps that are over, worked out only where something changed."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field

from f0ci.core.values import dataclass


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


class Readiness:
    """The steps of a graph that may start, while others end.

    Each end costs as many looks as steps wait for that one, so a recipe of many steps costs what its steps and
    dependencies do, and not their square.

    Args:
        graph: the steps.
        over: steps that are over before anything starts.
    """

    def __init__(self, graph: Graph, over: Mapping[str, Verdict] | None = None) -> None:
        self._graph = graph
        self._over: dict[str, Verdict] = {}
        self._stopped = False
        self._rank = {name: index for index, name in enumerate(graph.steps)}
        self._needs = {name: frozenset(graph.needs[name]) for name in graph.steps}
        self._missing: dict[str, int] = {}
        self._followers: dict[str, list[str]] = {}
        for name in graph.steps:
            before = frozenset(graph.after[name])
            self._missing[name] = len(before)
            for other in before:
                self._followers.setdefault(other, []).append(name)
        # places in the order of the graph, so that the first of those that are ready starts first
        self._ready = [self._rank[name] for name in graph.steps if not self._missing[name]]
        self._broken: set[int] = set()
        for name, verdict in (over or {}).items():
            self.end(name, verdict)

    def end(self, name: str, verdict: Verdict) -> None:
        """Take over that a step ended; one that waits keeps those after it waiting."""
        if verdict.waits:
            return
        self._over[name] = verdict
        # another step that it needs may have ended together with this one
        self._broken.discard(self._rank[name])
        self._stopped = self._stopped or verdict.stops
        for follower in self._followers.get(name, ()):
            self._missing[follower] -= 1
            if follower in self._over:
                continue
            if self._breaks(name, verdict, follower):
                self._broken.add(self._rank[follower])
            elif not self._missing[follower]:
                heapq.heappush(self._ready, self._rank[follower])

    def moves(self, room: int) -> Moves:
        """Return what follows from what is over; nothing is told twice, and what is blocked is over from now on.

        | state of a step that was not told of | move |
        |---|---|
        | something over says stop | none, for no step |
        | a step it needs is over and not satisfied | blocked, for that step's reason |
        | a step it needs was skipped, and it says that this does not satisfy it | blocked |
        | a step it comes after is not over, or waits | none |
        | ready, but something else is blocked | none yet: ask again |
        | ready, but no `room` is left | none |
        | ready | start |

        Args:
            room: steps that may be started at most.
        """
        if self._stopped:
            return Moves()
        if self._broken:
            blocked = {name: self._blocked(name) for name in self._named(sorted(self._broken))}
            self._broken.clear()
            for name, verdict in blocked.items():
                self.end(name, verdict)
            return Moves(blocked=blocked)
        starting: list[int] = []
        while self._ready and len(starting) < room:
            place = heapq.heappop(self._ready)
            if self._graph.steps[place] not in self._over:
                starting.append(place)
        return Moves(self._named(starting))

    def _named(self, places: Sequence[int]) -> tuple[str, ...]:
        return tuple(self._graph.steps[place] for place in places)

    def _breaks(self, name: str, verdict: Verdict, follower: str) -> bool:
        if name not in self._needs[follower]:
            return False
        return not verdict.satisfied or (verdict.skipped and follower in self._graph.strict)

    def _blocked(self, name: str) -> Verdict:
        """Return what follows for a step that can never start, of the first step that it needs and that broke it."""
        over = ((need, self._over[need]) for need in self._graph.needs[name] if need in self._over)
        need, verdict = next(pair for pair in over if self._breaks(*pair, name))
        return Verdict(satisfied=False, because=verdict.because or need)
