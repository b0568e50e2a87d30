"""What a promotion would do, drawn without writing anything: of one that was asked for, or of one that might be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from f0ci.core.errors import GitError
from f0ci.promotion.admitting import plan_for
from f0ci.promotion.drifting import drift_note
from f0ci.promotion.explaining import Explanation
from f0ci.promotion.forecast import Forecast, forecast
from f0ci.promotion.judging import Verdict, judge_gates
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.objects import require_tree, source_commit
from f0ci.promotion.plan import BoundPlan, Plan
from f0ci.promotion.policy import policy_at
from f0ci.promotion.rehearsing import Meaning, rehearse
from f0ci.promotion.releases import Release, release_paths
from f0ci.promotion.requesting import choose_release
from f0ci.promotion.rollback_plan import make_rollback_plan
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion
from f0ci.source.project import load_project


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan with its forecast.

    Attributes:
        plan: what is bound, and its digest.
        promotion: id the promotion has or would have.
        verdict: what the gates say now.
        base: files the environment holds now.
        files: files it would hold.
        running: release that the environment runs, or None.
        changed: paths of release content that differ from the running release.
        forecast: what moves: what is unmet, freezes ahead, the earliest moment, what a rollback would restore.
        remarks: what is worth knowing of its metrics, such as that one cannot be measured from here.
        changes_policy: whether the release brings other gates or approvers than those that judge it.
    """

    plan: BoundPlan
    promotion: str
    verdict: Verdict
    base: dict[str, bytes]
    files: dict[str, bytes]
    running: Release | None
    changed: tuple[str, ...]
    forecast: Forecast
    remarks: tuple[str, ...] = ()
    changes_policy: bool = False


def view_plan(site: Site, environment: str, release: str | None = None, *, apart: bool = False) -> PlanView:
    """Return what a promotion would do.

    Args:
        site: the repository.
        environment: any name of the environment.
        release: digest, its beginning, `latest`, or None for the newest.
        apart: run nothing of the repository; what would have to be run is said to be asked later.

    Raises:
        F0ciError: the release or the policy cannot be used, or a metric is not declared or matches nothing.
    """
    now = site.clock.now()
    ledgers, plan, drawn, exists = _draw(site, environment, release, now)
    state = ledgers.environments[drawn.environment]
    require_tree(site, drawn, len(plan.bound["steps"]) - 1, str(plan.bound["steps"][-1]["tree"]))
    remarks = _remarks(site, state, plan, apart=apart)
    drifted = None if exists else drift_note(site, ledgers, state.environment)
    remarks = remarks if drifted is None else (*remarks, drifted)
    verdict = judge_gates(site, ledgers, drawn, now, ask=not apart)
    current = state.current
    running = site.find_release(current.release) if current else None
    base, files = _files(site, ledgers.branches[state.environment]), _files(site, str(plan.bound["steps"][-1]["tree"]))
    chosen = str(plan.bound["release"])
    source = source_commit(site, state, chosen) or str(plan.bound["source_commit"])
    changed = _changed(site, running.commit if running else None, source)
    ahead = forecast(site, ledgers, drawn, exists=exists, now=now, verdict=verdict)
    other = _changes_policy(site, plan)
    return PlanView(plan, drawn.id, verdict, base, files, running, changed, ahead, remarks, other)


def explain_absence(site: Site, environment: str, release: str | None = None) -> Explanation:
    """Return why a release (the newest by default) is not in an environment; a function of the ledgers and the clock.

    Args:
        site: the repository.
        environment: any name of the environment.
        release: digest, its beginning, `latest`, or None for the newest.

    Raises:
        F0ciError: the release or the policy cannot be used.
    """
    now = site.clock.now()
    ledgers, _, drawn, exists = _draw(site, environment, release, now)
    return forecast(site, ledgers, drawn, exists=exists, now=now).explanation


