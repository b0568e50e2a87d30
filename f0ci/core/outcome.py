"""Outcomes and how a set of them becomes one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Outcome(IntEnum):
    """How something ended, from best to worst; comparing two compares badness."""

    SKIPPED = 0
    PASSED = 1
    WAITING = 2
    INCONCLUSIVE = 3
    ERRORED = 4
    FAILED = 5

    def __str__(self) -> str:
        return _WORDS[self]


_WORDS = {outcome: outcome.name.lower() for outcome in Outcome}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the worst of some outcomes; nothing, or only skipped, is skipped and never passed."""
    return max(outcomes, default=Outcome.SKIPPED)
