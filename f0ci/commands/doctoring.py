"""Looking whether promotions can work here, as a function for people who embed f0ci."""

from __future__ import annotations

from pathlib import Path

from f0ci.commands.examining_pipelines import examine_pipelines
from f0ci.core.clock import Clock, SystemClock
from f0ci.promotion.health import Check, examine


def examine_repository(root: Path, *, clock: Clock | None = None) -> tuple[Check, ...]:
    """Return what is so about this machine, the clone, remote and pipelines, each with the command that mends it."""
    checks = tuple(examine(root, clock or SystemClock()))
    return (*checks, *examine_pipelines(root))
