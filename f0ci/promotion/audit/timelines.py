"""What a ledger said at each of its commits, from one folding: decisions are judged by the tips that they quote."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

from f0ci.promotion.events import STANDING, Event
from f0ci.promotion.folding import CHANGES, advance, check_numbers, hold_of, repair_of
from f0ci.promotion.on_demand import OnDemand
from f0ci.promotion.state import Applied, EnvironmentState, Hold, Promotion


class Timeline:
    """The states of an environment after each event of its ledger.

    Args:
        environment: its name.
        events: all events of its ledger, in order of position.
        counts: how many of them each commit of the ledger holds.

    Raises:
        IllegalEvent: an event cannot stand where it stands.
    """

    def __init__(self, environment: str, events: Sequence[Event], counts: Mapping[str, int]) -> None:
        check_numbers(environment, events)
        self.environment = environment
        self.events = tuple(events)
        self.counts = counts
        self._places: dict[str, int] = {}
        self._begins: list[int] = []
        self._versions: list[tuple[list[int], list[Promotion]]] = []
        self._holds: tuple[list[int], list[Hold | None]] = ([], [])
        self._repairs: tuple[list[int], list[Applied | None]] = ([], [])
        self._step = 0
        self._policies: tuple[list[int], list[Mapping[str, Any]]] = ([], [])
        for event in events:
            self._add(event)

    def _add(self, event: Event) -> None:
        if event.kind in {"hold", "unhold"}:
            self._holds[0].append(event.position)
            self._holds[1].append(hold_of(event) if event.kind == "hold" else None)
        if event.kind == "policy":
            self._policies[0].append(event.position)
            self._policies[1].append(event.data)
        if event.kind == "repair":
            self._repairs[0].append(event.position)
            self._repairs[1].append(repair_of(event, self._step) or _newest(self._repairs, event.position))
        if event.kind in STANDING:
            return
        place = self._places.get(event.promotion)
        if place is None:
            place = self._places[event.promotion] = len(self._versions)
            self._versions.append(([], []))
            self._begins.append(event.position)
        positions, versions = self._versions[place]
        positions.append(event.position)
        versions.append(advance(versions[-1] if versions else None, event))
        if event.kind in CHANGES:
            self._step = versions[-1].applied[-1].step
            self._repairs[0].append(event.position)
            self._repairs[1].append(None)

    def at(self, count: int, tip: str | None = None) -> EnvironmentState:
        """Return the state after so many events."""
        size = bisect_left(self._begins, count)
        return EnvironmentState(
            self.environment,
            tip,
            OnDemand(size, lambda start, _end: [self._version(start, count)], 1),
            _newest(self._holds, count),
            _newest(self._policies, count),
            OnDemand(count, lambda start, end: self.events[start : end + 1], 64),
            repaired=_newest(self._repairs, count),
        )

    def at_commit(self, tip: str) -> EnvironmentState | None:
        """Return the state at a commit of the ledger, None where it is none of its commits."""
        count = self.counts.get(tip)
        return self.at(count, tip) if count is not None else None

    def _version(self, place: int, count: int) -> Promotion:
        positions, versions = self._versions[place]
        return versions[bisect_left(positions, count) - 1]


def _newest(found: tuple[list[int], list[Any]], count: int) -> Any:
    place = bisect_left(found[0], count)
    return found[1][place - 1] if place else None
