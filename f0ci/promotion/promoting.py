"""Promoting: from a request to the end, one recorded event at a time.

Every stage reads the ledgers, decides, and writes its events (with the environment's branch, where it changes) in one
push. Killed at any point and run again, it goes on from the newest event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from f0ci.core.clock import format_time
from f0ci.core.errors import CannotWork, Defect, UsageError
from f0ci.core.outcome import Outcome
from f0ci.promotion.applying import apply_step, base_moved, next_step, restore
from f0ci.promotion.deploying import EventSink, deploy
from f0ci.promotion.events import Draft
from f0ci.promotion.judging import Verdict, ask_gates, authors_of, verified_statements
from f0ci.promotion.ledger import Change, Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.plan import Plan, make_plan
from f0ci.promotion.policy import Policy, policy_at, read_policy
from f0ci.promotion.releases import Release, require_release
from f0ci.promotion.report import PromotionReport, report_on
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion
from f0ci.promotion.verifying import verify
from f0ci.workflows.model import GateSpec


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for.

    Attributes:
        environment: the workflow's name of the environment.
        release: digest, its beginning, `latest`, or None for the release of the newest source.
        through_hold: reason for passing a hold, or None.
        on_event: is told what deploy recipes do.
        on_stage: is told, in words, what happens.
    """

    environment: str
    release: str | None = None
    through_hold: str | None = None
    on_event: EventSink | None = None
    on_stage: Callable[[str], None] = lambda _text: None


def advance_to_end(site: Site, request: Request, promotion: str) -> PromotionReport:
    """Take a promotion as far as it goes now: to its end, or to where it waits."""
    for _ in range(1000):
        ledgers = site.store.read()
        current = find_promotion(ledgers, promotion)
        stage = _stage_of(current)
        if stage is None:
            return report_on(current)
        report = stage(site, request, current)
        if report is not None:
            return report
    raise Defect(f"the promotion {promotion!r} does not come to an end")


def plan_for(site: Site, ledgers: Ledgers, environment: str, release: Release, promotion: str) -> Plan:
    """Return the plan of a promotion that starts from what the environment is now."""
    running = ledgers.environments[environment].current
    return make_plan(
        site,
        ledgers,
        environment,
        release,
        promotion,
        ledgers.branches[environment],
        running.release if running else None,
    )


def find_promotion(ledgers: Ledgers, promotion: str) -> Promotion:
    """Return a promotion by its id.

    Raises:
        UsageError: no ledger knows it.
    """
    for state in ledgers.environments.values():
        found = state.find(promotion)
        if found is not None:
            return found
    raise UsageError(f"there is no promotion {promotion!r}", "`f0ci history` lists them")


def running_commit(site: Site, state: EnvironmentState, before: Promotion) -> str | None:
    """Return the source commit of what an environment ran before a promotion changed it, or None."""
    release = before.plan["base"]["release"]
    if release is None:
        return None
    found = next((item for item in site.releases() if item.digest == release), None)
    return (
        found.commit
        if found
        else next(
            (str(item.plan["source_commit"]) for item in reversed(state.promotions) if item.release == release),
            None,
        )
    )


def gate_verdict(site: Site, ledgers: Ledgers, promotion: Promotion) -> tuple[Verdict, Policy]:
    """Ask the gates of the policy in force about a promotion."""
    state = ledgers.environments[promotion.environment]
    policy = read_policy(site, state, promotion.environment)
    gates = tuple(GateSpec(gate["kind"], gate["settings"]) for gate in promotion.plan["gates"])
    statements = verified_statements(promotion, policy)
    authors = authors_of(site, promotion, running_commit(site, state, promotion))
    return ask_gates(gates, promotion, policy, ledgers, statements, authors, site.clock.now()), policy


Stage = Callable[[Site, Request, Promotion], PromotionReport | None]


def _stage_of(promotion: Promotion) -> Stage | None:
    if promotion.state in {"requested", "waiting"}:
        return _admit
    if promotion.state == "deploying":
        return _deploy
    if promotion.state == "verifying":
        return _verify
    if promotion.state == "rolled_back" and not promotion.restored:
        return _restore_deployment
    return None


