"""Looking for drift and repairing it, as functions for people who embed f0ci."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from f0ci.core.clock import Clock, SystemClock
from f0ci.promotion.drifting import Observed, observe_environment
from f0ci.promotion.repairing import Repaired, repair
from f0ci.promotion.site import open_site


def _silent(_text: str) -> None:
    pass


def observe(
    root: Path, environment: str | None = None, *, fetch: bool = True, clock: Clock | None = None
) -> dict[str, Observed]:
    """Return what environments hold beside what they should, by name, in the workflow's order.

    Args:
        root: the work tree.
        environment: any name of one environment; None for all.
        fetch: ask the remote for what is newest.
        clock: the time; the machine's by default.

    Raises:
        F0ciError: see `f0ci.promotion.drifting.observe_environment`.
    """
    site = open_site(root, clock or SystemClock(), fetch=fetch)
    wanted = site.recorded_environment(environment) if environment else None
    ledgers = site.store.read()
    return {name: observe_environment(site, ledgers, name) for name in ledgers.environments if wanted in {None, name}}


def repair_environment(
    root: Path,
    environment: str,
    reason: str,
    *,
    on_stage: Callable[[str], None] = _silent,
    on_event: Callable[[Any], None] | None = None,
    clock: Clock | None = None,
) -> Repaired:
    """Make an environment what its ledger says, as a recorded change.

    Raises:
        F0ciError: see `f0ci.promotion.repairing.repair`.
    """
    site = open_site(root, clock or SystemClock())
    return repair(site, site.environment(environment).name, reason, on_event, on_stage)
