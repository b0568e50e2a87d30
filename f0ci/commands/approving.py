"""Approving, rejecting and aborting, as functions for people who embed f0ci."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from f0ci.core.clock import Clock, SystemClock
from f0ci.core.errors import Refused
from f0ci.core.plugins import load
from f0ci.promotion.able import excluded_people
from f0ci.promotion.admitting import BEFORE_THE_CHANGE, find_promotion
from f0ci.promotion.applying import call_off, record_landed
from f0ci.promotion.deploying import EventSink
from f0ci.promotion.events import Draft
from f0ci.promotion.judging import authors_for, standing_evidence, verified_statements
from f0ci.promotion.ledger import Change, Ledgers
from f0ci.promotion.names import read_plan_digest, short
from f0ci.promotion.policy import Policy, read_policy, require_person
from f0ci.promotion.promoting import Request, advance_to_end
from f0ci.promotion.report import PromotionReport, report_on
from f0ci.promotion.rights import sign_as
from f0ci.promotion.site import Site, open_site
from f0ci.promotion.state import Promotion
from f0ci.promotion.statements import DECISIONS, Statement, standing
from f0ci.promotion.times import event_time
from f0ci.workflows.model import GateSpec

DEFAULT_EXPIRY = timedelta(days=7)
_KINDS = {decision: kind for kind, decision in DECISIONS.items()}


def decide_promotion(
    root: Path,
    promotion: str,
    decision: str,
    *,
    digest: str | None = None,
    reason: str = "",
    expires: timedelta | None = DEFAULT_EXPIRY,
    gate: str = "",
    clock: Clock | None = None,
) -> tuple[Statement, str]:
    """Sign an approval, a rejection, a revocation of what one said before, or an override of a gate, and record it.

    Args:
        root: the work tree.
        promotion: id of the promotion.
        decision: `approve`, `reject`, `revoke` or `override`.
        digest: beginning of the plan digest that the caller has seen; refused where the plan is another by now.
        reason: in the approver's words.
        expires: how long the approval counts; None for ever.
        gate: kind of the gate that is overridden.
        clock: the time; the machine's by default.

    Returns:
        The statement, and the environment.

    Raises:
        UsageError: no such promotion, or no digest.
        Refused: it has ended or begun, the plan is another, or the caller is not in the approvers file.
        GitError: no signing key.
    """
    moment = clock or SystemClock()
    site = open_site(root, moment)
    ledgers = site.store.read()
    found = find_promotion(ledgers, promotion)
    if found.state not in BEFORE_THE_CHANGE:
        raise Refused(
            f"{promotion!r} is {found.state}: there is nothing to {decision}",
            "`f0ci status` shows what waits",
        )
    shown = read_plan_digest(digest, found.environment)
    if shown is not None and not found.digest.startswith(shown):
        raise Refused(
            f"the plan of {promotion!r} is {short(found.digest)} by now, not {shown!r}",
            f"look at it again: `f0ci plan {found.environment}`",
        )
    policy = read_policy(site, ledgers.environments[found.environment], found.environment)
    who = require_person(site, policy, found.environment)
    if decision == "approve":
        _refuse_author(site, ledgers, found, policy, who)
    elif decision == "revoke":
        _require_said(found, policy, who)
    elif decision == "override":
        _require_override(found, policy, who, gate)
    now = moment.now()
    statement = Statement(
        found.id,
        found.digest,
        found.environment,
        who,
        decision,
        now,
        now + expires if expires else None,
        reason,
        gate,
        ledgers.environments[found.environment].tip,
    )
    data = sign_as(site, policy, found.environment, statement)

    def decide(ledgers: Ledgers) -> Change | None:
        current = find_promotion(ledgers, promotion)
        if current.digest != statement.digest or current.state not in BEFORE_THE_CHANGE:
            raise Refused(
                f"{promotion!r} changed while you signed",
                f"look at it again: `f0ci plan {current.environment}`",
            )
        if any(event.data["statement"] == data["statement"] for event in current.statements):
            return None
        return Change(
            current.environment,
            (Draft(_KINDS[decision], current.id, data),),
        )

    site.store.transact(decide)
    if decision == "reject":
        # nothing is left to wait for: the gate ends it now
        advance_to_end(site, Request(found.environment), found.id)
    return statement, found.environment


def _refuse_author(site: Site, ledgers: Ledgers, found: Promotion, policy: Policy, who: str) -> None:
    """Check that an approval would count.

    Raises:
        Refused: whoever approves wrote part of what is promoted, or requested it, and every approval gate minds.
    """
    gates = tuple(
        GateSpec(gate["kind"], gate["settings"]) for gate in found.plan["gates"] if gate["kind"] == "approval"
    )
    if not gates:
        return
    authors = authors_for(site, gates, found, ledgers.environments[found.environment])
    if all(who in excluded_people(gate.settings, authors, found.requested_by, policy.approvers) for gate in gates):
        raise Refused(
            f"{who!r} wrote part of what {found.id!r} promotes, or requested it, so the approval would not count",
            "somebody else has to approve: `f0ci status` says who can",
        )


def _require_said(found: Promotion, policy: Policy, who: str) -> None:
    """Check that there is something to take back.

    Raises:
        Refused: nothing that the person said stands.
    """
    said = standing(verified_statements(found, policy))
    signed = any(one.problem is None and one.statement.approver == who for one in said)
    of = policy.approvers.person_with_account
    if not signed and all(of(one.kind, one.reviewer) != who for one in standing_evidence(found, policy)):
        raise Refused(f"nothing that {who!r} said about {found.id!r} stands", "`f0ci status` shows what waits")


def _require_override(found: Promotion, policy: Policy, who: str, gate: str) -> None:
    """Check that an override would count.

    Raises:
        Refused: no such gate stands before the promotion, it cannot be overridden, or not by this person.
    """
    settings = next((one["settings"] for one in found.plan["gates"] if one["kind"] == gate), None)
    if settings is None:
        known = ", ".join(str(one["kind"]) for one in found.plan["gates"]) or "none"
        raise Refused(f"no gate {gate!r} stands before {found.id!r}", f"these do: {known}")
    plugin = load("f0ci.promotion.gates", gate, noun="gate")
    if not getattr(plugin, "CAN_BE_OVERRIDDEN", False):
        raise Refused(f"the gate {gate!r} cannot be overridden", "`f0ci why` says what ends the waiting")
    able = plugin.people_who_may_override(settings, found.requested_by, policy.approvers)
    if who not in able:
        raise Refused(
            f"{who!r} may not override the gate {gate!r} of {found.id!r}",
            f"these may: {', '.join(able)}" if able else "nobody may, by the policy in force",
        )


def abort_promotion(
    root: Path,
    promotion: str,
    reason: str,
    *,
    on_event: EventSink | None = None,
    on_stage: Callable[[str], None] = lambda _text: None,
    clock: Clock | None = None,
) -> PromotionReport:
    """End a promotion; where it has changed its environment, the tree of the last success comes back at once.

    Unlike a rollback it neither quarantines the release nor holds the environment. Aborting again finishes what an
    interrupted one began.

    Args:
        root: the work tree.
        promotion: its id.
        reason: why, for the record.
        on_event: is told what the deploy recipe of the restored release does.
        on_stage: is told, in words, what happens.
        clock: the time; the machine's by default.

    Raises:
        UsageError: no such promotion.
        Refused: it has ended, is a rollback that has begun, or did what going back does not undo.
        GitError: somebody else changed the environment.
    """
    site = open_site(root, clock or SystemClock())

    def decide(ledgers: Ledgers) -> Change | None:
        found = find_promotion(ledgers, promotion)
        settled = record_landed(site, ledgers, found)
        if settled is not None:
            return settled
        if found.was_called_off and found.state == "rolled_back" and not found.restored:
            return None
        if not found.is_active:
            hint = f"`f0ci rollback {found.environment} --reason REASON` goes back to what was there before"
            hint = hint if found.state == "succeeded" else "`f0ci status` shows what waits"
            raise Refused(f"{promotion!r} has ended already: {found.state}", hint)
        if found.applied and found.purpose == "rollback":
            raise Refused(
                f"{promotion!r} is a rollback that has changed {found.environment!r} already",
                f"let it end with `f0ci promote {found.environment} --continue`, then promote what should run",
            )
        if found.applied:
            now = event_time(site.clock.now(), ledgers.environments[found.environment].events)
            back = call_off(site, ledgers, found, f"aborted: {reason}", now)
            if back is not None:
                return back
        return Change(found.environment, (Draft("aborted", found.id, {"reason": reason}),))

    ended = find_promotion(site.store.transact(decide), promotion)
    if ended.state != "rolled_back":
        return report_on(ended)
    return advance_to_end(site, Request(ended.environment, on_event=on_event, on_stage=on_stage), promotion)
