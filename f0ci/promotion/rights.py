"""Letting things go on that somebody stopped: who may, and how anybody can tell later that they did.

Everybody may stop: hold, quarantine, abort, go back. Lifting a hold or putting a shorter one in its place, passing one,
resuming a rollout and lifting a quarantine are for people of the approvers file of the policy in force, and signed as
approvals are: a statement about the digest of what it answers (the hold's event, the quarantine's event, the plan).
Where nobody in that file has a key, the address that Git is set to is all there is to go by, as with any commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from f0ci.core.errors import CannotWork, Refused
from f0ci.promotion.approvers import Approvers
from f0ci.promotion.events import Draft, Event
from f0ci.promotion.folding import CHANGES
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.policy import Policy, read_policy, require_person
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion, WorkflowState
from f0ci.promotion.statements import NAMESPACE, Statement, sign_statement, verify_statement

UNSIGNED = "nobody in the approvers file has a key, so this is believed as the author of a commit is"


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody wants to let go on.

    Attributes:
        decision: `unhold`, `shorten`, `pass_hold`, `resume` or `lift`.
        promotion: id of the promotion, or `_environment` or `_workflow`.
        environment: its environment, or `_workflow`.
        about: digest of what it answers.
        reason: in the person's words.
        ledger: tip of the ledger that the person saw, or None.
        expires: when a shortened hold ends, or None.
    """

    decision: str
    promotion: str
    environment: str
    about: str
    reason: str
    ledger: str | None
    expires: datetime | None = None


def prove(site: Site, policy: Policy, environment: str, act: Act) -> dict[str, Any]:
    """Return what an event has to hold so that it is believed: a signed statement, or nothing where nobody has a key.

    Args:
        site: the repository.
        policy: the policy in force.
        environment: whose policy it is.
        act: what the caller does.

    Raises:
        Refused: the caller is not in the approvers file, or signs with another key than theirs there.
        GitError: Git knows no signing key, or signing fails.
    """
    who = require_person(site, policy, environment)
    if not policy.approvers.keys():
        return {}
    now = site.clock.now()
    statement = Statement(
        act.promotion,
        act.about,
        act.environment,
        who,
        act.decision,
        now,
        act.expires,
        act.reason,
        ledger=act.ledger,
    )
    return sign_as(site, policy, environment, statement)


def sign_as(site: Site, policy: Policy, environment: str, statement: Statement) -> dict[str, Any]:
    """Return a statement with the caller's signature, as events hold it.

    Raises:
        Refused: the key is not one of the person that the statement names.
        GitError: Git knows no signing key, or signing fails.
    """
    from f0ci.git.signatures import verify

    data = sign_statement(statement, site.repository)
    signature, who = data["signature"], statement.approver
    keys = policy.approvers.keys()
    signer = verify(statement.payload(), signature["armored"], signature["format"], keys, namespace=NAMESPACE)
    if signer != who:
        raise Refused(
            f"your signing key is not one of {who!r} in the approvers file of the policy in force"
            + (f", but one of {signer!r}" if signer else ""),
            f"add it under people.{who}.keys and {policy.where_it_changes(environment)}: {signature['key']}",
        )
    return data


def unproven(event: Event, approvers: Approvers, about: str, *, expires: datetime | None = None) -> str | None:
    """Return why an event is not what somebody did who may, or None; pure, but for checking the signature.

    Args:
        event: lifts, shortens or passes a hold, resumes a rollout, or lifts a quarantine.
        approvers: those who may.
        about: digest of what it answers.
        expires: when a shortened hold ends.

    Raises:
        GitError: the program that checks signatures is missing.
    """
    if not approvers.keys():
        known = approvers.person_of(event.actor) is not None
        return None if known else f"{event.actor} is not in the approvers file"
    if "statement" not in event.data or "signature" not in event.data:
        return "nobody signed it"
    verified = verify_statement(event, approvers)
    if verified.problem is not None:
        return verified.problem
    if verified.statement.digest != about:
        return "what was signed is about something else"
    if verified.statement.expires != expires:
        return "what was signed ends at another time"
    return None


