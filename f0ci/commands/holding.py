"""Holds and quarantine, as functions for people who embed f0ci."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from f0ci.core.clock import Clock, SystemClock, format_time
from f0ci.core.errors import Refused
from f0ci.promotion.events import ENVIRONMENT_EVENTS, WORKFLOW_EVENTS, Draft
from f0ci.promotion.folding import what_unhold_answers
from f0ci.promotion.ledger import Change, Ledgers
from f0ci.promotion.policy import Policy, read_policy
from f0ci.promotion.releases import Release, require_release
from f0ci.promotion.rights import Act, prove, recorded_policy, unproven_release
from f0ci.promotion.site import Site, open_site
from f0ci.promotion.state import is_shortened


@dataclass(frozen=True, slots=True)
class Told:
    """What was recorded of a hold or a quarantine.

    Attributes:
        what: the environment's name, or the release's digest.
        stands: True where it is held or quarantined from now on.
        reason: as given.
        by: `Name <email>` of whoever recorded it.
        signed: True or False for what only approvers may do, None for what everybody may.
        expires: when the hold ends by itself, or None.
    """

    what: str
    stands: bool
    reason: str
    by: str
    signed: bool | None = None
    expires: datetime | None = None


def hold_environment(
    root: Path, environment: str, reason: str, *, lasts: timedelta | None = None, clock: Clock | None = None
) -> Told:
    """Suspend promotions into an environment.

    Args:
        root: the work tree.
        environment: any name of it.
        reason: why, for the record.
        lasts: after how long it ends by itself; never when None.
        clock: the time; the machine's by default.

    Raises:
        Refused: it would end sooner than the hold that stands, and the caller is not in the approvers file.
        GitError: it would, and Git knows no signing key.
    """
    site = open_site(root, clock or SystemClock())
    name = site.environment(environment).name
    expires = site.clock.now().replace(microsecond=0) + lasts if lasts is not None else None
    signed: list[bool | None] = []

    def decide(ledgers: Ledgers) -> Change:
        state = ledgers.environments[name]
        data: dict[str, Any] = {"reason": reason, "promotion": None}
        if expires is not None:
            data["expires"] = format_time(expires)
        before: tuple[Draft, ...] = ()
        signed.clear()
        if state.hold is not None and is_shortened(state.hold, expires, site.clock.now()):
            # whoever may not lift a hold may not put a shorter one in its place either
            policy = read_policy(site, state, name)
            act = Act("shorten", ENVIRONMENT_EVENTS, name, state.hold.digest, reason, state.tip, expires)
            proof = prove(site, policy, name, act)
            signed.append(bool(proof))
            data |= proof
            before = recorded_policy(policy, state)
        return Change(name, (*before, Draft("hold", ENVIRONMENT_EVENTS, data)))

    site.store.transact(decide)
    return Told(name, True, reason, _identity(site), signed[0] if signed else None, expires)


def unhold_environment(root: Path, environment: str, reason: str, *, clock: Clock | None = None) -> Told:
    """Let promotions into an environment go on.

    Raises:
        Refused: the environment is not held, or the caller is not in the approvers file.
        GitError: approvers have keys, and Git knows no signing key.
    """
    site = open_site(root, clock or SystemClock())
    name = site.environment(environment).name
    signed: list[bool] = []

    def decide(ledgers: Ledgers) -> Change:
        state = ledgers.environments[name]
        if state.hold is None and unproven_release(site, state) is None:
            raise Refused(f"{name!r} is not held", f"`f0ci why {name}` says what keeps releases out")
        policy = read_policy(site, state, name)
        about = what_unhold_answers(state.hold, state.released)
        proof = prove(site, policy, name, Act("unhold", ENVIRONMENT_EVENTS, name, about, reason, state.tip))
        signed[:] = [bool(proof)]
        draft = Draft("unhold", ENVIRONMENT_EVENTS, {"reason": reason, **proof})
        return Change(name, (*recorded_policy(policy, state), draft))

    site.store.transact(decide)
    return Told(name, False, reason, _identity(site), signed[0])


def quarantine_release(
    root: Path, release: str, reason: str, *, lift: bool = False, clock: Clock | None = None
) -> Told:
    """Keep a release out of every environment, or let it in again.

    Raises:
        UsageError: no such release.
        Refused: it is (not) quarantined already, or the caller may not lift it.
        GitError: it is lifted, approvers have keys, and Git knows no signing key.
    """
    site = open_site(root, clock or SystemClock())
    found = require_release(site.releases(), release)
    signed: list[bool] = []

    def decide(ledgers: Ledgers) -> Change:
        stands = ledgers.workflow.quarantine_of(found.digest)
        if lift and stands is None:
            raise Refused(f"release {found.id} is not quarantined", "`f0ci history` tells which releases are")
        if not lift and stands is not None:
            hint = f"`f0ci quarantine {found.id} --lift --reason REASON` lets it in again"
            raise Refused(f"release {found.id} is quarantined already: {stands}", hint)
        data: dict[str, Any] = {"release": found.digest, "reason": reason, "ledgers": ledgers.tips()}
        if lift:
            more = _lift(site, ledgers, found, reason)
            signed[:] = ["signature" in more]
            data |= more
        draft = Draft("unquarantine" if lift else "quarantine", WORKFLOW_EVENTS, data)
        return Change(WORKFLOW_EVENTS, workflow=(draft,))

    site.store.transact(decide)
    return Told(found.digest, not lift, reason, _identity(site), signed[0] if lift else None)


def _lift(site: Site, ledgers: Ledgers, release: Release, reason: str) -> dict[str, Any]:
    """Return what the lifting of a quarantine says of who did it, and by which policies they may.

    It lets the release into every environment, so nobody may who could only approve for one.
    """
    policies: dict[str, Policy] = {
        environment.name: read_policy(site, ledgers.environments[environment.name], environment.name)
        for environment in site.workflow.environments
    }
    stopped = next(
        event
        for event in reversed(ledgers.workflow.events)
        if event.kind == "quarantine" and event.data["release"] == release.digest
    )
    act = Act("lift", WORKFLOW_EVENTS, WORKFLOW_EVENTS, stopped.digest, reason, ledgers.workflow.tip)
    proofs = [prove(site, policy, name, act) for name, policy in policies.items()]
    return {
        **next((proof for proof in proofs if proof), {}),
        "policies": {name: policy.to_json() for name, policy in policies.items()},
    }


def _identity(site: Site) -> str:
    return str(site.repository.identity())
