"""Promoting, continuing, planning and rolling back, as functions for people who embed f0ci."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from f0ci.core.clock import Clock, SystemClock
from f0ci.core.errors import F0ciError, UsageError
from f0ci.core.plugins import load
from f0ci.promotion.admitting import find_promotion, plan_for
from f0ci.promotion.evidence import Evidence
from f0ci.promotion.explaining import Explanation
from f0ci.promotion.forecast import Forecast, forecast
from f0ci.promotion.judging import Verdict, judge_gates
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.names import read_plan_digest
from f0ci.promotion.objects import require_tree, source_commit
from f0ci.promotion.plan import BoundPlan, Plan
from f0ci.promotion.promoting import Request, advance_to_end, require_active, waiting_promotions
from f0ci.promotion.rehearsing import Meaning, rehearse
from f0ci.promotion.releases import Release, release_paths
from f0ci.promotion.report import PromotionReport, report_on
from f0ci.promotion.requesting import choose_release, promote
from f0ci.promotion.rollback_plan import make_rollback_plan
from f0ci.promotion.rolling_back import RollbackRequest, roll_back
from f0ci.promotion.site import Site, open_site
from f0ci.promotion.state import EnvironmentState, Promotion
from f0ci.promotion.watching import Patience, watch
from f0ci.source.project import load_project

Stage = Callable[[str], None]
EVIDENCE = "f0ci.pipelines.evidence"


def _silent(_text: str) -> None:
    pass


def promote_environment(
    root: Path,
    environment: str,
    release: str | None = None,
    *,
    through_hold: str | None = None,
    evidence: Evidence | None = None,
    digest: str | None = None,
    patience: Patience | None = None,
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
        evidence: what a CI system asserts about it.
        digest: digest, or its beginning, of the only plan that may be carried out.
        patience: how long to stay with it while it waits; None goes as far as it goes now.
        on_stage: is told, in words, what happens.
        on_event: is told what deploy recipes do.
        clock: the time; the machine's by default.

    Raises:
        F0ciError: see `f0ci.promotion.promoting.promote`.
    """
    site = open_site(root, clock or SystemClock())
    name = site.environment(environment).name
    shown = read_plan_digest(digest, name)
    request = Request(name, release, through_hold, evidence, shown, on_event, on_stage)
    report = promote(site, request)
    return watch(site, request, report, patience) if patience else report


def evidence_from(system: str, environment: str, environ: Mapping[str, str]) -> tuple[Evidence, ...]:
    """Return what a CI system says about who approved this job, one record for each person, or none.

    Args:
        system: its name.
        environment: the workflow's name of the environment.
        environ: the job's environment variables.

    Raises:
        UsageError: there is no such system, or this is no job of it.
    """
    said = load(EVIDENCE, system, noun="CI system").read(environment, environ)
    return tuple(Evidence(one.kind, one.url, one.job, one.reviewer, one.how) for one in said)


def continue_promotions(
    root: Path,
    what: str | None = None,
    *,
    evidence: Evidence | None = None,
    patience: Patience | None = None,
    on_stage: Stage = _silent,
    on_event: Callable[[Any], None] | None = None,
    clock: Clock | None = None,
) -> tuple[PromotionReport, ...]:
    """Take waiting promotions further; where all are meant, one that cannot go on does not keep back the others.

    Args:
        root: the work tree.
        what: id of a promotion or name of an environment; None for all that wait.
        evidence: what a CI system asserts about the promotion; only where one is named.
        patience: how long to stay with each while it waits; None goes as far as it goes now.
        on_stage: is told, in words, what happens.
        on_event: is told what deploy recipes do.
        clock: the time; the machine's by default.

    Raises:
        UsageError: nothing has that name.
        CannotWork: nothing is active there.
    """
    if evidence is not None and what is None:
        raise UsageError("evidence is about one promotion", "name it: f0ci promote prod --continue --evidence-kind ...")
    site = open_site(root, clock or SystemClock())
    ledgers = site.store.read()

    def go_on(promotion: Promotion) -> PromotionReport:
        request = Request(promotion.environment, evidence=evidence, on_event=on_event, on_stage=on_stage)
        report = advance_to_end(site, request, promotion.id)
        return watch(site, request, report, patience) if patience else report

    if what is not None:
        is_environment = site.workflow.environment(what) is not None or what in ledgers.environments
        if is_environment:
            return (go_on(require_active(ledgers, site.recorded_environment(what))),)
        return (go_on(find_promotion(ledgers, what)),)
    reports = []
    for promotion in waiting_promotions(ledgers):
        try:
            reports.append(go_on(promotion))
        except F0ciError as error:
            said = f"{error}; {error.hint}" if error.hint else str(error)
            reports.append(report_on(find_promotion(site.store.read(), promotion.id), error=said))
    return tuple(reports)


