"""Repairing drift: what the ledger says an environment is, again, as a change that the ledger records.

An edited branch keeps its history: the repair is a commit on top that has the recorded tree, and its event names the
commits that it undoes. No gate stands before it, because nothing comes in that was not let in before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from f0ci.core.clock import format_time
from f0ci.core.errors import CannotWork, Refused
from f0ci.core.outcome import Outcome
from f0ci.core.plugins import load
from f0ci.promotion.deploying import EventSink, deploy
from f0ci.promotion.drift.base import Observation, Sync
from f0ci.promotion.drifting import (
    BRANCH,
    expected_of,
    foreign_commits,
    observe_environment,
    observers,
    promotion_of,
)
from f0ci.promotion.events import ENVIRONMENT_EVENTS, Draft
from f0ci.promotion.ledger import BranchChange, Change, Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.objects import require_source
from f0ci.promotion.site import Site
from f0ci.promotion.state import Applied, EnvironmentState


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did.

    Attributes:
        environment: its name.
        commit: the commit that put the branch right, or None where the branch was right.
        undone: commits that it undoes.
        deployed: how the deploy recipe that ran again ended, in words, or None.
        is_deployed: False where it did not pass, so that a person is needed.
        before: what was found before.
        after: what was found after.
    """

    environment: str
    commit: str | None
    undone: tuple[str, ...]
    deployed: str | None
    before: tuple[Observation, ...]
    after: tuple[Observation, ...]
    is_deployed: bool = True

    @property
    def sync(self) -> Sync:
        """Return the worst of what was found after."""
        found = {observation.sync for observation in self.after}
        return next((sync for sync in (Sync.DRIFTED, Sync.UNKNOWN) if sync in found), Sync.IN_SYNC)

    def to_json(self) -> dict[str, Any]:
        """Return the repair as data."""
        return {
            "version": 1,
            "environment": self.environment,
            "commit": self.commit,
            "undone": list(self.undone),
            "deployed": self.deployed,
            "is_deployed": self.is_deployed,
            "before": [observation.to_json() for observation in self.before],
            "after": [observation.to_json() for observation in self.after],
        }


def repair(
    site: Site, environment: str, reason: str, on_event: EventSink | None, on_stage: Callable[[str], None]
) -> Repaired:
    """Make an environment what its ledger says, and record how.

    Args:
        site: the repository.
        environment: the workflow's name of it.
        reason: why, for the record.
        on_event: is told what a deploy recipe does.
        on_stage: is told, in words, what happens.

    Raises:
        CannotWork: nothing was ever promoted into the environment.
        Refused: a promotion is under way there.
        InputError: the recorded tree is not in this repository and cannot be rendered again.
    """
    ledgers = site.store.read()
    require_idle(ledgers.environments[environment])
    before = observe_environment(site, ledgers, environment).observations
    commit, undone = _repair_branch(site, environment, reason, on_stage)
    ledgers = site.store.read()
    elsewhere = [one for one in before if one.kind != BRANCH and one.sync is Sync.DRIFTED]
    # what runs follows the branch only by its deploy recipe, so a branch that was wrong is deployed again too
    deployed = None
    if elsewhere or commit is not None or is_unfinished(ledgers.environments[environment]):
        deployed = _deploy_again(site, ledgers, environment, reason, elsewhere, on_event, on_stage)
    after = observe_environment(site, site.store.read(), environment).observations
    said, outcome = deployed or (None, Outcome.SKIPPED)
    return Repaired(environment, commit, undone, said, before, after, outcome in {Outcome.PASSED, Outcome.SKIPPED})


def is_unfinished(state: EnvironmentState) -> bool:
    """Tell whether an earlier repair put the branch right and did not get what runs there; pure."""
    for event in reversed(state.events):
        if event.kind == "applied":
            break
        if event.kind == "repair" and state.current is not None and event.data["commit"] == state.current.commit:
            return event.data.get("outcome") not in {str(Outcome.PASSED), str(Outcome.SKIPPED)}
    return False


def require_idle(state: EnvironmentState) -> Applied:
    """Return what an environment should hold, where nobody is changing it; pure.

    Raises:
        CannotWork: nothing was ever promoted into it.
        Refused: a promotion has begun to change it.
    """
    if state.current is None:
        raise CannotWork(f"{state.environment!r} has no record to go back to", f"f0ci promote {state.environment}")
    if state.active is not None and state.active.applied:
        raise Refused(
            f"{state.active.id!r} is changing {state.environment!r}",
            f"let it end, or go back with `f0ci rollback {state.environment} --reason ...`",
        )
    return state.current


