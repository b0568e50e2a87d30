"""Holds and quarantine, as functions for people who embed f0ci."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from f0ci.core.clock import Clock, SystemClock, format_time
from f0ci.core.errors import Refused
from f0ci.promotion.events import WORKFLOW_EVENTS, Draft
from f0ci.promotion.ledger import Change, Ledgers
from f0ci.promotion.policy import read_policy, require_person
from f0ci.promotion.releases import Release, require_release
from f0ci.promotion.site import open_site
from f0ci.promotion.state import is_shortened


def hold_environment(
    root: Path, environment: str, reason: str, *, lasts: timedelta | None = None, clock: Clock | None = None
) -> str:
    """Suspend promotions into an environment and return its name.

    Args:
        root: the work tree.
        environment: any name of it.
        reason: why, for the record.
        lasts: after how long it ends by itself; never when None.
        clock: the time; the machine's by default.

    Raises:
        Refused: it would end sooner than the hold that stands, and the caller is not in the approvers file.
    """
    site = open_site(root, clock or SystemClock())
    name = site.environment(environment).name
    expires = site.clock.now() + lasts if lasts is not None else None
    data: dict[str, Any] = {"reason": reason, "promotion": None}
    if expires is not None:
        data["expires"] = format_time(expires)

    def decide(ledgers: Ledgers) -> Change:
        state = ledgers.environments[name]
        if is_shortened(state.hold, expires, site.clock.now()):
            # whoever may not lift a hold may not put a shorter one in its place either
            require_person(site, read_policy(site, state, name), name)
        return Change(name, (Draft("hold", "_environment", data),))

    site.store.transact(decide)
    return name


def unhold_environment(root: Path, environment: str, reason: str, *, clock: Clock | None = None) -> str:
    """Let promotions into an environment go on and return its name.

    Raises:
        Refused: the environment is not held, or the caller is not in the approvers file.
    """
    site = open_site(root, clock or SystemClock())
    name = site.environment(environment).name

    def decide(ledgers: Ledgers) -> Change:
        state = ledgers.environments[name]
        if state.hold is None:
            raise Refused(f"{name!r} is not held", None)
        require_person(site, read_policy(site, state, name), name)
        return Change(name, (Draft("unhold", "_environment", {"reason": reason}),))

    site.store.transact(decide)
    return name


def quarantine_release(
    root: Path, release: str, reason: str, *, lift: bool = False, clock: Clock | None = None
) -> Release:
    """Keep a release out of every environment, or let it in again.

    Raises:
        UsageError: no such release.
        Refused: it is (not) quarantined already, or the caller may not lift it.
    """
    site = open_site(root, clock or SystemClock())
    found = require_release(site.releases(), release)
    names = [environment.name for environment in site.workflow.environments]

    def decide(ledgers: Ledgers) -> Change:
        stands = ledgers.workflow.quarantine_of(found.digest)
        if lift and stands is None:
            raise Refused(f"release {found.id} is not quarantined", None)
        if not lift and stands is not None:
            raise Refused(f"release {found.id} is quarantined already: {stands}", None)
        if lift:
            # it lets the release into every environment, so nobody may who could only approve for one
            for name in names:
                require_person(site, read_policy(site, ledgers.environments[name], name), name)
        kind = "unquarantine" if lift else "quarantine"
        draft = Draft(kind, WORKFLOW_EVENTS, {"release": found.digest, "reason": reason})
        return Change(WORKFLOW_EVENTS, workflow=(draft,))

    site.store.transact(decide)
    return found
