"""Promoting: from a request to the end, one recorded event at a time.

Every stage reads the ledgers, decides, and writes its events (with the environment's branch, where it changes) in one
push. Killed at any point and run again, it goes on from the newest event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from f0ci.core.canonical import digest
from f0ci.core.errors import CannotWork, Defect, InputError
from f0ci.core.outcome import Outcome
from f0ci.promotion.admitting import BEFORE_THE_CHANGE, admit, find_promotion, record_evidence, wait
from f0ci.promotion.applying import also_in, apply_step, call_off, has_way_back, record_landed, restore
from f0ci.promotion.deploying import EventSink
from f0ci.promotion.elsewhere import deployed, looked
from f0ci.promotion.errands import LeftError
from f0ci.promotion.events import Draft
from f0ci.promotion.evidence import Evidence
from f0ci.promotion.going_on import ways_on
from f0ci.promotion.judging import held_answer
from f0ci.promotion.ledger import Change, Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.objects import require_source
from f0ci.promotion.report import PromotionReport, report_on
from f0ci.promotion.rights import unproven_resume
from f0ci.promotion.rollout import overall, resume_answer, title
from f0ci.promotion.site import Site
from f0ci.promotion.state import Promotion
from f0ci.promotion.times import decision_time, event_time
from f0ci.promotion.verifying import Verification, recorded

_GOOD = frozenset({Outcome.PASSED, Outcome.SKIPPED})


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for.

    Attributes:
        environment: the workflow's name of the environment.
        release: digest, its beginning, `latest`, or None for the release of the newest source.
        through_hold: reason for passing a hold, or None.
        evidence: what a CI system asserts about it, or None.
        digest: digest, or its beginning, of the only plan that may be carried out, or None.
        on_event: is told what deploy recipes do.
        on_stage: is told, in words, what happens.
    """

    environment: str
    release: str | None = None
    through_hold: str | None = None
    evidence: Evidence | None = None
    digest: str | None = None
    on_event: EventSink | None = None
    on_stage: Callable[[str], None] = lambda _text: None


Stage = Callable[[Site, Request, Promotion], PromotionReport | None]


def advance_to_end(site: Site, request: Request, promotion: str) -> PromotionReport:
    """Take a promotion as far as it goes now: to its end, or to where it waits.

    Raises:
        InputError: its plan is not the one that its digest stands for.
        CannotWork: this machine's clock is behind what the ledger has seen.
    """
    for _ in range(1000):
        ledgers = site.store.read()
        current = find_promotion(ledgers, promotion)
        stage = _stage_of(current)
        if stage is None:
            return replace(report_on(current), ways=ways_on(ledgers, current.environment, site.clock.now()))
        if current.state not in BEFORE_THE_CHANGE and digest(current.plan) != current.digest:
            raise InputError(
                f"the plan of {promotion!r} does not have the digest that is recorded",
                "run `f0ci audit verify` to see what was changed",
                place=site.names.ledger(current.environment),
            )
        if current.purpose == "promote" and current.is_active:
            # a machine whose clock is wrong neither judges nor says when something happened
            decision_time(site.clock.now(), ledgers.environments[current.environment].events, current.environment)
        try:
            report = stage(site, request, current)
        except LeftError as left:
            current = find_promotion(site.store.read(), promotion)
            return replace(report_on(current), reasons=(*current.reasons, left.errand.said), left=True)
        if report is not None:
            return report
    raise Defect(f"the promotion {promotion!r} does not come to an end")


def _stage_of(promotion: Promotion) -> Stage | None:
    if promotion.is_active and any(intent["step"] < 0 for intent in promotion.intents):
        return _finish_rolling_back
    if promotion.state in BEFORE_THE_CHANGE:
        return _admit
    if promotion.state == "deploying":
        return _deploy
    if promotion.state == "verifying":
        return _verify
    if promotion.state == "rolled_back" and not promotion.restored:
        return _deploy_restored
    return None


def _admit(site: Site, request: Request, promotion: Promotion) -> PromotionReport | None:
    if request.evidence is not None:
        record_evidence(site, promotion.id, request.evidence)
    current, report = admit(site, promotion)
    if current.applied and not promotion.applied:
        request.on_stage(f"{current.id}: {current.environment} is at release {short(current.release)}")
    return report


