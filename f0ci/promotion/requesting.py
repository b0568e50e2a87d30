"""Asking for a promotion: which release, whether the environment is free, and the first recorded event."""

from __future__ import annotations

from typing import Any

from f0ci.core.clock import format_time
from f0ci.core.errors import Refused, UsageError
from f0ci.promotion.events import Draft
from f0ci.promotion.ledger import Change, Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.policy import read_policy
from f0ci.promotion.promoting import Request, advance_to_end, plan_for, unfinished_rollback
from f0ci.promotion.releases import Release, require_release
from f0ci.promotion.report import PromotionReport, report_on
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion
from f0ci.promotion.verifying import check_metrics_answer


def promote(site: Site, request: Request) -> PromotionReport:
    """Bring a release into an environment, or take its active promotion further.

    Raises:
        UsageError: no such release.
        Refused: the release is quarantined, or older than what the environment runs.
        CannotWork: Git, the remote or the release stop the work.
    """
    ledgers = site.store.read()
    state = ledgers.environments[request.environment]
    if state.active is not None:
        return _go_on_with(site, request, state.active)
    unfinished = unfinished_rollback(state)
    if unfinished is not None:
        return advance_to_end(site, request, unfinished.id)
    release = _choose_release(site, request)
    _refuse_quarantined(ledgers, release)
    settled = _already_there(site, ledgers, state, release)
    if settled is not None:
        return settled
    held = refuse_or_hold(site, state, release, request)
    if held is not None:
        return held
    made: list[str] = []

    def decide(ledgers: Ledgers) -> Change | None:
        state = ledgers.environments[request.environment]
        if state.active is not None:
            made.append(state.active.id)
            return None
        promotion = f"{request.environment}-{len(state.promotions) + 1}"
        plan = plan_for(site, ledgers, request.environment, release, promotion)
        check_metrics_answer(site, plan)
        made.append(promotion)
        data: dict[str, Any] = {
            "purpose": "promote",
            "release": release.digest,
            "digest": plan.digest,
            "plan": plan.bound,
            "ledgers": ledgers.tips(),
        }
        if request.through_hold:
            data["through_hold"] = request.through_hold
        drafts = [Draft("requested", promotion, data)]
        if plan.policy.first and (state.policy or {}).get("blobs") != plan.policy.to_json()["blobs"]:
            drafts.insert(0, Draft("policy", "_environment", plan.policy.to_json()))
        return Change(request.environment, tuple(drafts))

    request.on_stage(f"requesting release {release.id} for {request.environment}")
    site.store.transact(decide)
    return advance_to_end(site, request, made[-1])


def _go_on_with(site: Site, request: Request, active: Promotion) -> PromotionReport:
    if request.release is not None and require_release(site.releases(), request.release).digest != active.release:
        return PromotionReport(
            active.id,
            request.environment,
            active.release,
            active.state,
            digest=active.digest,
            reasons=(
                f"{active.id} is still active in {request.environment} with release {short(active.release)}; "
                "one promotion at a time: "
                f"take it further with `f0ci promote {request.environment} --continue`, "
                f"or end it with `f0ci abort {active.id}`",
            ),
        )
    return advance_to_end(site, request, active.id)


def _choose_release(site: Site, request: Request) -> Release:
    releases = site.releases()
    if request.release is not None:
        return require_release(releases, request.release)
    if not releases:
        raise UsageError("there is no release yet", "make one with `f0ci release create`")
    return releases[-1]


def _already_there(site: Site, ledgers: Ledgers, state: EnvironmentState, release: Release) -> PromotionReport | None:
    """Return the report of a repeated run that changes nothing, or None where there is something to do."""
    newest = next((promotion for promotion in reversed(state.promotions) if promotion.applied), None)
    if newest is None or newest.state != "succeeded" or newest.release != release.digest:
        return None
    branch = ledgers.branches[state.environment]
    if branch is None or site.repository.tree_of(branch) != newest.applied[-1].tree:
        return None
    return report_on(newest)


def _refuse_quarantined(ledgers: Ledgers, release: Release) -> None:
    stop = ledgers.workflow.quarantine_of(release.digest)
    if stop is not None:
        raise Refused(
            f"release {release.id} is quarantined: {stop}",
            f"fix it and make a new release; `f0ci quarantine --lift {release.id}` lets it go again",
        )


def refuse_or_hold(site: Site, state: EnvironmentState, release: Release, request: Request) -> PromotionReport | None:
    """Return the report of a held environment, or None where a request may be made.

    Raises:
        Refused: the release is older than what the environment runs, or the hold may not be passed.
    """
    if state.hold is not None:
        if request.through_hold is None:
            return PromotionReport(
                None,
                request.environment,
                release.digest,
                "held",
                reasons=(
                    f"{request.environment} is held since {format_time(state.hold.since)} "
                    f"by {state.hold.owner}: {state.hold.reason}",
                    f"an approver lifts it with `f0ci unhold {request.environment}`, "
                    "or passes it with --through-hold REASON",
                ),
            )
        policy = read_policy(site, state, request.environment)
        identity = str(site.repository.identity())
        if policy.approvers.person_of(identity) is None:
            raise Refused(
                f"{identity!r} may not pass the hold on {request.environment!r}",
                "only people in the approvers file may",
            )
    running = state.current
    if running is not None and running.release != release.digest:
        older = next((item for item in site.releases() if item.digest == running.release), None)
        if (
            older is not None
            and older.commit != release.commit
            and site.repository.is_ancestor(release.commit, older.commit)
        ):
            raise Refused(
                f"release {release.id} is older than {older.id}, which {request.environment!r} runs",
                f"go back on purpose with `f0ci rollback {request.environment} --to {release.id} --reason ...`",
            )
    return None
