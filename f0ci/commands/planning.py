"""Planning and explaining, as functions for people who embed f0ci."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.core.clock import Clock, SystemClock
from f0ci.promotion.site import Site, open_site

if TYPE_CHECKING:
    from f0ci.promotion.explaining import Explanation
    from f0ci.promotion.planning import PlanView


def plan_environment(
    root: Path, environment: str, release: str | None = None, *, apart: bool = False, clock: Clock | None = None
) -> PlanView:
    """Return what a promotion would do, writing nothing.

    Args:
        root: the work tree.
        environment: any name of the environment.
        release: digest, its beginning, `latest`, or None for the newest.
        apart: run nothing of the repository; what would have to be run is said to be asked later.
        clock: the time; the machine's by default.

    Raises:
        F0ciError: the release or the policy cannot be used, or a metric is not declared or matches nothing.
    """
    site = _open(root, clock)
    from f0ci.promotion.planning import view_plan

    return view_plan(site, environment, release, apart=apart)


def explain_environment(
    root: Path, environment: str, release: str | None = None, *, fetch: bool = True, clock: Clock | None = None
) -> Explanation:
    """Return why a release (the newest by default) is not in an environment; a function of the ledgers and the clock.

    Raises:
        F0ciError: the release or the policy cannot be used.
    """
    site = _open(root, clock, fetch=fetch)
    from f0ci.promotion.planning import explain_absence

    return explain_absence(site, environment, release)


def _open(root: Path, clock: Clock | None, *, fetch: bool = True) -> Site:
    """Open a repository; what planning imports is imported while the remote answers."""
    return open_site(root, clock or SystemClock(), fetch=fetch, meanwhile=_load)


def _load() -> None:
    importlib.import_module("f0ci.promotion.planning")
