"""Checking who let a release in again that was quarantined: that concerns every environment, and all their policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from f0ci.core.errors import CannotWork
from f0ci.promotion.audit.findings import Tampering
from f0ci.promotion.audit.plans import Moment, Whole, quoted_ledgers
from f0ci.promotion.events import WORKFLOW_EVENTS, Event
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.policy import policy_at, policy_commit
from f0ci.promotion.rights import unproven
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState


def check_lifts(
    site: Site, ref: str, events: Sequence[Event], default: str | None, whole: Whole
) -> Iterator[Tampering]:
    """Yield what is wrong with each lifting of a quarantine.

    Args:
        site: the repository.
        ref: the workflow's ledger.
        events: what it holds, in order.
        default: tip of the default branch, or None where nobody asked for it.
        whole: what is the same for all events.
    """
    stopped: dict[str, Event] = {}
    for event in events:
        release = str(event.data.get("release", ""))
        if event.kind == "quarantine":
            stopped[release] = event
        elif event.kind == "unquarantine":
            moment = Moment(site, ref, default, whole, EnvironmentState(WORKFLOW_EVENTS), None, event)
            about = stopped.pop(release).digest if release in stopped else ""
            yield from _check_lift(moment, about)


def _check_lift(moment: Moment, about: str) -> Iterator[Tampering]:
    policies: Mapping[str, Any] = moment.event.data.get("policies") or {}
    if not policies:
        yield moment.found("right-not-proven", f"{moment.event.actor} lifted the quarantine, and says by no policy")
        return
    ledgers = quoted_ledgers(moment)
    if ledgers is None:
        # said where quotes are checked
        return
    for name in sorted(_concerned(moment.site, policies, ledgers) - set(policies)):
        yield moment.found("policy-smuggled", f"it names no policy of {name!r}, where the release may come again")
    for name, bound in policies.items():
        yield from _check_policy(moment, ledgers, name, str(bound["commit"]))
        try:
            approvers = policy_at(moment.site, str(bound["commit"]), name).approvers
        except CannotWork as error:
            yield moment.found("policy-missing", f"the policy of {name!r} cannot be read: {error.message}")
            continue
        problem = unproven(moment.event, approvers, about)
        if problem is not None:
            kind = "right-not-proven" if approvers.keys() else "not-an-approver"
            did = f"{moment.event.actor} lifted the quarantine"
            yield moment.found(kind, f"{did}, but by the policy of {name!r} {problem}")


def _concerned(site: Site, policies: Mapping[str, Any], ledgers: Ledgers) -> set[str]:
    """Return whose policies have to be named: of environments that the ones named know, and that had a success."""
    from f0ci.source.project import load_project
    from f0ci.workflows.reading import read_workflow

    succeeded = {name for name, state in ledgers.environments.items() if next(state.succeeded(), None) is not None}
    known: set[str] = set()
    for commit in {str(bound["commit"]) for bound in policies.values()}:
        try:
            tree = site.repository.tree(commit)
            known |= {one.name for one in read_workflow(tree, load_project(tree).workflow).environments}
        except CannotWork:
            # said where the policy is read
            continue
    return succeeded & known


def _check_policy(moment: Moment, ledgers: Ledgers, name: str, commit: str) -> Iterator[Tampering]:
    """Check that a policy is the one that was in force in an environment when the quarantine was lifted."""
    state = ledgers.environments.get(name) or EnvironmentState(name)
    in_force, is_first = policy_commit(state, "")
    if not is_first and commit != in_force:
        yield moment.found(
            "policy-smuggled", f"the policy in force in {name!r} is that of {in_force[:10]}, not {commit[:10]}"
        )
    if not is_first or moment.default is None or moment.site.repository.commit_of(commit) is None:
        return
    if not moment.site.repository.is_ancestor(commit, moment.default):
        yield moment.found("policy-smuggled", f"the policy's commit {commit[:10]} is not on the default branch")