def rollback_environment(
    root: Path,
    environment: str,
    reason: str,
    to: str | None = None,
    *,
    accept_irreversible: bool = False,
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
    asked = RollbackRequest(name, reason, to, accept_irreversible)
    return roll_back(site, asked, Request(name, on_event=on_event, on_stage=on_stage))


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

    @property
    def changes_policy(self) -> bool:
        """Tell whether the release brings other gates or approvers than the running one."""
        judged_by = set(self.plan.bound["policy"]["blobs"])
        return self.running is not None and bool(judged_by & set(self.changed))


def plan_environment(
    root: Path, environment: str, release: str | None = None, *, clock: Clock | None = None
) -> PlanView:
    """Return what a promotion would do, writing nothing.

    Raises:
        F0ciError: the release or the policy cannot be used, or a metric is not declared or matches nothing.
    """
    moment = clock or SystemClock()
    site = open_site(root, moment)
    ledgers, plan, drawn, exists = _draw(site, environment, release, moment.now())
    state = ledgers.environments[drawn.environment]
    require_tree(site, drawn, len(plan.bound["steps"]) - 1, str(plan.bound["steps"][-1]["tree"]))
    remarks = _remarks(site, state, plan)
    verdict = judge_gates(site, ledgers, drawn, moment.now())
    current = state.current
    running = site.find_release(current.release) if current else None
    base, files = _files(site, ledgers.branches[state.environment]), _files(site, str(plan.bound["steps"][-1]["tree"]))
    chosen = str(plan.bound["release"])
    source = source_commit(site, state, chosen) or str(plan.bound["source_commit"])
    changed = _changed(site, running.commit if running else None, source)
    ahead = forecast(site, ledgers, drawn, exists=exists, now=moment.now(), verdict=verdict)
    return PlanView(plan, drawn.id, verdict, base, files, running, changed, ahead, remarks)


def explain_environment(
    root: Path, environment: str, release: str | None = None, *, fetch: bool = True, clock: Clock | None = None
) -> Explanation:
    """Return why a release (the newest by default) is not in an environment; a function of the ledgers and the clock.

    Raises:
        F0ciError: the release or the policy cannot be used.
    """
    moment = clock or SystemClock()
    site = open_site(root, moment, fetch=fetch)
    ledgers, _, drawn, exists = _draw(site, environment, release, moment.now())
    return forecast(site, ledgers, drawn, exists=exists, now=moment.now()).explanation


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


def _remarks(site: Site, state: EnvironmentState, plan: BoundPlan) -> tuple[str, ...]:
    """Return what is worth knowing of a plan's metrics; who only looks need not be able to measure.

    Raises:
        CannotWork: a metric is not declared, or matches nothing.
    """
    if not isinstance(plan, Plan):
        return ()
    said = []
    for objection in rehearse(site, state, plan):
        if objection.meaning is Meaning.REFUSED:
            raise objection.raised()
        said.append(objection.message)
    return tuple(said)


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
    chosen = choose_release(site, known.release if known else release, ledgers, environment)
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
        paths = set(release_paths(tree, load_project(tree)))
        return {entry.path: entry.oid for entry in site.repository.list_files(commit) if entry.path in paths}

    before, after = oids(old) if old else {}, oids(new)
    return tuple(sorted(path for path in {*before, *after} if before.get(path) != after.get(path)))


def _drawn(plan: BoundPlan, site: Site, now: datetime) -> Promotion:
    return Promotion(
        str(plan.bound["promotion"]),
        str(plan.bound["environment"]),
        "promote",
        str(plan.bound["release"]),
        "requested",
        plan.digest,
        plan.bound,
        str(site.repository.identity()),
        now,
        now,
        deployed={},
    )
