"""The strategy `blue_green`: the new release stands beside the old one without traffic, then takes all of it."""

from __future__ import annotations

from f0ci.promotion.strategies.base import TrafficStep, share


def plan_steps(_percents: tuple[int, ...], new: str, old: str | None) -> tuple[TrafficStep, ...]:
    """Return the preview and the switch; without an old release the switch alone."""
    if old is None or old == new:
        return (share(100, new, old),)
    return (share(0, new, old), share(100, new, old))