def _deploy(site: Site, request: Request, promotion: Promotion) -> PromotionReport | None:
    """Run the deploy recipe of the newest applied step and record how it ended; whoever records first, counts."""
    change = promotion.applied[-1]
    steps = promotion.plan["steps"]
    request.on_stage(f"{promotion.id}: deploying step {change.step + 1} of {len(steps)}, {title(steps[change.step])}")
    commit = str(promotion.plan["source_commit"])
    result = deployed(site, promotion, commit, promotion.release, change.step, change.tree, request.on_event)
    for line in result.output:
        request.on_stage(f"    | {line}")
    if result.outcome is Outcome.ERRORED:
        return _stay(site, promotion, (result.reason,), ("deploy recipe",), None, error=result.reason)
    is_good = result.outcome in _GOOD
    if not is_good and promotion.purpose == "promote":
        _say_rollback(site, request, promotion, result.reason)

    def decide(ledgers: Ledgers) -> Change | None:
        current = find_promotion(ledgers, promotion.id)
        if current.state != "deploying" or current.applied[-1] != change:
            return None
        settled = record_landed(site, ledgers, current)
        if settled is not None:
            return settled
        if is_good:
            draft = Draft("deployed", promotion.id, {"step": change.step, **result.to_json()})
            return Change(promotion.environment, (draft,))
        if promotion.purpose == "rollback":
            # a rollback is never rolled back
            reasons = [result.reason, "the tree is restored, its deploy recipe is not through"]
            return Change(promotion.environment, (Draft("failed", promotion.id, {"reasons": reasons}),))
        return restore(site, ledgers, current, result.reason, _moment(site, ledgers, current))

    _tell_lost(request, find_promotion(site.store.transact(decide), promotion.id), change.step, good=is_good)
    return None


def _verify(site: Site, request: Request, promotion: Promotion) -> PromotionReport | None:
    """Judge the newest step; then the next step, success, a rollback, or waiting. A recorded verdict stays."""
    change = promotion.applied[-1]
    site.store.fetch()
    ledgers = site.store.read()
    promotion = find_promotion(ledgers, promotion.id)
    if promotion.state != "verifying" or promotion.applied[-1] != change:
        return None
    known = promotion.measured_at(change.step)
    now = decision_time(site.clock.exact(), ledgers.environments[promotion.environment].events, promotion.environment)
    look = recorded(known) if known else looked(site, promotion, change.step, now)
    if look.outcome is not Outcome.FAILED and look.outcome not in _GOOD:
        return _stay(site, promotion, look.reasons, look.waits_for, look.next_check_at)
    if look.outcome is Outcome.FAILED:
        _say_rollback(site, request, promotion, "; ".join(look.reasons))
    held: list[str] = []

    def decide(ledgers: Ledgers) -> Change | None:
        held.clear()
        current = find_promotion(ledgers, promotion.id)
        if current.state != "verifying" or current.applied[-1] != change:
            return None
        settled = record_landed(site, ledgers, current)
        if settled is not None:
            return settled
        by_now = current.measured_at(change.step)
        if by_now is not None and by_now["outcome"] != str(look.outcome):
            return None
        is_new = by_now is None and look.record is not None
        before = (Draft("measured", promotion.id, look.record or {}),) if is_new else ()
        following, said = _follow(site, ledgers, current, look, before)
        held.extend(said)
        return following

    current = find_promotion(site.store.transact(decide), promotion.id)
    return replace(report_on(current), reasons=tuple(held), next_check_at=None) if held else None


def _follow(
    site: Site, ledgers: Ledgers, promotion: Promotion, look: Verification, before: tuple[Draft, ...]
) -> tuple[Change, tuple[str, ...]]:
    """Return what follows a verdict, and what a hold says where it keeps the next step from following."""
    environment, now = promotion.environment, _moment(site, ledgers, promotion)
    if look.outcome is Outcome.FAILED:
        return restore(site, ledgers, promotion, "; ".join(look.reasons), now, *before), ()
    stop = ledgers.workflow.quarantine_of(promotion.release)
    if stop is not None and promotion.purpose == "promote":
        reason = f"release {short(promotion.release)} was quarantined: {stop}"
        return restore(site, ledgers, promotion, reason, now, *before), ()
    step = promotion.applied[-1].step
    resuming = resume_answer(promotion, step)
    doubt = None if resuming else unproven_resume(site, ledgers.environments[environment], promotion, step)
    if doubt is not None:
        resuming = (f"{doubt}; an approver goes on with `f0ci resume {promotion.id}`",)
    if resuming:
        return wait(promotion, resuming, resuming, None, None, *before), resuming
    following = promotion.next_step
    if following is None:
        return Change(environment, (*before, _succeeded(promotion, look, before))), ()
    hold = held_answer(site, ledgers, promotion, now)
    if hold is not None:
        reasons = (f"{hold.gate}: {hold.reason}",)
        return wait(promotion, reasons, reasons, hold.until, None, *before), reasons
    return apply_step(site, ledgers, promotion, following, now, *before), ()


