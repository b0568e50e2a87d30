"""The policy in force: who may approve and which gates stand, never those of the release being promoted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from f0ci.core.errors import CannotWork, InputError, Refused
from f0ci.promotion.approvers import Approvers, read_approvers
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState
from f0ci.source.project import load_project
from f0ci.workflows.model import GateSpec


@dataclass(frozen=True, slots=True)
class Policy:
    """What judges a promotion.

    Attributes:
        commit: the commit it was read from.
        gates: the environment's gates there.
        approvers: the approvers there.
        blobs: blob id of each file it was read from.
        require: what an upstream success must be.
        queue: which release is next: `manual`, `newest` or `in_order`.
        first: True where the environment never had a success, so that the default branch judges.
    """

    commit: str
    gates: tuple[GateSpec, ...]
    approvers: Approvers
    blobs: Mapping[str, str]
    require: str
    first: bool
    queue: str = "manual"

    def where_it_changes(self, environment: str) -> str:
        """Return where a change of the approvers file has to come so that it counts, for hints."""
        if self.first:
            return "bring that to the default branch"
        return f"bring a release with that into {environment!r}; it counts once it has succeeded there"

    def to_json(self) -> dict[str, Any]:
        """Return what a plan binds and an event records: the commit, the blobs, and what a success has to be."""
        return {"commit": self.commit, "blobs": dict(sorted(self.blobs.items())), "require": self.require}


def policy_commit(state: EnvironmentState, default_commit: str) -> tuple[str, bool]:
    """Return the commit whose policy is in force, and whether it is the default branch's; pure.

    It is the source of the newest release that a promotion (not a rollback, which never rolls policy back) brought to
    success; before the first success it is the default branch.
    """
    for promotion in state.succeeded():
        if promotion.purpose == "promote":
            return str(promotion.plan["source_commit"]), False
    return default_commit, True


def read_policy(site: Site, state: EnvironmentState, environment: str) -> Policy:
    """Return the policy in force for an environment.

    Raises:
        InputError: the policy's files cannot be used.
        GitError: the default branch is needed and there is none.
    """
    commit, first = policy_commit(state, _default_or_empty(site, state))
    return policy_at(site, commit, environment, first=first)


def bound_policy(policy: Policy, known: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a plan binds of a policy; pure.

    Until the first success the default branch judges. A commit there that leaves the policy's files alone changes
    nothing, so the commit that the plan named before stays.

    Args:
        policy: the policy in force.
        known: what the promotion's plan bound before, or None.
    """
    fresh = policy.to_json()
    same = known is not None and {**known, "commit": fresh["commit"]} == fresh
    return dict(known) if policy.first and known is not None and same else fresh


def rollback_policy(site: Site, state: EnvironmentState, environment: str) -> dict[str, Any]:
    """Return what a rollback that needs no approval binds of the policy.

    Where the policy in force cannot be read, what the newest plan bound stands in: nothing keeps an environment from
    going back.

    Raises:
        CannotWork: the policy cannot be read, and there is no plan either.
    """
    try:
        return read_policy(site, state, environment).to_json()
    except CannotWork:
        if state.newest is None:
            raise
        return dict(state.newest.plan["policy"])


def require_usable(policy: Policy, environment: str, place: str) -> None:
    """Check that a release leaves a policy behind that lets the next one pass.

    Args:
        policy: what the release itself says, which judges once it has succeeded.
        environment: where it is to be brought.
        place: the release, for messages.

    Raises:
        InputError: its approval gate asks for more people than its approvers file knows.
    """
    for gate in policy.gates:
        if gate.kind != "approval":
            continue
        groups = tuple(gate.settings.get("groups", ()))
        able = sorted(policy.approvers.members(groups))
        wanted = int(gate.settings.get("count", 1))
        if len(able) < wanted:
            raise InputError(
                f"once this release is in {environment!r}, nobody could approve the next: "
                f"{wanted} of {', '.join(able) or 'nobody'} would have to",
                "add people, their keys and groups to the approvers file, and make a new release",
                place=place,
            )


def policy_at(site: Site, commit: str, environment: str, *, first: bool = False) -> Policy:
    """Return the policy that a commit holds for an environment.

    Raises:
        InputError: the policy's files cannot be used.
    """
    if (commit, environment) not in site.policies:
        site.policies[commit, environment] = _read(site, commit, environment)
    return replace(site.policies[commit, environment], first=first)


def _read(site: Site, commit: str, environment: str) -> Policy:
    from f0ci.workflows.reading import read_workflow

    tree = site.repository.tree(commit)
    project = load_project(tree)
    workflow = read_workflow(tree, project.workflow)
    found = workflow.environment(environment)
    if found is None:
        raise InputError(
            f"the policy in force (commit {commit[:10]}) does not know the environment {environment!r}",
            "bring the workflow that declares it to the default branch first",
            place=project.workflow,
        )
    blobs = {path: tree.entries[path].oid for path in (project.workflow, project.approvers) if path in tree.entries}
    approvers = Approvers()
    if tree.exists(project.approvers):
        approvers = read_approvers(project.approvers, tree.read(project.approvers))
    queue = str(found.settings.get("queue") or "manual")
    return Policy(commit, found.gates, approvers, blobs, found.require, first=False, queue=queue)


def _default_or_empty(site: Site, state: EnvironmentState) -> str:
    if any(promotion.purpose == "promote" for promotion in state.succeeded()):
        return ""
    return site.default_commit()


def require_person(site: Site, policy: Policy, environment: str) -> str:
    """Return the short name of whoever runs this command.

    Raises:
        Refused: the approvers file of the policy in force does not know them.
    """
    identity = str(site.repository.identity())
    who = policy.approvers.person_of(identity)
    if who is None:
        known = ", ".join(map(repr, sorted(policy.approvers.people))) or "nobody"
        raise Refused(
            f"{identity!r} is not in the approvers file of the policy in force",
            f"it lists {known}; add yourself to {site.project.approvers!r} and {policy.where_it_changes(environment)}",
        )
    return who
