"""The strategy `rolling`: the new release replaces the old one, all at once or in growing batches."""

from __future__ import annotations

from f0ci.promotion.strategies.base import TrafficStep, growing


def plan_steps(percents: tuple[int, ...], new: str, old: str | None) -> tuple[TrafficStep, ...]:
    """Return one step a share, rising to 100."""
    return growing(percents, new, old)