def _draw(
    site: Site, environment: str, release: str | None, now: datetime
) -> tuple[Ledgers, BoundPlan, Promotion, bool]:
    """Return the ledgers, the plan, the promotion that it is or would be of, and whether that one exists."""
    name = site.environment(environment).name
    ledgers = site.store.read()
    state = ledgers.environments[name]
    known = state.active if release is None or _is_of(site, state.active, release) else None
    promotion = known.id if known else f"{name}-{len(state.promotions) + 1}"
    plan = _plan(site, ledgers, name, promotion, known, release)
    return ledgers, plan, known or _drawn(plan, site, now), known is not None


def _remarks(site: Site, state: EnvironmentState, plan: BoundPlan, *, apart: bool) -> tuple[str, ...]:
    """Return what is worth knowing of a plan's metrics; who only looks need not be able to measure.

    Raises:
        CannotWork: a metric is not declared, or matches nothing.
    """
    if not isinstance(plan, Plan):
        return ()
    from f0ci.analysis.measuring import any_foreign

    if apart and any_foreign(plan.content.workflow, plan.content.environment.checks):
        return ("its metrics run commands or need secrets; the promotion asks them in a job without a token",)
    said = []
    for objection in rehearse(site, state, plan):
        if objection.meaning is Meaning.REFUSED:
            raise objection.raised()
        said.append(objection.message)
    return tuple(said)


def _changes_policy(site: Site, plan: BoundPlan) -> bool:
    """Tell whether a release holds other files of the policy than those that judge it; a rollback changes none."""
    if not isinstance(plan, Plan):
        return False
    own = policy_at(site, str(plan.bound["source_commit"]), str(plan.bound["environment"]))
    return dict(own.blobs) != dict(plan.bound["policy"]["blobs"])


def _is_of(site: Site, active: Promotion | None, release: str) -> bool:
    return active is not None and site.require_release(release).digest == active.release


def _plan(
    site: Site, ledgers: Ledgers, environment: str, promotion: str, known: Promotion | None, release: str | None
) -> BoundPlan:
    """Return the plan of a promotion that exists, as it would be made now, or of one that would be asked for."""
    if known is not None and known.applied:
        return BoundPlan(known.plan, known.digest)
    if known is not None and known.purpose == "rollback":
        return make_rollback_plan(site, ledgers, environment, promotion, known.events[0].data.get("to"))
    chosen = site.planned_release(known) if known is not None else choose_release(site, release, ledgers, environment)
    return plan_for(site, ledgers, environment, chosen, promotion)


def _files(site: Site, tree: str | None) -> dict[str, bytes]:
    """Return the files of a tree or commit, by path."""
    if tree is None:
        return {}
    entries = site.repository.list_files(tree)
    blobs = site.repository.read_blobs([entry.oid for entry in entries])
    return {entry.path: blobs[entry.oid] for entry in entries}


def _changed(site: Site, old: str | None, new: str) -> tuple[str, ...]:
    """Return the paths of release content that one source commit has otherwise than the other."""

    def oids(commit: str) -> dict[str, str]:
        tree = site.repository.tree(commit)
        paths = release_paths(tree, load_project(tree))
        return {path: tree.entries[path].oid for path in paths if path in tree.entries}

    if old == new:
        return ()
    before, after = oids(old) if old else {}, oids(new)
    return tuple(sorted(path for path in {*before, *after} if before.get(path) != after.get(path)))


def _whoever(site: Site) -> str:
    """Return who would ask, or nobody where Git does not know: to look, one need not be known."""
    try:
        return str(site.repository.identity())
    except GitError:
        return ""


def _drawn(plan: BoundPlan, site: Site, now: datetime) -> Promotion:
    return Promotion(
        str(plan.bound["promotion"]),
        str(plan.bound["environment"]),
        "promote",
        str(plan.bound["release"]),
        "requested",
        plan.digest,
        plan.bound,
        _whoever(site),
        now,
        now,
        deployed={},
    )