def _admit(site: Site, request: Request, promotion: Promotion) -> PromotionReport | None:
    """Ask the gates; when all pass, make the first change."""
    site.store.fetch()
    answers: list[Verdict] = []

    def decide(ledgers: Ledgers) -> Change | None:
        current = find_promotion(ledgers, promotion.id)
        if current.state not in {"requested", "waiting"}:
            return None
        stop = ledgers.workflow.quarantine_of(current.release)
        if stop is not None and current.purpose == "promote":
            return _end(current, "refused", f"release {short(current.release)} is quarantined: {stop}")
        replanned = _replan(site, ledgers, current)
        if replanned is not None:
            return replanned
        verdict, _ = gate_verdict(site, ledgers, current)
        answers.append(verdict)
        if verdict.outcome is Outcome.PASSED:
            return apply_step(site, ledgers, current, 0)
        if verdict.outcome is Outcome.FAILED:
            return _end(current, "refused", *verdict.reasons)
        return _wait(current, verdict)

    ledgers, _ = site.store.transact(decide)
    current = find_promotion(ledgers, promotion.id)
    if answers and answers[-1].outcome in {Outcome.WAITING, Outcome.ERRORED} and current.state == "waiting":
        return report_on(current, tuple(answer.to_json() for answer in answers[-1].answers))
    if current.applied and not promotion.applied:
        request.on_stage(f"{current.id}: {current.environment} is at release {short(current.release)}")
    return None


def _replan(site: Site, ledgers: Ledgers, promotion: Promotion) -> Change | None:
    """Return the event that voids approvals where what would be done is no longer what was planned."""
    if promotion.intent is not None or promotion.purpose == "rollback":
        return None
    release = require_release(site.releases(), promotion.release)
    plan = plan_for(site, ledgers, promotion.environment, release, promotion.id)
    if plan.digest == promotion.digest:
        return None
    changed = sorted(key for key in {*plan.bound, *promotion.plan} if plan.bound.get(key) != promotion.plan.get(key))
    data = {
        "digest": plan.digest,
        "plan": plan.bound,
        "reason": f"the plan changed ({', '.join(changed)}): earlier approvals are void",
    }
    return Change(promotion.environment, (Draft("replanned", promotion.id, data),))


def _deploy(site: Site, request: Request, promotion: Promotion) -> PromotionReport | None:
    """Run the deploy recipe of the newest applied step and record how it ended."""
    change = promotion.applied[-1]
    commit = _source_commit(promotion)
    request.on_stage(f"{promotion.id}: deploying step {change.step + 1} of {len(promotion.plan['steps'])}")
    result = deploy(site, promotion, commit, promotion.release, change.step, change.tree, request.on_event)
    if result.outcome in {Outcome.PASSED, Outcome.SKIPPED}:
        _write(site, promotion, Draft("deployed", promotion.id, {"step": change.step, **result.to_json()}))
        return None
    if promotion.purpose == "rollback":
        # a rollback is never rolled back
        _write(
            site,
            promotion,
            Draft(
                "failed",
                promotion.id,
                {"reasons": [result.reason, "the tree is restored, its deploy recipe is not through"]},
            ),
        )
        return None
    _roll_back(site, request, promotion, result.reason)
    return None


def _verify(site: Site, request: Request, promotion: Promotion) -> PromotionReport | None:
    """Judge the newest step; then the next step, success, a rollback, or waiting."""
    step = promotion.applied[-1].step
    conclusion = verify(site, promotion, step, site.clock.now())
    if conclusion.outcome is Outcome.FAILED:
        if conclusion.record is not None:
            _write(site, promotion, Draft("measured", promotion.id, conclusion.record))
        _roll_back(site, request, promotion, "; ".join(conclusion.reasons))
        return None
    if conclusion.outcome not in {Outcome.PASSED, Outcome.SKIPPED}:
        reasons = tuple(conclusion.reasons)
        if reasons != promotion.reasons or conclusion.next_check_at != promotion.next_check_at:
            data = {
                "reasons": list(reasons),
                "next_check_at": format_time(conclusion.next_check_at) if conclusion.next_check_at else None,
            }
            _write(site, promotion, Draft("waiting", promotion.id, data))
        return report_on(find_promotion(site.store.read(), promotion.id))
    if conclusion.record is not None:
        _write(site, promotion, Draft("measured", promotion.id, conclusion.record))
    following = next_step(promotion)
    if following is None:
        _write(
            site,
            promotion,
            Draft(
                "succeeded",
                promotion.id,
                {"verification": conclusion.verification, "reasons": list(conclusion.reasons)},
            ),
        )
        return None
    site.store.fetch()

    def decide(ledgers: Ledgers) -> Change | None:
        current = find_promotion(ledgers, promotion.id)
        stop = ledgers.workflow.quarantine_of(current.release)
        if stop is not None:
            return restore(
                site,
                ledgers,
                current,
                f"release {short(current.release)} was quarantined: {stop}",
                _require(site, current),
            )
        return apply_step(site, ledgers, current, following) if current.state == "verifying" else None

    site.store.transact(decide)
    return None