def _repair_branch(
    site: Site, environment: str, reason: str, on_stage: Callable[[str], None]
) -> tuple[str | None, tuple[str, ...]]:
    """Put the branch right where it is not; return the commit and what it undoes."""
    made: list[Draft] = []

    def decide(ledgers: Ledgers) -> Change | None:
        state, branch = ledgers.environments[environment], ledgers.branches[environment]
        current = require_idle(state)
        if branch == current.commit:
            return None
        if made and branch == made[-1].data["commit"]:
            # a server that takes one ref at a time has the commit, and lacks the event
            return Change(environment, (made[-1],))
        expected_of(site, state, current)
        made.append(_repair_commit(site, ledgers, environment, current, branch, reason))
        return Change(environment, (made[-1],), branch=BranchChange(environment, branch, made[-1].data["commit"]))

    site.store.transact(decide)
    if not made:
        return None, ()
    data = made[-1].data
    on_stage(f"{environment}: the branch holds the tree of release {short(data['release'])} again")
    return str(data["commit"]), tuple(data["undoes"])


def _repair_commit(
    site: Site, ledgers: Ledgers, environment: str, current: Applied, branch: str | None, reason: str
) -> Draft:
    """Make the commit on top of what is there, and return its event."""
    parents = [branch] if branch is not None else []
    if site.repository.commit_of(current.commit) is not None:
        holds = branch is not None and site.repository.is_ancestor(current.commit, branch)
        behind = branch is not None and site.repository.is_ancestor(branch, current.commit)
        # both histories stay reachable, whatever was pushed
        parents = parents if holds else [current.commit] if behind else [current.commit, *parents]
    undone = [one.oid for one in foreign_commits(site, current, branch)]
    subject = f"repair {environment}: release {short(current.release)} again"
    message = f"{subject}\n\n{reason}\n\nF0-Repair: {environment}\nF0-Release: {current.release}\n"
    commit = site.repository.commit(current.tree, parents, message)
    data: Mapping[str, Any] = {
        "commit": commit,
        "tree": current.tree,
        "parents": parents,
        "undoes": undone,
        "release": current.release,
        "reason": reason,
        "ledgers": ledgers.tips(),
        "decided_at": format_time(site.clock.now()),
    }
    return Draft("repair", ENVIRONMENT_EVENTS, data)


def _deploy_again(
    site: Site,
    ledgers: Ledgers,
    environment: str,
    reason: str,
    elsewhere: list[Observation],
    on_event: EventSink | None,
    on_stage: Callable[[str], None],
) -> tuple[str, Outcome] | None:
    """Run the deploy recipe of what the environment should run; without one, write what can be written; record it."""
    state = ledgers.environments[environment]
    current = require_idle(state)
    promotion = promotion_of(state, current)
    on_stage(f"{environment}: deploying release {short(current.release)} again")
    source = require_source(site, state, current.release)
    attempt = f"repair-{len(state.events)}"
    result = deploy(site, promotion, source, current.release, current.step, current.tree, on_event, attempt=attempt)
    said = result.reason
    if result.outcome is Outcome.SKIPPED:
        if not elsewhere:
            return None
        said = _written(site, state, current, elsewhere)
    data = {
        "commit": current.commit,
        "tree": current.tree,
        "release": current.release,
        "reason": reason,
        "restores": [f"{one.kind} {one.where}" for one in elsewhere],
        "deploy": said,
        "outcome": str(result.outcome),
        "ledgers": ledgers.tips(),
    }
    draft = Draft("repair", ENVIRONMENT_EVENTS, data)
    site.store.transact(lambda now: Change(environment, (draft,)) if _is_same(now, state) else None)
    return said, result.outcome


def _is_same(ledgers: Ledgers, state: EnvironmentState) -> bool:
    """Tell whether an environment's newest change is still what was deployed again."""
    return ledgers.environments[state.environment].current == state.current


def _written(site: Site, state: EnvironmentState, current: Applied, elsewhere: list[Observation]) -> str:
    places = {(one.kind, one.where) for one in elsewhere}
    expected = expected_of(site, state, current)
    done = []
    for settings in observers(site, state.environment):
        observer = load("f0ci.promotion.drift", str(settings["kind"]), noun="drift observer")
        where = str(settings.get("path", ""))
        if hasattr(observer, "restore") and (observer.KIND, where) in places:
            observer.restore(expected, settings, site.root)
            done.append(where)
    return f"wrote {', '.join(done)}" if done else "the environment has no deploy recipe"