def _succeeded(promotion: Promotion, look: Verification, before: tuple[Draft, ...]) -> Draft:
    records = [*promotion.measured, *(draft.data for draft in before)]
    reasons = list(look.reasons) if look.outcome is Outcome.PASSED or not records else records[-1].get("reasons", [])
    data = {"verification": overall(records, look.verification), "reasons": reasons}
    return Draft("succeeded", promotion.id, data)


def _finish_rolling_back(site: Site, request: Request, promotion: Promotion) -> PromotionReport | None:
    """Go on with a rollback that was announced and not recorded, on a server without atomic pushes."""
    announced = next(intent for intent in reversed(promotion.intents) if intent["step"] < 0)
    reason = str(announced["reason"])
    request.on_stage(f"{promotion.id}: {reason}; rolling back")
    site.store.fetch()

    def decide(ledgers: Ledgers) -> Change | None:
        current = find_promotion(ledgers, promotion.id)
        if not current.is_active:
            return None
        settled, moment = record_landed(site, ledgers, current), _moment(site, ledgers, current)
        if settled is None and announced.get("aborted"):
            settled = call_off(site, ledgers, current, reason, moment)
        return settled or restore(site, ledgers, current, reason, moment)

    site.store.transact(decide)
    return None


def _deploy_restored(site: Site, request: Request, promotion: Promotion) -> PromotionReport | None:
    """Run the deploy recipe of the release that a rollback restored."""
    change = promotion.applied[-1]
    commit = require_source(site, site.store.read().environments[promotion.environment], change.release)
    request.on_stage(f"{promotion.id}: {promotion.environment} is back at release {short(change.release)}")
    result = deployed(site, promotion, commit, change.release, -1, change.tree, request.on_event)
    for line in result.output:
        request.on_stage(f"    | {line}")
    if result.outcome is Outcome.ERRORED:
        return report_on(promotion, error=result.reason)
    draft = Draft("restored", promotion.id, result.to_json())
    if result.outcome not in _GOOD:
        bad = f"the tree of release {short(change.release)} is restored, but {result.reason}"
        draft = Draft("failed", promotion.id, {"reasons": [*promotion.reasons, bad]})

    def decide(ledgers: Ledgers) -> Change | None:
        current = find_promotion(ledgers, promotion.id)
        open_ = current.state == "rolled_back" and not current.restored
        return Change(promotion.environment, (draft,)) if open_ else None

    site.store.transact(decide)
    return None


def _stay(
    site: Site,
    promotion: Promotion,
    reasons: tuple[str, ...],
    waits_for: tuple[str, ...],
    next_check_at: datetime | None,
    *,
    error: str | None = None,
) -> PromotionReport:
    """Record why a promotion stays where it is, and report what is so now."""

    def decide(ledgers: Ledgers) -> Change | None:
        current = find_promotion(ledgers, promotion.id)
        if current.state != promotion.state or current.applied != promotion.applied:
            return None
        return wait(current, reasons, waits_for, next_check_at, None)

    current = find_promotion(site.store.transact(decide), promotion.id)
    if current.state != promotion.state:
        return report_on(current)
    return replace(report_on(current), reasons=reasons, next_check_at=next_check_at, error=error)


def _moment(site: Site, ledgers: Ledgers, promotion: Promotion) -> datetime:
    return event_time(site.clock.now(), ledgers.environments[promotion.environment].events)


def _say_rollback(site: Site, request: Request, promotion: Promotion, reason: str) -> None:
    ledgers = site.store.read()
    others = also_in(ledgers, promotion.release, promotion.environment)
    affected = f"; {', '.join(others)} {'runs' if len(others) == 1 else 'run'} this release too" if others else ""
    does = "rolling back" if has_way_back(site, ledgers, promotion) else "there is nothing to go back to"
    request.on_stage(f"{promotion.id}: {reason}; {does}{affected}")


def _tell_lost(request: Request, promotion: Promotion, step: int, *, good: bool) -> None:
    """Say it where somebody else recorded another end of a deploy recipe first."""
    said = any(event.kind == "deployed" and event.data["step"] == step for event in promotion.events)
    if said is not good:
        request.on_stage(f"{promotion.id}: somebody else recorded first that step {step + 1} is {promotion.state}")


def waiting_promotions(ledgers: Ledgers) -> Iterator[Promotion]:
    """Yield every promotion that running again may take further, in the order of environments."""
    for state in ledgers.environments.values():
        if state.unfinished is not None:
            yield state.unfinished


def require_active(ledgers: Ledgers, environment: str) -> Promotion:
    """Return an environment's active promotion.

    Raises:
        CannotWork: there is none.
    """
    promotion = ledgers.environments[environment].unfinished
    if promotion is None:
        raise CannotWork(f"no promotion is active in {environment!r}", f"start one with `f0ci promote {environment}`")
    return promotion
