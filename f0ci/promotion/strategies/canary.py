"""The strategy `canary`: a growing share of traffic, judged at each step; the old release goes when all is judged."""

from __future__ import annotations

from f0ci.promotion.strategies.base import TrafficStep, delayed, first, retire, share
from f0ci.workflows.rollouts import Rollout


def plan_steps(rollout: Rollout, new: str, old: str | None) -> tuple[TrafficStep, ...]:
    """Return one step a share, rising to 100, and the old release's end."""
    if old is None or old == new:
        return first(rollout, new)
    *shares, last = rollout.steps
    steps = (*shares, delayed(last, rollout.scale_down_delay))
    return (*(share(step, rollout, new, old) for step in steps), retire(rollout, new))
