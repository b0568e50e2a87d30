"""Going back on purpose: the exact tree of a release that was verified in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from f0ci.core.errors import Refused
from f0ci.promotion.admitting import find_promotion
from f0ci.promotion.applying import also_in, apply_step, record_landed
from f0ci.promotion.events import Draft
from f0ci.promotion.folding import advance
from f0ci.promotion.ledger import Change, Ledgers, number_in
from f0ci.promotion.names import short
from f0ci.promotion.objects import irreversible_between, source_commit
from f0ci.promotion.promoting import Request, advance_to_end
from f0ci.promotion.report import PromotionReport
from f0ci.promotion.rollback_plan import make_rollback_plan
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion
from f0ci.promotion.times import event_time


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """What somebody asks for.

    Attributes:
        environment: the workflow's name of it.
        reason: why, for the record.
        to: digest, or its beginning, of another release than the newest good one; needs the environment's approvals.
        accept_irreversible: go back although commits say that what they did cannot be undone.
    """

    environment: str
    reason: str
    to: str | None = None
    accept_irreversible: bool = False


def roll_back(site: Site, asked: RollbackRequest, request: Request) -> PromotionReport:
    """Restore the newest earlier good release, or another that was good here.

    No freeze, queue or hold stops it. The release it leaves is quarantined and the environment held. Two people who ask
    at once, or one who asks again after being interrupted, go back once.

    Raises:
        CannotWork: the environment has nothing to go back to.
        Refused: what it leaves says that it cannot be undone, and nobody accepted that.
        UsageError: the release of `to` never succeeded there.
    """
    made: list[str] = []
    left: list[str | None] = []

    def decide(ledgers: Ledgers) -> Change | None:
        state = ledgers.environments[asked.environment]
        active = state.active
        if active is not None:
            settled = record_landed(site, ledgers, active)
            if settled is not None:
                return settled
        running = state.current.release if state.current else None
        left.append(running)
        done = _done_already(state, ledgers.branches[asked.environment], asked, left_is_gone=running != left[0])
        if done is not None:
            made.append(done.id)
            return None
        made.append(f"{asked.environment}-{len(state.promotions) + 1}")
        return _ask(site, ledgers, asked, made[-1])

    request.on_stage(f"rolling back {asked.environment}: {asked.reason}")
    ledgers = site.store.transact(decide)
    found = find_promotion(ledgers, made[-1])
    if found.purpose == "rollback" and found.state == "succeeded":
        # two people who ask at once, or one who asks again, go back once
        request.on_stage(f"{found.id} did that already: nothing changes")
        return advance_to_end(site, request, found.id)
    undone = found.events[0].data.get("undoes")
    if undone:
        request.on_stage(f"undoes {', '.join(undone)}")
    others = also_in(ledgers, left[0], asked.environment) if left[0] else []
    if others:
        request.on_stage(f"release {short(left[0] or '')} also runs in {', '.join(others)}")
    return advance_to_end(site, request, made[-1])


def _done_already(
    state: EnvironmentState, branch: str | None, asked: RollbackRequest, *, left_is_gone: bool
) -> Promotion | None:
    """Return the promotion that does, or did, what is asked for, or None; pure.

    the release that was to be left has gone since the command began       the promotion that replaced it
    a rollback to the same release is under way                            that one
    a failed promotion is being rolled back, and no release is named       that one
    the newest record is this very rollback, and the branch is still its   that one: a repeated run changes nothing
    """
    newest = state.newest
    if newest is None:
        return None
    if left_is_gone:
        return state.unfinished or newest
    same = _same_target(newest, asked)
    if newest.is_active:
        return newest if newest.purpose == "rollback" and same else None
    if state.unfinished is not None and asked.to is None:
        return state.unfinished
    repeated = newest.purpose == "rollback" and newest.state == "succeeded" and same
    if repeated and newest.events[0].data.get("reason") == asked.reason and newest.applied[-1].commit == branch:
        return newest
    return None


def _same_target(promotion: Promotion, asked: RollbackRequest) -> bool:
    to = promotion.events[0].data.get("to")
    return to is None if asked.to is None else promotion.release.startswith(asked.to.lower())


def _ask(site: Site, ledgers: Ledgers, asked: RollbackRequest, name: str) -> Change:
    """Return the request, and, where no gate stands before it, the change itself in the same push."""
    state = ledgers.environments[asked.environment]
    plan = make_rollback_plan(site, ledgers, asked.environment, name, asked.to)
    kept = _refuse_irreversible(site, ledgers, asked, plan.bound)
    data: dict[str, Any] = {
        "purpose": "rollback",
        "release": plan.bound["release"],
        "to": plan.bound["release"] if asked.to else None,
        "digest": plan.digest,
        "plan": plan.bound,
        "reason": asked.reason,
        "ledgers": ledgers.tips(),
        "undoes": undone_by(state, str(plan.bound["release"])),
    }
    if kept:
        data["irreversible"] = list(kept)
    drafts = [Draft("requested", name, data)]
    if state.active is not None:
        drafts.insert(0, Draft("aborted", state.active.id, {"reason": f"rolled back by {name}: {asked.reason}"}))
    if plan.bound["gates"]:
        return Change(asked.environment, tuple(drafts))
    actor, now = str(site.repository.identity()), event_time(site.clock.now(), state.events)
    promotion = advance(None, number_in(state, drafts, now, actor)[-1])
    return apply_step(site, ledgers, promotion, 0, now, *drafts)


def undone_by(state: EnvironmentState, release: str) -> list[str]:
    """Return the newer promotions whose changes going back to a release undoes, oldest first; pure."""
    undone: list[str] = []
    for promotion in reversed(state.promotions):
        if promotion.state == "succeeded" and promotion.release == release:
            break
        if promotion.applied and promotion.purpose == "promote" and promotion.state != "rolled_back":
            undone.append(promotion.id)
    return undone[::-1]


def _refuse_irreversible(
    site: Site, ledgers: Ledgers, asked: RollbackRequest, bound: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return what going back cannot undo, where somebody accepted that.

    Raises:
        Refused: nobody did.
    """
    left = bound["base"]["release"]
    state = ledgers.environments[asked.environment]
    source = source_commit(site, state, left) if left else None
    kept = irreversible_between(site, str(bound["source_commit"]), source) if source else ()
    if kept and not asked.accept_irreversible:
        raise Refused(
            f"going back to release {short(str(bound['release']))} would not undo {', '.join(kept)}",
            "fix it forward, or add --accept-irreversible where the older release can live with that",
        )
    return kept
