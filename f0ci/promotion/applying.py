"""Changing an environment's branch and recording it, in one push."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from f0ci.core.errors import GitError
from f0ci.promotion.events import WORKFLOW_EVENTS, Draft
from f0ci.promotion.ledger import BranchChange, Change, Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion


def commit_tree(site: Site, promotion: Promotion, tree: str, parent: str | None, release: str, subject: str) -> str:
    """Make the commit that brings a tree into an environment and return its id.

    The time is that of the promotion's newest event: making the same commit twice gives the same id, so a run that was
    killed between an intent and its push finds its own commit again.
    """
    trailers = f"F0-Promotion: {promotion.id}\nF0-Release: {release}\nF0-Plan: {promotion.digest}\n"
    message = f"{subject}\n\n{trailers}"
    return site.repository.commit(tree, [parent] if parent else [], message, time=promotion.changed_at)


def next_step(promotion: Promotion) -> int | None:
    """Return the index of the plan's step that has not been applied yet, or None where all have."""
    done = {change.step for change in promotion.applied}
    return next((index for index in range(len(promotion.plan["steps"])) if index not in done), None)


def base_moved(site: Site, promotion: Promotion, branch: str | None) -> str | None:
    """Return how an environment's branch differs from what a promotion's next commit must stand on, or None.

    Before the first commit that is the base tree of the plan, later the promotion's own previous commit.
    """
    if promotion.applied:
        expected = promotion.applied[-1].commit
        return (
            None
            if branch == expected
            else f"the branch is at {_name(branch)}, not at this promotion's own {expected[:10]}"
        )
    tree = site.repository.tree_of(branch) if branch else None
    planned = promotion.plan["base"]["tree"]
    return None if tree == planned else f"the branch holds {_name(tree)}, the plan started from {_name(planned)}"


def apply_step(site: Site, ledgers: Ledgers, promotion: Promotion, step: int) -> Change:
    """Return the change that brings one step of the plan into the environment.

    Raises:
        GitError: an intent was recorded and its branch went elsewhere.
    """
    branch = ledgers.branches[promotion.environment]
    planned: Mapping[str, Any] = promotion.plan["steps"][step]
    tree = str(planned["tree"])
    if promotion.intent is not None and int(promotion.intent["step"]) == step and branch == promotion.intent["commit"]:
        # the branch was pushed, its record was not
        return Change(promotion.environment, (Draft("applied", promotion.id, dict(promotion.intent)),))
    moved = base_moved(site, promotion, branch)
    if moved is not None:
        raise GitError(
            f"{promotion.environment!r} was changed by somebody else: {moved}",
            f"look at it with `f0ci status {promotion.environment}`, then abort the promotion or roll back",
        )
    verb = "roll back" if promotion.purpose == "rollback" else "promote"
    subject = f"{verb} {promotion.environment} to {short(promotion.release)}, {planned['percent']}% ({promotion.id})"
    commit = commit_tree(site, promotion, tree, branch, promotion.release, subject)
    data = {
        "step": step,
        "percent": planned["percent"],
        "commit": commit,
        "parent": branch,
        "tree": tree,
        "ledgers": ledgers.tips(),
    }
    return Change(
        promotion.environment,
        (Draft("applied", promotion.id, data),),
        branch=BranchChange(promotion.environment, branch, commit),
    )


def rollback_target(state: EnvironmentState, ledgers: Ledgers, bad: str, require: str) -> Promotion | None:
    """Return the newest earlier success whose release is neither the bad one nor quarantined, or None; pure."""
    for promotion in state.succeeded(require):
        if promotion.release != bad and ledgers.workflow.quarantine_of(promotion.release) is None and promotion.applied:
            return promotion
    return None


def stop_release(
    promotion: Promotion, release: str, reason: str, ledgers: Ledgers
) -> tuple[tuple[Draft, ...], tuple[Draft, ...]]:
    """Return the events that keep automation from bringing a bad release back: a hold, and a quarantine."""
    hold = Draft("hold", "_environment", {"reason": reason, "promotion": promotion.id})
    if ledgers.workflow.quarantine_of(release) is not None:
        return (hold,), ()
    quarantine = {
        "release": release,
        "reason": reason,
        "environment": promotion.environment,
        "promotion": promotion.id,
    }
    return (hold,), (Draft("quarantine", WORKFLOW_EVENTS, quarantine),)


def restore(site: Site, ledgers: Ledgers, promotion: Promotion, reason: str, require: str) -> Change:
    """Return the change that ends a bad promotion: the last good tree again, or `failed` where there is none."""
    state = ledgers.environments[promotion.environment]
    target = rollback_target(state, ledgers, promotion.release, require)
    if target is None:
        ways_out = (
            f"fix it and promote a new release with `f0ci promote {promotion.environment} --through-hold --reason ...`",
            "nothing was restored: this environment has no earlier success",
        )
        holds, quarantines = stop_release(promotion, promotion.release, reason, ledgers)
        failed = Draft("failed", promotion.id, {"reasons": [reason, *reversed(ways_out)]})
        return Change(promotion.environment, (failed, *holds), quarantines)
    branch = ledgers.branches[promotion.environment]
    tree = target.applied[-1].tree
    intent = promotion.intent
    holds, quarantines = stop_release(promotion, promotion.release, reason, ledgers)
    if intent is not None and intent["step"] == -1 and branch == intent["commit"]:
        # the branch was pushed, its record was not
        return Change(promotion.environment, (Draft("rolled_back", promotion.id, dict(intent)), *holds), quarantines)
    commit = commit_tree(
        site,
        promotion,
        tree,
        branch,
        target.release,
        f"roll back {promotion.environment} to {short(target.release)} ({promotion.id})",
    )
    data = {
        "step": -1,
        "to": target.release,
        "to_promotion": target.id,
        "commit": commit,
        "parent": branch,
        "tree": tree,
        "reason": reason,
        "ledgers": ledgers.tips(),
    }
    return Change(
        promotion.environment,
        (Draft("rolled_back", promotion.id, data), *holds),
        quarantines,
        BranchChange(promotion.environment, branch, commit),
    )


def _name(oid: str | None) -> str:
    return oid[:10] if oid else "nothing"
