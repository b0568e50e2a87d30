"""Changing an environment's branch and recording it, in one push."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from f0ci.core.clock import format_time
from f0ci.core.errors import GitError, Refused
from f0ci.promotion.events import WORKFLOW_EVENTS, Draft
from f0ci.promotion.ledger import BranchChange, Change, Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.objects import irreversible_between, require_tree
from f0ci.promotion.rights import believed
from f0ci.promotion.rollout import title
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion


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


def landed(site: Site, promotion: Promotion, branch: str | None) -> Mapping[str, Any] | None:
    """Return the announced change that an environment's branch holds without its record, or None.

    Only a server without atomic pushes leaves such a thing behind.
    """
    if branch is None:
        return None
    for intent in promotion.intents[::-1]:
        commit = str(intent["commit"])
        known = branch == commit or site.repository.commit_of(commit) is not None
        if known and site.repository.is_ancestor(commit, branch):
            return intent
    return None


def record_landed(site: Site, ledgers: Ledgers, promotion: Promotion) -> Change | None:
    """Return the change that records what a promotion did to the branch before it was killed, or None.

    Whatever is decided about a promotion is decided after this.
    """
    intent = landed(site, promotion, ledgers.branches[promotion.environment])
    if intent is None:
        return None
    if intent["step"] >= 0:
        drafts, workflow = _applied(ledgers, promotion, intent)
        return Change(promotion.environment, drafts, workflow, again=True)
    rolled_back = Draft("rolled_back", promotion.id, dict(intent))
    if intent.get("aborted"):
        return Change(promotion.environment, (rolled_back,), again=True)
    holds, quarantines = stop_release(promotion, promotion.release, str(intent["reason"]), ledgers)
    return Change(promotion.environment, (rolled_back, *holds), quarantines, again=True)


def apply_step(
    site: Site,
    ledgers: Ledgers,
    promotion: Promotion,
    step: int,
    now: datetime,
    *before: Draft,
    facts: Mapping[str, Mapping[str, Any]] | None = None,
) -> Change:
    """Return the change that brings one step of the plan into the environment.

    Args:
        site: the repository.
        ledgers: what the ledgers say.
        promotion: the promotion.
        step: index of the plan's step.
        now: the moment it was decided at.
        before: events of the promotion that belong into the same push.
        facts: what gates found out beyond the ledgers, for the record.

    Raises:
        GitError: somebody else changed the environment.
        InputError: the tree of the step cannot be made here.
    """
    branch = ledgers.branches[promotion.environment]
    moved = base_moved(site, promotion, branch)
    if moved is not None:
        raise GitError(
            f"{promotion.environment!r} was changed by somebody else: {moved}",
            f"look at it with `f0ci status {promotion.environment}`, then "
            + (
                f"`f0ci rollback {promotion.environment} --reason ...`"
                if promotion.applied
                else f"`f0ci abort {promotion.id} --reason ...`"
            ),
        )
    planned: Mapping[str, Any] = promotion.plan["steps"][step]
    verb = "roll back" if promotion.purpose == "rollback" else "promote"
    subject = f"{verb} {promotion.environment} to {short(promotion.release)}, {title(planned)} ({promotion.id})"
    data = {
        "step": step,
        "percent": planned["percent"],
        **_commit(site, promotion, step, branch, promotion.release, subject),
        "ledgers": ledgers.tips(),
        "decided_at": format_time(now),
    }
    if facts:
        data["facts"] = {kind: dict(found) for kind, found in facts.items()}
    drafts, workflow = _applied(ledgers, promotion, data)
    return Change(
        promotion.environment,
        (*before, *drafts),
        workflow,
        BranchChange(promotion.environment, branch, data["commit"]),
        # a rollback is what a quarantine asks for
        guarded=promotion.purpose == "promote",
    )


def rollback_target(state: EnvironmentState, ledgers: Ledgers, bad: str, require: str) -> Promotion | None:
    """Return the newest earlier success whose release is neither the bad one nor quarantined, or None; pure."""
    for promotion in state.succeeded(require):
        if promotion.release != bad and ledgers.workflow.quarantine_of(promotion.release) is None and promotion.applied:
            return promotion
    return None


def no_way_back(
    state: EnvironmentState, ledgers: Ledgers, bad: str, require: str, *, held: bool = True
) -> tuple[str, str]:
    """Return why an environment cannot go back by itself, and what to do; pure.

    Args:
        state: the environment.
        ledgers: what the ledgers say.
        bad: digest of the release that is left.
        require: what a success has to be.
        held: whether the environment is held, or will be.
    """
    name, lesser = state.environment, rollback_target(state, ledgers, bad, "none")
    if lesser is None:
        return (
            "no earlier success to go back to",
            f"fix it and make a new release: `f0ci release create`, then `f0ci promote {name}"
            + (" --through-hold REASON`" if held else "`"),
        )
    return (
        f"no earlier success that is {require!r}, as 'require' asks for",
        f"{short(lesser.release)} succeeded as {lesser.verification!r}: go back to it, with the environment's "
        f"approvals, by `f0ci rollback {name} --to {short(lesser.release)} --reason ...`",
    )


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
        "also_in": also_in(ledgers, release, promotion.environment),
        "ledgers": ledgers.tips(),
    }
    return (hold,), (Draft("quarantine", WORKFLOW_EVENTS, quarantine),)


def also_in(ledgers: Ledgers, release: str, environment: str) -> list[str]:
    """Return the other environments that run a release, in their order."""
    return [
        name
        for name, state in ledgers.environments.items()
        if name != environment and state.current is not None and state.current.release == release
    ]


def restore(site: Site, ledgers: Ledgers, promotion: Promotion, reason: str, now: datetime, *before: Draft) -> Change:
    """Return the change that ends a bad promotion: the last good tree again, or `failed` where there is none.

    Args:
        site: the repository.
        ledgers: what the ledgers say.
        promotion: the promotion.
        reason: what is wrong with it.
        now: the moment it was decided at.
        before: events of the promotion that belong into the same push.
    """
    environment, branch = promotion.environment, ledgers.branches[promotion.environment]
    holds, quarantines = stop_release(promotion, promotion.release, reason, ledgers)
    moved = base_moved(site, promotion, branch)
    if moved is not None:
        why = f"{environment!r} was changed by somebody else meanwhile, so nothing was restored: {moved}"
        return Change(environment, (*before, _failed(promotion, reason, why), *holds), quarantines)
    target = _target(site, ledgers, promotion)
    if target is None:
        require = str(promotion.plan["policy"].get("require", "none"))
        state = ledgers.environments[environment]
        known = believed(site, state, ledgers)
        why, hint = no_way_back(state, known, promotion.release, require)
        # what else helps follows from the state when somebody looks at it
        special = (hint,) if rollback_target(state, known, promotion.release, "none") else ()
        failed = _failed(promotion, reason, f"nothing was restored: this environment has {why}", *special)
        return Change(environment, (*before, failed, *holds), quarantines)
    kept = irreversible_between(site, str(target.plan["source_commit"]), str(promotion.plan["source_commit"]))
    if kept:
        failed = _failed(
            promotion,
            reason,
            f"nothing was restored: going back would not undo {', '.join(kept)}",
            f"fix it forward with `f0ci promote {environment} --through-hold REASON`, "
            f"or go back all the same with `f0ci rollback {environment} --accept-irreversible --reason ...`",
        )
        return Change(environment, (*before, failed, *holds), quarantines)
    data = _restored(site, ledgers, promotion, target, reason, now)
    return Change(
        environment,
        (*before, Draft("rolled_back", promotion.id, data), *holds),
        quarantines,
        BranchChange(environment, branch, data["commit"]),
    )


def call_off(site: Site, ledgers: Ledgers, promotion: Promotion, reason: str, now: datetime) -> Change | None:
    """Return the change that takes a rollout back whose release nobody calls bad, or None where there is no way back.

    The tree of the newest earlier success again. The release is not quarantined and the environment not held.

    Args:
        site: the repository.
        ledgers: what the ledgers say.
        promotion: the promotion, which has changed the environment.
        reason: why, for the record.
        now: the moment it was decided at.

    Raises:
        GitError: somebody else changed the environment.
        Refused: going back would not undo what the release did.
    """
    environment, branch = promotion.environment, ledgers.branches[promotion.environment]
    target = _target(site, ledgers, promotion)
    if target is None:
        return None
    moved = base_moved(site, promotion, branch)
    if moved is not None:
        raise GitError(
            f"{environment!r} was changed by somebody else: {moved}",
            f"look at it with `f0ci status {environment}`, then `f0ci rollback {environment} --reason ...`",
        )
    kept = irreversible_between(site, str(target.plan["source_commit"]), str(promotion.plan["source_commit"]))
    if kept:
        raise Refused(
            f"aborting {promotion.id!r} would not undo {', '.join(kept)}",
            f"let it go on, or go back all the same with `f0ci rollback {environment} --accept-irreversible "
            "--reason ...`",
        )
    data = {**_restored(site, ledgers, promotion, target, reason, now), "aborted": True}
    rolled_back = Draft("rolled_back", promotion.id, data)
    return Change(environment, (rolled_back,), (), BranchChange(environment, branch, data["commit"]))


def has_way_back(site: Site, ledgers: Ledgers, promotion: Promotion) -> bool:
    """Tell whether there is an earlier success that a promotion which fails goes back to."""
    return _target(site, ledgers, promotion) is not None


def _target(site: Site, ledgers: Ledgers, promotion: Promotion) -> Promotion | None:
    state = ledgers.environments[promotion.environment]
    require = str(promotion.plan["policy"].get("require", "none"))
    return rollback_target(state, believed(site, state, ledgers), promotion.release, require)


def _restored(
    site: Site, ledgers: Ledgers, promotion: Promotion, target: Promotion, reason: str, now: datetime
) -> dict[str, Any]:
    """Make the commit with the tree of an earlier success, and return what the event says of it."""
    subject = f"roll back {promotion.environment} to {short(target.release)} ({promotion.id})"
    branch, tree = ledgers.branches[promotion.environment], target.applied[-1].tree
    return {
        "step": -1,
        "to": target.release,
        "to_promotion": target.id,
        **_commit(site, promotion, -1, branch, target.release, subject, tree=tree),
        "reason": reason,
        "ledgers": ledgers.tips(),
        "decided_at": format_time(now),
    }


def _applied(
    ledgers: Ledgers, promotion: Promotion, data: Mapping[str, Any]
) -> tuple[tuple[Draft, ...], tuple[Draft, ...]]:
    """Return the events of an applied step; a rollback also stops the release that it leaves."""
    applied = Draft("applied", promotion.id, dict(data))
    left = promotion.plan["base"]["release"]
    if promotion.purpose != "rollback" or left in {None, promotion.release}:
        return (applied,), ()
    holds, quarantines = stop_release(promotion, left, str(promotion.events[0].data.get("reason", "")), ledgers)
    return (applied, *holds), quarantines


def _commit(
    site: Site,
    promotion: Promotion,
    step: int,
    parent: str | None,
    release: str,
    subject: str,
    *,
    tree: str | None = None,
) -> dict[str, Any]:
    """Make the commit that brings a tree into an environment, and return what its event says of it.

    A commit that was announced, and is known here, is taken again: killed between announcing and pushing, the second
    run makes no second one.
    """
    wanted = tree or str(promotion.plan["steps"][step]["tree"])
    for intent in reversed(promotion.intents):
        same = (intent["step"], intent.get("parent"), intent["tree"]) == (step, parent, wanted)
        if same and site.repository.commit_of(str(intent["commit"])):
            return {"commit": intent["commit"], "parent": parent, "tree": wanted}
    require_tree(site, promotion, step, wanted)
    trailers = f"F0-Promotion: {promotion.id}\nF0-Release: {release}\nF0-Plan: {promotion.digest}\n"
    parents = [parent] if parent else []
    commit = site.repository.commit(wanted, parents, f"{subject}\n\n{trailers}", time=promotion.changed_at)
    return {"commit": commit, "parent": parent, "tree": wanted}


def _failed(promotion: Promotion, *reasons: str) -> Draft:
    return Draft("failed", promotion.id, {"reasons": list(reasons)})


def _name(oid: str | None) -> str:
    return oid[:10] if oid else "nothing"