def unproven_release(site: Site, state: EnvironmentState) -> str | None:
    """Return why an environment counts as held although its hold was lifted or shortened, or None.

    It is asked for until something changes the environment: what came in then was let in by it.

    Raises:
        CannotWork: the policy in force cannot be read.
    """
    released = state.released
    if released is None:
        return None
    newest = next((one for one in reversed(state.promotions) if one.applied), None)
    if newest and any(one.kind in CHANGES and one.position > released.event.position for one in newest.events):
        return None
    policy = read_policy(site, state, state.environment)
    problem = unproven(released.event, policy.approvers, released.about, expires=released.expires)
    if problem is None:
        return None
    did = "lifted" if released.event.kind == "unhold" else "shortened"
    return f"{released.event.actor} {did} the hold, but {problem}"


def unproven_pass(site: Site, state: EnvironmentState, promotion: Promotion) -> str | None:
    """Return why a promotion does not pass the hold that it was asked to pass, or None.

    Raises:
        CannotWork: the policy in force cannot be read.
    """
    if promotion.through_hold is None or not promotion.events:
        return None
    asked = promotion.events[0]
    approvers = read_policy(site, state, state.environment).approvers
    problem = unproven(asked, approvers, str(asked.data["digest"]))
    return f"{asked.actor} asked for {promotion.id} through a hold, but {problem}" if problem else None


def unproven_resume(site: Site, state: EnvironmentState, promotion: Promotion, step: int) -> str | None:
    """Return why a rollout does not go on after a step for which somebody resumed it, or None.

    Raises:
        CannotWork: the policy in force cannot be read.
    """
    found = [
        event
        for event in promotion.events
        if event.kind == "resumed" and event.data["step"] == step and not event.data.get("again")
    ]
    if not found:
        return None
    approvers = read_policy(site, state, state.environment).approvers
    said = [unproven(event, approvers, what_resume_answers(promotion, step)) for event in found]
    return None if None in said else f"{found[-1].actor} resumed {promotion.id}, but {said[-1]}"


def unproven_lift(site: Site, state: EnvironmentState, workflow: WorkflowState, release: str) -> str | None:
    """Return why a release counts as quarantined for an environment although that was lifted, or None.

    Raises:
        CannotWork: the policy in force cannot be read.
    """
    lifted = (workflow.lifted or {}).get(release)
    if lifted is None:
        return None
    problem = unproven(lifted.event, read_policy(site, state, state.environment).approvers, lifted.about)
    return f"{lifted.event.actor} lifted the quarantine of {short(release)}, but {problem}" if problem else None


def quarantine_of(site: Site, state: EnvironmentState, workflow: WorkflowState, release: str) -> str | None:
    """Return why a release counts as quarantined for an environment, or None.

    Where nobody can tell who lifted it, because the policy or the program that checks signatures is missing, it stands.
    """
    try:
        return workflow.quarantine_of(release) or unproven_lift(site, state, workflow, release)
    except CannotWork as error:
        return f"nobody can tell who lifted the quarantine of {short(release)}: {error.message}"


def believed(site: Site, state: EnvironmentState, ledgers: Ledgers) -> Ledgers:
    """Return ledgers as an environment believes them: who may has to have lifted a quarantine, or it stands.

    Going back then goes to another release, and is never stopped.
    """
    workflow = ledgers.workflow
    known = {release: quarantine_of(site, state, workflow, release) for release in workflow.lifted or {}}
    doubted = {release: why for release, why in known.items() if why is not None}
    if not doubted:
        return ledgers
    return replace(ledgers, workflow=replace(workflow, quarantined={**(workflow.quarantined or {}), **doubted}))


def what_resume_answers(promotion: Promotion, step: int) -> str:
    """Return the digest of what resuming a rollout answers: the event that brought the step in; pure."""
    came = (event for event in promotion.events if event.kind == "applied" and event.data["step"] == step)
    return next((event.digest for event in came), "")


def recorded_policy(policy: Policy, state: EnvironmentState) -> tuple[Draft, ...]:
    """Return the event that records the policy by which somebody acted, where it is the default branch's; pure."""
    bound: Mapping[str, Any] = policy.to_json()
    if not policy.first or (state.policy or {}).get("blobs") == bound["blobs"]:
        return ()
    return (Draft("policy", "_environment", bound),)
