"""The strategy `blue_green`: the new release stands beside the old one without traffic, then takes all of it.

The old one stays until the switch was judged and its delay is over, so that going back is one more switch.
"""

from __future__ import annotations

from f0ci.promotion.strategies.base import PREVIEW, SWITCH, TrafficStep, delayed, first, retire, share
from f0ci.workflows.rollouts import Rollout, RolloutStep


def plan_steps(rollout: Rollout, new: str, old: str | None) -> tuple[TrafficStep, ...]:
    """Return the preview, the switch, and the old release's end; without an old release the switch alone."""
    if old is None or old == new:
        return first(rollout, new)
    preview = next((step for step in rollout.steps if step.percent == 0), RolloutStep(0))
    switch = delayed(rollout.steps[-1], rollout.scale_down_delay)
    return (
        share(preview, rollout, new, old, PREVIEW),
        share(switch, rollout, new, old, SWITCH),
        retire(rollout, new),
    )
