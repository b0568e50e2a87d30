"""From a request to the first change: the gates, and everything that may end a promotion before it begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from f0ci.core.canonical import digest
from f0ci.core.clock import format_time
from f0ci.core.errors import UsageError
from f0ci.core.outcome import Outcome
from f0ci.promotion.applying import apply_step, base_moved, record_landed
from f0ci.promotion.cut_off import require_whole
from f0ci.promotion.events import Draft
from f0ci.promotion.evidence import Evidence
from f0ci.promotion.judging import Verdict, judge_gates
from f0ci.promotion.ledger import Change, Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.plan import BoundPlan, Plan, make_plan
from f0ci.promotion.releases import Release
from f0ci.promotion.report import PromotionReport, report_on
from f0ci.promotion.rollback_plan import make_rollback_plan
from f0ci.promotion.secrets_at_hand import require_secrets
from f0ci.promotion.site import Site
from f0ci.promotion.state import Promotion
from f0ci.promotion.times import decision_time, event_time

# how long a promotion waits for people and other environments before it ends by itself
PATIENCE = timedelta(days=30)
BEFORE_THE_CHANGE = frozenset({"requested", "waiting"})


def find_promotion(ledgers: Ledgers, promotion: str) -> Promotion:
    """Return a promotion by its id.

    Raises:
        UsageError: no ledger knows it.
    """
    for state in ledgers.environments.values():
        found = state.find(promotion)
        if found is not None:
            return found
    there = ledgers.environments.get(promotion)
    if there is not None and there.newest is not None:
        raise UsageError(
            f"{promotion!r} is an environment, not a promotion", f"its newest promotion is {there.newest.id!r}"
        )
    raise UsageError(f"there is no promotion {promotion!r}", "`f0ci history` lists them")


def plan_for(site: Site, ledgers: Ledgers, environment: str, release: Release, promotion: str) -> Plan:
    """Return the plan of a promotion that starts from what the environment is now."""
    running = ledgers.environments[environment].current
    base, old = ledgers.branches[environment], running.release if running else None
    return make_plan(site, ledgers, environment, release, promotion, base, old)


def admit(site: Site, promotion: Promotion) -> tuple[Promotion, PromotionReport | None]:
    """Ask the gates; when all pass, make the first change.

    Returns:
        The promotion afterwards, and the report where it waits.
    """
    site.store.fetch()
    verdicts: list[Verdict] = []

    def decide(ledgers: Ledgers) -> Change | None:
        verdicts.clear()
        current = find_promotion(ledgers, promotion.id)
        if current.state not in BEFORE_THE_CHANGE:
            return None
        settled = _settle(site, ledgers, current)
        if settled is not None:
            return settled
        now = _moment(site, ledgers, current)
        verdict = judge_gates(site, ledgers, current, now)
        verdicts.append(verdict)
        if verdict.outcome is Outcome.PASSED:
            require_secrets(site, current)
            return apply_step(site, ledgers, current, 0, now, facts=verdict.facts)
        if verdict.outcome is Outcome.FAILED:
            return end(current, "refused", *verdict.reasons)
        deadline = current.requested_at + PATIENCE
        if now >= deadline:
            return end(current, "expired", f"it waited until {format_time(deadline)}", *verdict.reasons)
        return wait(current, verdict.reasons, verdict.reasons, verdict.next_check_at, deadline)

    current = find_promotion(site.store.transact(decide), promotion.id)
    if current.state != "waiting" or not verdicts:
        return current, None
    report = replace(
        report_on(current),
        reasons=verdicts[-1].reasons,
        next_check_at=verdicts[-1].next_check_at,
        answers=tuple(answer.to_json() for answer in verdicts[-1].answers),
    )
    return current, report


def record_evidence(site: Site, promotion: str, evidence: Evidence) -> None:
    """Record what a CI system asserts about a promotion that has changed nothing yet, once for each plan."""

    def decide(ledgers: Ledgers) -> Change | None:
        current = find_promotion(ledgers, promotion)
        data = replace(evidence, digest=current.digest).to_json()
        known = any(event.kind == "evidence" and event.data == data for event in current.events)
        if known or current.state not in BEFORE_THE_CHANGE:
            return None
        return Change(current.environment, (Draft("evidence", current.id, data),))

    site.store.transact(decide)


def end(promotion: Promotion, kind: str, *reasons: str) -> Change:
    """Return the change that ends a promotion which has changed nothing."""
    return Change(promotion.environment, (Draft(kind, promotion.id, {"reasons": list(reasons)}),))


def wait(
    promotion: Promotion,
    reasons: tuple[str, ...],
    waits_for: tuple[str, ...],
    next_check_at: datetime | None,
    deadline: datetime | None,
    *before: Draft,
) -> Change:
    """Return the change that records why a promotion waits; an empty one where that is on record.

    Args:
        promotion: the promotion.
        reasons: why, for people.
        waits_for: the same without anything that moves by itself; only this decides whether it is told again.
        next_check_at: when running it again may help, or None where a person is needed.
        deadline: when it stops to wait, or None.
        before: events that belong into the same push.
    """
    if promotion.waits_for == waits_for and promotion.reasons:
        return Change(promotion.environment, before)
    data = {
        "reasons": list(reasons),
        "waits_for": list(waits_for),
        "next_check_at": format_time(next_check_at) if next_check_at else None,
    }
    if deadline is not None:
        data["deadline"] = format_time(deadline)
    return Change(promotion.environment, (*before, Draft("waiting", promotion.id, data)))


def _settle(site: Site, ledgers: Ledgers, promotion: Promotion) -> Change | None:
    """Return what comes before the gates: a record that is missing, a quarantine, or a plan that is no longer so."""
    recorded = record_landed(site, ledgers, promotion)
    if recorded is not None:
        return recorded
    stop = ledgers.workflow.quarantine_of(promotion.release)
    if stop is not None and promotion.purpose == "promote":
        return end(promotion, "refused", f"release {short(promotion.release)} is quarantined: {stop}")
    if promotion.purpose == "promote":
        upstream = (name for gate in promotion.plan["gates"] for name in gate["settings"].get("upstream", ()))
        require_whole(site, ledgers, dict.fromkeys((promotion.environment, *upstream)))
    return _replan(site, ledgers, promotion)


def _replan(site: Site, ledgers: Ledgers, promotion: Promotion) -> Change | None:
    """Return the events that void approvals where what would be done is no longer what was planned."""
    environment = promotion.environment
    if promotion.intents and base_moved(site, promotion, ledgers.branches[environment]) is None:
        # what was announced may still arrive
        return None
    drafts: list[Draft] = []
    fresh: BoundPlan
    if promotion.purpose == "rollback":
        to = promotion.events[0].data.get("to")
        fresh = make_rollback_plan(site, ledgers, environment, promotion.id, to)
        if fresh.bound["release"] != promotion.release:
            return end(promotion, "superseded", f"going back means release {short(fresh.bound['release'])} by now")
    else:
        plan = plan_for(site, ledgers, environment, site.planned_release(promotion), promotion.id)
        drafts.extend(policy_drafts(plan, ledgers.environments[environment].policy))
        fresh = plan
    if fresh.digest == promotion.digest == digest(promotion.plan):
        return None
    changed = sorted(key for key in {*fresh.bound, *promotion.plan} if fresh.bound.get(key) != promotion.plan.get(key))
    data = {
        "digest": fresh.digest,
        "plan": fresh.bound,
        "reason": f"the plan changed ({', '.join(changed) or 'its digest'}): earlier approvals are void",
    }
    return Change(environment, (*drafts, Draft("replanned", promotion.id, data)), again=True)


def policy_drafts(plan: Plan, recorded: Mapping[str, Any] | None) -> tuple[Draft, ...]:
    """Return the event that records the default branch's policy, where it judges and is not on record."""
    bound = plan.bound["policy"]
    if not plan.policy.first or (recorded or {}).get("blobs") == bound["blobs"]:
        return ()
    return (Draft("policy", "_environment", bound),)


def _moment(site: Site, ledgers: Ledgers, promotion: Promotion) -> datetime:
    events = ledgers.environments[promotion.environment].events
    now = site.clock.now()
    # going back to the last good release asks nobody, not even the clock
    asks = promotion.purpose == "promote" or promotion.plan["gates"]
    return decision_time(now, events, promotion.environment) if asks else event_time(now, events)
