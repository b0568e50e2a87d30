"""What a strategy plans: which releases are live, with how much traffic, at each step.

A strategy is one file beside this one, named as workflows name it, with a function
`plan_steps(percents, new, old) -> tuple[TrafficStep, ...]`. It is pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TrafficStep:
    """What is live after one step.

    Attributes:
        percent: share of traffic for the new release, 0 to 100.
        traffic: percent by release digest; one or two releases, together 100.
        active: digest of the release that users of a switch see.
    """

    percent: int
    traffic: Mapping[str, int]
    active: str

    def to_json(self) -> dict[str, Any]:
        """Return what the rendered tree's `traffic.json` says."""
        return {
            "version": 1,
            "active": self.active,
            "releases": sorted(self.traffic),
            "traffic": dict(sorted(self.traffic.items())),
        }


def share(percent: int, new: str, old: str | None) -> TrafficStep:
    """Return the step that gives the new release a share of the traffic and the old one the rest."""
    if old is None or old == new or percent >= 100:
        return TrafficStep(percent, {new: 100}, new)
    return TrafficStep(percent, {new: percent, old: 100 - percent}, new if percent > 50 else old)


def growing(percents: tuple[int, ...], new: str, old: str | None) -> tuple[TrafficStep, ...]:
    """Return one step a share; without an old release nobody else could take the rest, so one step."""
    if old is None or old == new:
        return (share(100, new, old),)
    return tuple(share(percent, new, old) for percent in percents)