def _roll_back(site: Site, request: Request, promotion: Promotion, reason: str) -> None:
    """End a bad promotion by the last good tree, in one push."""
    request.on_stage(f"{promotion.id}: {reason}; rolling back")
    site.store.fetch()

    def decide(ledgers: Ledgers) -> Change | None:
        current = find_promotion(ledgers, promotion.id)
        if not current.is_active:
            return None
        branch = ledgers.branches[current.environment]
        ours = current.intent is not None and branch == current.intent["commit"]
        if not ours and base_moved(site, current, branch) is not None:
            return _end(
                current,
                "failed",
                reason,
                f"{current.environment!r} was changed by somebody else meanwhile; nothing was restored",
            )
        return restore(site, ledgers, current, reason, _require(site, current))

    site.store.transact(decide)


def _restore_deployment(site: Site, request: Request, promotion: Promotion) -> PromotionReport | None:
    """Run the deploy recipe of the release that a rollback restored."""
    change = promotion.applied[-1]
    release = require_release(site.releases(), change.release)
    request.on_stage(f"{promotion.id}: {promotion.environment} is back at release {release.id}")
    result = deploy(site, promotion, release.commit, release.digest, -1, change.tree, request.on_event)
    if result.outcome in {Outcome.PASSED, Outcome.SKIPPED}:
        _write(site, promotion, Draft("restored", promotion.id, result.to_json()))
    else:
        reasons = [*promotion.reasons, f"the tree of release {release.id} is restored, but {result.reason}"]
        _write(site, promotion, Draft("failed", promotion.id, {"reasons": reasons}))
    return None


def _write(site: Site, promotion: Promotion, draft: Draft) -> None:
    """Append one event, unless the promotion has moved on meanwhile."""
    last = promotion.events[-1].sequence

    def decide(ledgers: Ledgers) -> Change | None:
        current = find_promotion(ledgers, promotion.id)
        if any(event.kind == draft.kind and event.sequence > last for event in current.events) or not (
            current.is_active or current.state == "rolled_back"
        ):
            return None
        return Change(promotion.environment, (draft,))

    site.store.transact(decide)


def _end(promotion: Promotion, kind: str, *reasons: str) -> Change:
    return Change(promotion.environment, (Draft(kind, promotion.id, {"reasons": list(reasons)}),))


def _wait(promotion: Promotion, verdict: Verdict) -> Change | None:
    if promotion.state == "waiting" and promotion.reasons == verdict.reasons:
        return None
    data = {
        "reasons": list(verdict.reasons),
        "next_check_at": format_time(verdict.next_check_at) if verdict.next_check_at else None,
    }
    return Change(promotion.environment, (Draft("waiting", promotion.id, data),))


def _require(site: Site, promotion: Promotion) -> str:
    commit = str(promotion.plan["policy"]["commit"])
    return policy_at(site, commit, promotion.environment).require


def _source_commit(promotion: Promotion) -> str:
    return str(promotion.plan["source_commit"])


def waiting_promotions(ledgers: Ledgers) -> Iterator[Promotion]:
    """Yield every promotion that running again may take further, in the order of environments."""
    for state in ledgers.environments.values():
        promotion = state.active or unfinished_rollback(state)
        if promotion is not None:
            yield promotion


def unfinished_rollback(state: EnvironmentState) -> Promotion | None:
    """Return the newest promotion if it was rolled back and the restored release is not deployed yet, or None."""
    newest = state.newest
    return newest if newest is not None and newest.state == "rolled_back" and not newest.restored else None


def require_active(ledgers: Ledgers, environment: str) -> Promotion:
    """Return an environment's active promotion.

    Raises:
        CannotWork: there is none.
    """
    state = ledgers.environments[environment]
    promotion = state.active or unfinished_rollback(state)
    if promotion is None:
        raise CannotWork(f"no promotion is active in {environment!r}", f"start one with `f0ci promote {environment}`")
    return promotion
