"""Looking whether promotions can work here, as a function for people who embed f0ci."""

from __future__ import annotations

from pathlib import Path

from f0ci.commands.engines import Place
from f0ci.commands.examining_pipelines import examine_pipelines
from f0ci.commands.examining_runs import examine_runs
from f0ci.core.clock import Clock, SystemClock
from f0ci.promotion.health import Check, examine


def examine_repository(root: Path, *, journal: Place | None = None, clock: Clock | None = None) -> tuple[Check, ...]:
    """Return what is so about this machine, the clone, remote, runs and pipelines, each with the command that mends it.

    Args:
        root: the work tree.
        journal: file of the journal, or a database's address; None is what `f0ci.yaml` says, else the work tree's file.
        clock: the time; the machine's by default.
    """
    checks = tuple(examine(root, clock or SystemClock()))
    return (*checks, *examine_runs(root, journal), *examine_pipelines(root))
