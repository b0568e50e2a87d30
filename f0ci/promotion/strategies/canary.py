"""The strategy `canary`: a growing share of traffic, judged at each step."""

from __future__ import annotations

from f0ci.promotion.strategies.base import TrafficStep, growing


def plan_steps(percents: tuple[int, ...], new: str, old: str | None) -> tuple[TrafficStep, ...]:
    """Return one step a share, rising to 100."""
    return growing(percents, new, old)
