"""Deciding again: every plan, approval and change of a ledger is judged by what stood there before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from f0ci.core.clock import format_time, parse_time
from f0ci.core.errors import CannotWork, F0ciError
from f0ci.core.outcome import Outcome
from f0ci.promotion.audit.findings import Tampering
from f0ci.promotion.audit.plans import Moment, Whole, check_plan, policy_of, quoted_ledgers
from f0ci.promotion.events import STANDING, Event, misplaced
from f0ci.promotion.folding import IllegalEvent, advance, check_turn, hold_of, release_of
from f0ci.promotion.judging import ask_gates, authors_for, hold_answer, observe_gates
from f0ci.promotion.names import short
from f0ci.promotion.policy import policy_at, policy_commit
from f0ci.promotion.rights import unproven, what_resume_answers
from f0ci.promotion.rollout import is_judged, lets_on, too_early
from f0ci.promotion.site import Site
from f0ci.promotion.state import Answered, EnvironmentState, Hold, Promotion
from f0ci.promotion.statements import verify_statement
from f0ci.promotion.times import PROMPTLY, SKEW
from f0ci.workflows.model import GateSpec


def check_decisions(
    site: Site,
    ref: str,
    environment: str,
    events: Sequence[Event],
    default: str | None,
    whole: Whole,
    findings: list[Tampering],
) -> tuple[dict[str, Promotion], int]:
    """Go through a ledger's events in order and check each against what stood there before it.

    Returns:
        What the promotions came to, by id, and how many signatures were checked.
    """
    promotions: dict[str, Promotion] = {}
    hold: Hold | None = None
    released: Answered | None = None
    policy: Mapping[str, object] | None = None
    signatures = 0
    later = _earliest_after(events)
    for index, event in enumerate(events):
        if misplaced(event, environment) is not None:
            continue
        line = whole.timelines.get(environment)
        if line is not None:
            before = line.at(index)
        else:
            known = tuple(promotions.values())
            before = EnvironmentState(environment, None, known, hold, policy, tuple(events[:index]))
        moment = Moment(site, ref, default, whole, before, promotions.get(event.promotion), event, later[index])
        if event.kind == "policy":
            policy = event.data
        answered = release_of(event, hold, released)
        if answered is not None:
            did = "lifted the hold" if event.kind == "unhold" else "shortened the hold"
            findings.extend(_check_right(moment, did, answered.about, answered.expires))
            released = answered
            signatures += "signature" in event.data
        if event.kind in {"hold", "unhold"}:
            hold = hold_of(event) if event.kind == "hold" else None
        if event.kind in STANDING:
            continue
        try:
            if moment.promotion is None and event.kind == "requested":
                check_turn(event, next(reversed(promotions.values()), None), len(promotions))
            promotions[event.promotion] = advance(moment.promotion, event)
        except IllegalEvent as error:
            findings.append(moment.found("event-not-allowed", error.message))
            continue
        check = _CHECKS.get(event.kind)
        if check is not None:
            findings.extend(check(moment))
        signatures += "signature" in event.data
    return promotions, signatures


def _check_request(moment: Moment) -> Iterator[Tampering]:
    yield from check_plan(moment)
    hold = moment.before.hold
    if moment.event.data.get("through_hold") and hold is not None and hold.is_in_force(moment.event.time):
        yield from _check_right(moment, "passed the hold", str(moment.event.data["digest"]))


def _check_statement(moment: Moment) -> Iterator[Tampering]:
    """Check an approval or rejection: signed by whom it names, of the plan that stood, and not given before."""
    promotion = moment.promotion
    if promotion is None:
        return
    try:
        policy = policy_of(moment, promotion.plan)
    except CannotWork:
        # said where the plan is checked
        return
    verified = verify_statement(moment.event, policy.approvers)
    if verified.problem is not None:
        yield moment.found("approval-forged", verified.problem)
    elif verified.statement.digest != promotion.digest:
        yield moment.found(
            "approval-replayed",
            f"it is about plan {short(verified.statement.digest)}, the plan was {short(promotion.digest)}",
        )
    signature = moment.event.data["signature"]["armored"]
    if any(event.data["signature"]["armored"] == signature for event in promotion.statements):
        yield moment.found("approval-replayed", "the same signature stands there before")


def _check_change(moment: Moment) -> Iterator[Tampering]:
    """Check a change of the environment, or its announcement: planned, and passed by its gates when it was decided."""
    promotion, data = moment.promotion, moment.event.data
    if promotion is None:
        return
    step = int(data["step"])
    if step < 0:
        yield from _check_restored(moment)
        return
    steps = promotion.plan["steps"]
    if step >= len(steps) or steps[step]["tree"] != data["tree"]:
        yield moment.found("tree-not-planned", f"step {step} holds a tree that was not planned")
    if any(intent["commit"] == data["commit"] for intent in promotion.intents):
        # judged where it was announced
        return
    held = hold_answer(moment.before, promotion, _decided_at(moment.event))
    if held is not None:
        yield moment.found("hold-ignored", held.reason)
    ledgers = quoted_ledgers(moment)
    if ledgers is None:
        # said where quotes are checked
        return
    stop = ledgers.workflow.quarantine_of(promotion.release)
    if stop is not None and promotion.purpose == "promote":
        yield moment.found("quarantine-ignored", f"release {short(promotion.release)} was quarantined: {stop}")
    if step > 0:
        early = too_early(promotion, _decided_at(moment.event))
        if early is not None:
            yield moment.found("step-too-early", early)
    if step > 0 or not promotion.plan["gates"]:
        return
    gates = tuple(GateSpec(str(gate["kind"]), gate["settings"]) for gate in promotion.plan["gates"])
    try:
        policy = policy_of(moment, promotion.plan)
        authors = authors_for(moment.site, gates, promotion, moment.before)
        # what can be looked at again is; the record stands only for what cannot
        facts = {**(data.get("facts") or {}), **observe_gates(moment.site, gates, promotion, policy, ask=False)}
        said = _decided_at(moment.event)
        answers = ask_gates(gates, promotion, policy, ledgers, authors, facts, said)
        # a clock that is ahead passes what only time ends; what was written afterwards tells
        ahead = moment.by is not None and moment.by + SKEW < said
        by_then = ask_gates(gates, promotion, policy, ledgers, authors, facts, moment.by) if moment.by and ahead else ()
    except F0ciError as error:
        yield moment.found("gate-not-passed", f"its gates cannot be asked again: {error}")
        return
    for answer in answers:
        if answer.outcome is not Outcome.PASSED:
            kind = "quorum-not-met" if answer.gate == "approval" else "gate-not-passed"
            yield moment.found(kind, f"{answer.gate} was {answer.outcome}, yet it was applied: {answer.reason}")
    for answer in by_then:
        if answer.outcome is not Outcome.PASSED and moment.by:
            yield moment.found(
                "decided-ahead",
                f"it says it was decided at {format_time(said)}, and an event after it is of {format_time(moment.by)}, "
                f"when {answer.gate} was {answer.outcome}: {answer.reason}",
            )


def _check_restored(moment: Moment) -> Iterator[Tampering]:
    """Check that a rollback restored a tree that had succeeded."""
    data = moment.event.data
    trees = {
        promotion.applied[-1].tree
        for promotion in moment.before.succeeded()
        if promotion.applied and promotion.release == data.get("to")
    }
    if data["tree"] not in trees:
        yield moment.found("tree-not-verified", "it restored a tree that never succeeded here")


def _check_success(moment: Moment) -> Iterator[Tampering]:
    """Check that a success rests on what it says: every step applied, deployed, and measured where that is declared."""
    promotion = moment.promotion
    if promotion is None:
        return
    if promotion.next_step is not None:
        yield moment.found("success-unfounded", "not every step of the plan was applied")
        return
    step, plan = promotion.applied[-1].step, promotion.plan
    said = str(moment.event.data["verification"])
    judged = [at for at, planned in enumerate(plan["steps"]) if is_judged(planned, plan)]
    verdicts = [promotion.measured_at(at) for at in judged]
    passed = bool(verdicts) and all(lets_on(one) for one in verdicts)
    decided = all(one is not None and one["outcome"] == str(Outcome.PASSED) for one in verdicts)
    deployed = [event for event in promotion.events if event.kind == "deployed" and event.data["step"] == step]
    checked = bool(deployed) and deployed[-1].data.get("outcome") == str(Outcome.PASSED)
    if (said == "measured" and not (passed and decided)) or (promotion.plan.get("checks") and not passed):
        yield moment.found("success-unfounded", "nothing says that its checks were measured and passed")
    elif said == "checked" and not checked:
        yield moment.found("success-unfounded", "nothing says that its deploy recipe passed")


def _check_resumed(moment: Moment) -> Iterator[Tampering]:
    promotion, data = moment.promotion, moment.event.data
    if promotion is None:
        return
    yield from _check_right(moment, "resumed the rollout", what_resume_answers(promotion, int(data["step"])))
    earlier = [event.data.get("signature") for event in promotion.events if event.kind == "resumed"]
    if data.get("signature") and data["signature"] in earlier:
        yield moment.found("approval-replayed", "the same signature stands there before")


def _check_right(moment: Moment, what: str, about: str, expires: datetime | None = None) -> Iterator[Tampering]:
    """Check that whoever let something go on is in the approvers file that was in force, and signed where it has keys.

    Args:
        moment: the event.
        what: what they did, for people.
        about: digest of what they answered.
        expires: when a shortened hold ends, or None.
    """
    commit, is_first = policy_commit(moment.before, "")
    if is_first:
        if moment.before.policy is None:
            return
        commit = str(moment.before.policy["commit"])
    try:
        policy = policy_at(moment.site, commit, moment.before.environment)
    except CannotWork:
        return
    problem = unproven(moment.event, policy.approvers, about, expires=expires)
    if problem is not None:
        kind = "right-not-proven" if policy.approvers.keys() else "not-an-approver"
        yield moment.found(kind, f"{moment.event.actor} {what}, but {problem}")


def _earliest_after(events: Sequence[Event]) -> list[datetime | None]:
    """Return, for each event, the earliest time of those written after it; None for the newest."""
    found: list[datetime | None] = []
    earliest: datetime | None = None
    for event in reversed(events):
        found.append(earliest)
        earliest = event.time if earliest is None else min(earliest, event.time)
    return found[::-1]


def _decided_at(event: Event) -> datetime:
    """Return when a change was decided: as it says, where that is shortly before it was written."""
    try:
        decided = parse_time(str(event.data["decided_at"]))
    except (KeyError, ValueError):
        return event.time
    return decided if timedelta() <= event.time - decided <= PROMPTLY else event.time


_CHECKS: dict[str, Callable[[Moment], Iterator[Tampering]]] = {
    "requested": _check_request,
    "replanned": check_plan,
    "approved": _check_statement,
    "rejected": _check_statement,
    "revoked": _check_statement,
    "overridden": _check_statement,
    "intent": _check_change,
    "applied": _check_change,
    "rolled_back": _check_change,
    "resumed": _check_resumed,
    "succeeded": _check_success,
}
