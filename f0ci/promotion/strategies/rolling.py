"""The strategy `rolling`: instances of the new release take the places of the old ones, all at once or in batches."""

from __future__ import annotations

from f0ci.promotion.strategies.base import SHIFT, TrafficStep, alone, first, share
from f0ci.workflows.rollouts import Rollout


def plan_steps(rollout: Rollout, new: str, old: str | None) -> tuple[TrafficStep, ...]:
    """Return one step a batch; with the last one the old release has no place left."""
    if old is None or old == new:
        return first(rollout, new)
    *batches, last = rollout.steps
    return (*(share(step, rollout, new, old) for step in batches), alone(last, rollout, new, SHIFT))
