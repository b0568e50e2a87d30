"""Going back on purpose: the exact tree of a release that was verified in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from f0ci import __version__
from f0ci.core.canonical import digest
from f0ci.core.errors import CannotWork, UsageError
from f0ci.promotion.applying import commit_tree, rollback_target, stop_release
from f0ci.promotion.events import Draft
from f0ci.promotion.ledger import BranchChange, Change, Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.policy import Policy, read_policy
from f0ci.promotion.promoting import Request, advance_to_end
from f0ci.promotion.releases import find_release
from f0ci.promotion.report import PromotionReport
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion, advance


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """What somebody asks for.

    Attributes:
        environment: the workflow's name of it.
        reason: why, for the record.
        to: digest, or its beginning, of another release than the newest good one; needs the environment's approvals.
    """

    environment: str
    reason: str
    to: str | None = None


def roll_back(site: Site, asked: RollbackRequest, request: Request) -> PromotionReport:
    """Restore the newest earlier good release, or another that was good here.

    No freeze, queue or hold stops it. The release it leaves is quarantined and the environment held.

    Raises:
        CannotWork: the environment has nothing to go back to.
        UsageError: the release of `to` never succeeded there.
    """
    made: list[str] = []

    def decide(ledgers: Ledgers) -> Change:
        state = ledgers.environments[asked.environment]
        policy = read_policy(site, state, asked.environment)
        running = _running(state)
        target, is_default = choose_target(state, ledgers, running, policy.require, asked.to)
        name = f"{asked.environment}-{len(state.promotions) + 1}"
        made.append(name)
        plan = _plan(site, ledgers, asked, policy, target, running, name, with_gates=not is_default)
        data = {
            "purpose": "rollback",
            "release": target.release,
            "digest": digest(plan),
            "plan": plan,
            "reason": asked.reason,
            "ledgers": ledgers.tips(),
        }
        requested = Draft("requested", name, data)
        drafts: list[Draft] = []
        if state.active is not None:
            drafts.append(Draft("aborted", state.active.id, {"reason": f"rolled back by {name}: {asked.reason}"}))
        drafts.append(requested)
        if plan["gates"]:
            return Change(asked.environment, tuple(drafts))
        return _in_one_push(site, ledgers, asked, requested, drafts, running)

    request.on_stage(f"rolling back {asked.environment}: {asked.reason}")
    site.store.transact(decide)
    return advance_to_end(site, request, made[-1])


def choose_target(
    state: EnvironmentState, ledgers: Ledgers, running: str | None, require: str, to: str | None
) -> tuple[Promotion, bool]:
    """Return the success to go back to, and whether it is the one that needs no approval; pure.

    Raises:
        CannotWork: there is no earlier success.
        UsageError: the release of `to` never succeeded here.
    """
    default = rollback_target(state, ledgers, running or "", require)
    if to is None:
        if default is None:
            raise CannotWork(
                f"{state.environment!r} has no earlier success to go back to",
                f"fix it and promote a new release: `f0ci promote {state.environment} --through-hold REASON`",
            )
        return default, True
    found = [
        promotion for promotion in state.succeeded() if promotion.release.startswith(to.lower()) and promotion.applied
    ]
    if not found:
        known = ", ".join(dict.fromkeys(short(promotion.release) for promotion in state.succeeded()))
        raise UsageError(
            f"no release {to!r} succeeded in {state.environment!r}",
            f"these did: {known}" if known else "none did yet",
        )
    return found[0], default is not None and found[0].release == default.release


def _in_one_push(
    site: Site,
    ledgers: Ledgers,
    asked: RollbackRequest,
    requested: Draft,
    drafts: list[Draft],
    running: str | None,
) -> Change:
    """Add the change of the branch, the hold and the quarantine to the request."""
    from f0ci.promotion.ledger import number

    state = ledgers.environments[asked.environment]
    actor, now = str(site.repository.identity()), site.clock.now()
    event = number(state.events, asked.environment, [requested], now, actor)[0]
    promotion = advance(None, event)
    branch = ledgers.branches[asked.environment]
    tree = str(promotion.plan["steps"][0]["tree"])
    commit = commit_tree(
        site,
        promotion,
        tree,
        branch,
        promotion.release,
        f"roll back {asked.environment} to {short(promotion.release)} ({promotion.id})",
    )
    applied = {
        "step": 0,
        "percent": 100,
        "commit": commit,
        "parent": branch,
        "tree": tree,
        "ledgers": ledgers.tips(),
    }
    holds, quarantines = (
        stop_release(promotion, running, asked.reason, ledgers)
        if running and running != promotion.release
        else ((), ())
    )
    return Change(
        asked.environment,
        (*drafts, Draft("applied", promotion.id, applied), *holds),
        quarantines,
        BranchChange(asked.environment, branch, commit),
    )


def _plan(
    site: Site,
    ledgers: Ledgers,
    asked: RollbackRequest,
    policy: Policy,
    target: Promotion,
    running: str | None,
    name: str,
    *,
    with_gates: bool,
) -> dict[str, Any]:
    branch = ledgers.branches[asked.environment]
    release = find_release(site.releases(), target.release)
    source = release.commit if release else str(target.plan["source_commit"])
    gates: list[Mapping[str, Any]] = [
        {"kind": gate.kind, "settings": dict(gate.settings)}
        for gate in policy.gates
        if with_gates and gate.kind == "approval"
    ]
    return {
        "version": 1,
        "purpose": "rollback",
        "promotion": name,
        "environment": asked.environment,
        "release": target.release,
        "source_commit": source,
        "base": {"tree": site.repository.tree_of(branch) if branch else None, "release": running},
        "strategy": "rolling",
        "steps": [{"percent": 100, "tree": target.applied[-1].tree}],
        "policy": policy.to_json(),
        "gates": gates,
        "checks": [],
        "duration": 0,
        "metrics": {},
        "deploy": target.plan.get("deploy"),
        "renderer": __version__,
    }


def _running(state: EnvironmentState) -> str | None:
    return state.current.release if state.current else None
