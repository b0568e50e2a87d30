"""Checking plans: that they are whole, and that the policy which judges them is the one that was in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from f0ci.core.canonical import digest
from f0ci.core.errors import CannotWork, F0ciError
from f0ci.promotion.audit.findings import Tampering
from f0ci.promotion.audit.timelines import Timeline
from f0ci.promotion.events import WORKFLOW_EVENTS, Event
from f0ci.promotion.folding import fold_environment, fold_workflow
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.policy import Policy, policy_at, policy_commit
from f0ci.promotion.releases import content_digest, release_paths
from f0ci.promotion.rights import believed
from f0ci.promotion.rollback_plan import choose_target, release_to_leave
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion, WorkflowState
from f0ci.source.project import load_project


@dataclass(frozen=True, slots=True)
class Whole:
    """What an audit knows of the whole repository.

    Attributes:
        releases: digest and source commit of every release that a tag records.
        timelines: what each environment's ledger said at each of its commits, where that ledger is sound.
        workflow: what the workflow's ledger said at commits, once it was asked for.
    """

    releases: frozenset[tuple[str, str]]
    timelines: Mapping[str, Timeline]
    workflow: dict[str, WorkflowState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """An event with what its ledger said before it.

    Attributes:
        site: the repository.
        ref: the ledger.
        default: tip of the default branch, or None where nobody asked for it.
        whole: what is the same for all events.
        before: the environment before the event.
        promotion: the event's promotion before the event, or None.
        event: the event.
        by: the earliest time of any event that was written after it, or None where none was.
    """

    site: Site
    ref: str
    default: str | None
    whole: Whole
    before: EnvironmentState
    promotion: Promotion | None
    event: Event
    by: datetime | None = None

    def found(self, kind: str, message: str) -> Tampering:
        """Return a finding about the event."""
        return Tampering(kind, f"{self.ref}:{self.event.path}", message)


def policy_of(moment: Moment, plan: Mapping[str, Any]) -> Policy:
    """Return the policy that a plan names.

    Raises:
        CannotWork: it cannot be read.
    """
    return policy_at(moment.site, str(plan["policy"]["commit"]), moment.before.environment)


def quoted_ledgers(moment: Moment) -> Ledgers | None:
    """Return what a decision read of every ledger, or None where a quoted tip is not to be had.

    Of its own ledger that is what stood before the event.
    """
    site, quotes = moment.site, moment.event.data.get("ledgers") or {}
    environments: dict[str, EnvironmentState] = {}
    workflow = WorkflowState()
    try:
        for name, tip in quotes.items():
            if tip is None:
                environments |= {} if name == WORKFLOW_EVENTS else {name: EnvironmentState(name)}
            elif name == WORKFLOW_EVENTS:
                if tip not in moment.whole.workflow:
                    moment.whole.workflow[tip] = fold_workflow(site.store.events_at(tip), tip)
                workflow = moment.whole.workflow[tip]
            else:
                line = moment.whole.timelines.get(name)
                then = line.at_commit(tip) if line else None
                environments[name] = then or fold_environment(name, site.store.events_at(tip), tip)
    except F0ciError:
        return None
    environments[moment.before.environment] = moment.before
    return Ledgers(environments, workflow, {})


def check_plan(moment: Moment) -> Iterator[Tampering]:
    """Check the plan of a `requested` or `replanned` event."""
    data, event = moment.event.data, moment.event
    plan: Mapping[str, Any] = data["plan"]
    if digest(plan) != data["digest"]:
        yield moment.found("plan-edited", "the plan does not have the digest that is recorded")
    asked = data if event.kind == "requested" else moment.promotion
    said = {"promotion": event.promotion, "environment": event.environment}
    if isinstance(asked, Mapping):
        said |= {"release": asked["release"], "purpose": asked["purpose"]}
    elif asked is not None:
        said |= {"release": asked.release, "purpose": asked.purpose}
    for key, value in said.items():
        if plan[key] != value:
            yield moment.found(
                "plan-edited", f"the plan's {key} is {str(plan[key])[:12]!r}, the event's {value[:12]!r}"
            )
    yield from _check_source(moment, plan)
    yield from _check_policy(moment, plan)
    if plan["purpose"] == "rollback":
        yield from _check_rollback(moment, plan)


def _check_source(moment: Moment, plan: Mapping[str, Any]) -> Iterator[Tampering]:
    """Check that the source commit of a plan holds the release."""
    site, commit = moment.site, str(plan["source_commit"])
    if (plan["release"], commit) in moment.whole.releases:
        # the tag's content is looked at with the releases
        return
    if site.repository.commit_of(commit) is None:
        yield moment.found("release-missing", f"the source {commit[:10]} of the release is in no branch and no tag")
        return
    try:
        tree = site.repository.tree(commit)
        content = content_digest(tree, release_paths(tree, load_project(tree)))
    except CannotWork as error:
        yield moment.found("release-forged", error.message)
        return
    if content != plan["release"]:
        yield moment.found("release-forged", f"the source {commit[:10]} does not hold the release")


def _check_policy(moment: Moment, plan: Mapping[str, Any]) -> Iterator[Tampering]:
    """Check that the policy of a plan is the one in force, and that its gates stand in the plan."""
    bound = plan["policy"]
    in_force, is_first = policy_commit(moment.before, "")
    if not is_first and bound["commit"] != in_force:
        yield moment.found(
            "policy-smuggled",
            f"the policy in force is that of {in_force[:10]}, the plan names {bound['commit'][:10]}",
        )
    if is_first:
        yield from _check_first_policy(moment, bound)
    try:
        policy = policy_of(moment, plan)
    except CannotWork as error:
        yield moment.found("policy-missing", f"the policy it was judged by cannot be read: {error.message}")
        return
    fresh = policy.to_json()
    for path in sorted({*fresh["blobs"], *bound["blobs"]}):
        if fresh["blobs"].get(path) != bound["blobs"].get(path):
            yield moment.found("policy-smuggled", f"the plan names a {path} that its policy commit does not hold")
    if bound.get("require", "none") != fresh["require"]:
        yield moment.found("policy-smuggled", f"the plan says require {bound.get('require')!r}, its policy does not")
    gates = [{"kind": gate.kind, "settings": dict(gate.settings)} for gate in policy.gates]
    if plan["purpose"] == "promote" and plan["gates"] != gates:
        yield moment.found("policy-smuggled", "the plan's gates are not those of its policy")
    approvals = [gate for gate in gates if gate["kind"] == "approval"]
    if plan["purpose"] == "rollback" and plan["gates"] not in ([], approvals):
        yield moment.found("policy-smuggled", "the plan's gates are not the approvals of its policy")


def _check_first_policy(moment: Moment, bound: Mapping[str, Any]) -> Iterator[Tampering]:
    """Check that the policy of an environment without a success is the default branch's, and on record."""
    site, commit = moment.site, str(bound["commit"])
    recorded = moment.before.policy
    if recorded is None or recorded["blobs"] != bound["blobs"]:
        yield moment.found("policy-smuggled", "no event records the policy that the plan names")
    if moment.default is None or site.repository.commit_of(commit) is None:
        return
    if not site.repository.is_ancestor(commit, moment.default):
        yield moment.found("policy-smuggled", f"the policy's commit {commit[:10]} is not on the default branch")


def _check_rollback(moment: Moment, plan: Mapping[str, Any]) -> Iterator[Tampering]:
    """Check that a rollback goes to a tree that was verified, and asks for approval where it has to."""
    state = moment.before
    verified = {
        promotion.applied[-1].tree
        for promotion in state.succeeded()
        if promotion.release == plan["release"] and promotion.applied
    }
    if [step["tree"] for step in plan["steps"]] not in ([tree] for tree in verified):
        yield moment.found("tree-not-verified", "it goes back to a tree that never succeeded here")
    ledgers = quoted_ledgers(moment)
    if plan["gates"] or ledgers is None or moment.event.kind != "requested":
        return
    try:
        policy = policy_of(moment, plan)
        needed = any(gate.kind == "approval" for gate in policy.gates)
        leave, require = release_to_leave(state), policy.require
        trusted = believed(moment.site, state, ledgers)
        _, is_default = choose_target(state, trusted, leave, require, str(plan["release"]))
    except F0ciError:
        return
    if needed and not is_default:
        yield moment.found(
            "policy-smuggled", "it goes back to another release than the last good one, without the approvals"
        )
