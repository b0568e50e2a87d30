"""Promoting, continuing and rolling back, as functions for people who embed f0ci."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from f0ci.core.clock import Clock, SystemClock
from f0ci.core.errors import F0ciError, UsageError
from f0ci.core.plugins import load
from f0ci.promotion.admitting import find_promotion
from f0ci.promotion.errands import Apart
from f0ci.promotion.evidence import Evidence
from f0ci.promotion.names import read_plan_digest
from f0ci.promotion.promoting import Request, advance_to_end, require_active, waiting_promotions
from f0ci.promotion.report import PromotionReport, report_on
from f0ci.promotion.requesting import is_behind, promote, promote_in_turn
from f0ci.promotion.rolling_back import RollbackRequest, roll_back
from f0ci.promotion.site import Site, open_site
from f0ci.promotion.state import Promotion
from f0ci.promotion.watching import Patience, watch

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
    turn: Patience | None = None,
    apart: Apart | None = None,
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
        patience: how long to stay with it while it waits, or waits for its turn; None goes as far as it goes now.
        turn: how long to wait while another release is on its way into the environment; None does not.
        apart: where to leave what is to be done without a token; None does it here.
        on_stage: is told, in words, what happens.
        on_event: is told what deploy recipes do.
        clock: the time; the machine's by default.

    Raises:
        F0ciError: see `f0ci.promotion.promoting.promote`.
    """
    site = open_site(root, clock or SystemClock(), apart=apart)
    name = site.environment(environment).name
    shown = read_plan_digest(digest, name)
    request = Request(name, release, through_hold, evidence, shown, on_event, on_stage)
    if patience is None:
        return _handed_out(site, promote_in_turn(site, request, turn) if turn else promote(site, request))
    begun = patience.elapsed()
    report = promote_in_turn(site, request, turn or patience, whatever=turn is None)
    if not is_behind(site, request, report):
        spent = timedelta(seconds=patience.elapsed() - begun) if turn is None else timedelta()
        report = watch(site, request, report, replace(patience, span=patience.span - spent))
    return _handed_out(site, report)


def _handed_out(site: Site, report: PromotionReport) -> PromotionReport:
    """Write down what is left to be done without a token, then return the report."""
    if site.apart is not None:
        site.apart.hand_out(site)
    return report


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
    apart: Apart | None = None,
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
        apart: where to leave what is to be done without a token; None does it here.
        on_stage: is told, in words, what happens.
        on_event: is told what deploy recipes do.
        clock: the time; the machine's by default.

    Raises:
        UsageError: nothing has that name.
        CannotWork: nothing is active there.
    """
    if evidence is not None and what is None:
        raise UsageError("evidence is about one promotion", "name it: f0ci promote prod --continue --evidence-kind ...")
    site = open_site(root, clock or SystemClock(), apart=apart)
    ledgers = site.store.read()

    def go_on(promotion: Promotion) -> PromotionReport:
        request = Request(promotion.environment, evidence=evidence, on_event=on_event, on_stage=on_stage)
        report = advance_to_end(site, request, promotion.id)
        return _handed_out(site, watch(site, request, report, patience) if patience else report)

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
    apart: Apart | None = None,
    on_stage: Stage = _silent,
    on_event: Callable[[Any], None] | None = None,
    clock: Clock | None = None,
) -> PromotionReport:
    """Restore the newest earlier good release of an environment, or another that was good there.

    Raises:
        F0ciError: see `f0ci.promotion.rolling_back.roll_back`.
    """
    site = open_site(root, clock or SystemClock(), apart=apart)
    name = site.environment(environment).name
    asked = RollbackRequest(name, reason, to, accept_irreversible)
    return _handed_out(site, roll_back(site, asked, Request(name, on_event=on_event, on_stage=on_stage)))
