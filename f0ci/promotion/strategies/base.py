"""What a strategy plans: which releases are live, with how much traffic, at each step.

A strategy is one file beside this one, named as workflows name it, with a function
`plan_steps(rollout, new, old) -> tuple[TrafficStep, ...]`. It is pure. Its last step has the new release alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from f0ci.workflows.rollouts import MANUAL, Rollout, RolloutStep, traffic_document

SHIFT, PREVIEW, SWITCH, RETIRE = "shift", "preview", "switch", "retire"


@dataclass(frozen=True, slots=True)
class TrafficStep:
    """What is live after one step, and what comes before the next.

    Attributes:
        phase: what the step is for: `shift`, `preview`, `switch`, `retire`, or a plug-in's own word.
        traffic: percent by release digest; one or two releases, together 100.
        active: digest of the release that users of a switch see.
        candidate: digest of the release that is brought in beside another, or None.
        said: what the workflow says of the step.
        routing: how requests are told apart beside their weights.
    """

    phase: str
    traffic: Mapping[str, int]
    active: str
    candidate: str | None
    said: RolloutStep
    routing: Mapping[str, Any] = field(default_factory=dict)

    @property
    def percent(self) -> int:
        """Return the share of the new release, 0 to 100."""
        return self.said.percent

    def rollout_document(self) -> dict[str, Any]:
        """Return what the rendered tree's `traffic.json` says."""
        return traffic_document(self.traffic, self.active, self.candidate, self.routing)

    def bound(self, tree: str) -> dict[str, Any]:
        """Return the step as part of a plan.

        Args:
            tree: id of what the environment holds then.
        """
        data: dict[str, Any] = {
            "percent": self.percent,
            "phase": self.phase,
            "pause": MANUAL if self.said.manual else self.said.pause.total_seconds(),
            "analysis": self.said.is_judged,
            "tree": tree,
        }
        if self.said.duration is not None:
            data["duration"] = self.said.duration.total_seconds()
        return data


def share(said: RolloutStep, rollout: Rollout, new: str, old: str, phase: str = SHIFT) -> TrafficStep:
    """Return the step that gives the new release a share of the traffic and leaves the old one the rest.

    Both stay live, also at 0 and at 100 percent, so that going back needs nothing to be started.
    """
    traffic = {new: said.percent, old: 100 - said.percent}
    return TrafficStep(phase, traffic, new if said.percent > 50 else old, new, said, rollout.routing)


def alone(said: RolloutStep, rollout: Rollout, new: str, phase: str) -> TrafficStep:
    """Return the step after which nothing but the new release is live."""
    return TrafficStep(phase, {new: 100}, new, None, said, rollout.routing)


def first(rollout: Rollout, new: str) -> tuple[TrafficStep, ...]:
    """Return the only step of an environment without an old release: nobody else could take the traffic."""
    return (alone(rollout.steps[-1], rollout, new, SHIFT),)


def retire(rollout: Rollout, new: str) -> TrafficStep:
    """Return the step that takes the old release away, once the new one was judged with all of the traffic."""
    return alone(RolloutStep(100, analysis=False), rollout, new, RETIRE)


def delayed(said: RolloutStep, delay: timedelta) -> RolloutStep:
    """Return a step that lasts at least as long as the old release has to stay."""
    return replace(said, pause=max(said.pause, delay))
