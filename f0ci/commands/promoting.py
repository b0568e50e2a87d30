"""Promoting, continuing, planning and rolling back, as functions for people who embed f0ci."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from f0ci.core.clock import Clock, SystemClock
from f0ci.core.errors import UsageError
from f0ci.promotion.judging import Verdict
from f0ci.promotion.plan import Plan, render_step
from f0ci.promotion.promoting import (
    Request,
    advance_to_end,
    find_promotion,
    gate_verdict,
    plan_for,
    require_active,
    waiting_promotions,
)
from f0ci.promotion.releases import Release, release_paths, require_release
from f0ci.promotion.report import PromotionReport
from f0ci.promotion.requesting import promote
from f0ci.promotion.rolling_back import RollbackRequest, roll_back
from f0ci.promotion.site import Site, open_site
from f0ci.promotion.state import Promotion
from f0ci.source.project import load_project

Stage = Callable[[str], None]


def _silent(_text: str) -> None:
    pass


def promote_environment(
    root: Path,
    environment: str,
    release: str | None = None,
    *,
    through_hold: str | None = None,
    on_stage: Stage = _silent,
    on_event: Callable[[Any], None] | None = None,
    clock: Clock | None = None,
) -> PromotionReport:
    """Bring a release into an environment, or take its active promotion further.

    Args:
        root: the work tree.
        environment: any name of the environment.
        release: digest, its beginning, `latest`, or None for the newest.
        through_hold: reason for passing a hold.
        on_stage: is told, in words, what happens.
        on_event: is told what deploy recipes do.
        clock: the time; the machine's by default.

    Raises:
        F0ciError: see `f0ci.promotion.promoting.promote`.
    """
    site = open_site(root, clock or SystemClock())
    name = site.environment(environment).name
    return promote(site, Request(name, release, through_hold, on_event, on_stage))


def continue_promotions(
    root: Path,
    what: str | None = None,
    *,
    on_stage: Stage = _silent,
    on_event: Callable[[Any], None] | None = None,
    clock: Clock | None = None,
) -> tuple[PromotionReport, ...]:
    """Take waiting promotions further.

    Args:
        root: the work tree.
        what: id of a promotion or name of an environment; None for all that wait.
        on_stage: is told, in words, what happens.
        on_event: is told what deploy recipes do.
        clock: the time; the machine's by default.

    Raises:
        UsageError: nothing has that name.
        CannotWork: nothing is active there.
    """
    site = open_site(root, clock or SystemClock())
    ledgers = site.store.read()
    if what is None:
        promotions = tuple(waiting_promotions(ledgers))
    elif site.workflow.environment(what) is not None:
        promotions = (require_active(ledgers, site.environment(what).name),)
    else:
        promotions = (find_promotion(ledgers, what),)
    return tuple(
        advance_to_end(site, Request(promotion.environment, on_event=on_event, on_stage=on_stage), promotion.id)
        for promotion in promotions
    )


def rollback_environment(
    root: Path,
    environment: str,
    reason: str,
    to: str | None = None,
    *,
    on_stage: Stage = _silent,
    on_event: Callable[[Any], None] | None = None,
    clock: Clock | None = None,
) -> PromotionReport:
    """Restore the newest earlier good release of an environment, or another that was good there.

    Raises:
        F0ciError: see `f0ci.promotion.rolling_back.roll_back`.
    """
    site = open_site(root, clock or SystemClock())
    name = site.environment(environment).name
    return roll_back(site, RollbackRequest(name, reason, to), Request(name, on_event=on_event, on_stage=on_stage))


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan with its forecast.

    Attributes:
        plan: what is bound, and its digest; None where the promotion already exists and was made from `bound`.
        promotion: id the promotion has or would have.
        verdict: what the gates say now.
        base: files the environment holds now.
        files: files it would hold.
        running: release that the environment runs, or None.
        changed: paths of release content that differ from the running release.
    """

    plan: Plan
    promotion: str
    verdict: Verdict
    base: dict[str, bytes]
    files: dict[str, bytes]
    running: Release | None
    changed: tuple[str, ...]


def plan_environment(
    root: Path, environment: str, release: str | None = None, *, clock: Clock | None = None
) -> PlanView:
    """Return what a promotion would do, writing nothing.

    Raises:
        F0ciError: the release or the policy cannot be used.
    """
    moment = clock or SystemClock()
    site = open_site(root, moment)
    name = site.environment(environment).name
    ledgers = site.store.read()
    state = ledgers.environments[name]
    active = state.active
    if active is not None and release is None:
        chosen = require_release(site.releases(), active.release)
    else:
        releases = site.releases()
        if not releases:
            raise UsageError("there is no release yet", "make one with `f0ci release create`")
        chosen = require_release(releases, release or "latest")
    same = active is not None and active.release == chosen.digest
    promotion = active.id if active is not None and same else f"{name}-{len(state.promotions) + 1}"
    plan = plan_for(site, ledgers, name, chosen, promotion)
    now = moment.now()
    drawn = active if active is not None and same else _drawn(plan, promotion, name, chosen, site, now)
    verdict, _ = gate_verdict(site, ledgers, drawn)
    branch = ledgers.branches[name]
    base: dict[str, bytes] = {}
    if branch is not None:
        entries = site.repository.list_files(branch)
        blobs = site.repository.read_blobs([entry.oid for entry in entries])
        base = {entry.path: blobs[entry.oid] for entry in entries}
    files = render_step(plan.content, chosen.digest, plan.steps[-1])
    current = state.current
    running = next((one for one in site.releases() if current is not None and one.digest == current.release), None)
    return PlanView(plan, promotion, verdict, base, dict(files), running, _changed(site, running, chosen))


def _changed(site: Site, old: Release | None, new: Release) -> tuple[str, ...]:
    """Return the paths of release content that one release has otherwise than the other."""

    def oids(release: Release) -> dict[str, str]:
        tree = site.repository.tree(release.commit)
        paths = set(release_paths(tree, load_project(tree)))
        return {entry.path: entry.oid for entry in site.repository.list_files(release.commit) if entry.path in paths}

    before, after = oids(old) if old else {}, oids(new)
    return tuple(sorted(path for path in {*before, *after} if before.get(path) != after.get(path)))


def _drawn(plan: Plan, promotion: str, environment: str, release: Release, site: Site, now: datetime) -> Promotion:
    return Promotion(
        promotion,
        environment,
        "promote",
        release.digest,
        "requested",
        plan.digest,
        plan.bound,
        str(site.repository.identity()),
        now,
        now,
        deployed={},
    )
