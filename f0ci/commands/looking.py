"""What environments run, and what was promoted, as functions for people who embed f0ci."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from f0ci.core.clock import Clock, SystemClock, format_time
from f0ci.core.errors import CannotWork
from f0ci.promotion.chronicle import ACTS, Happening, newest_first, of_event
from f0ci.promotion.drift.base import Sync
from f0ci.promotion.drifting import observe_branch
from f0ci.promotion.events import Event
from f0ci.promotion.going_on import Way, ways_on
from f0ci.promotion.report import PromotionReport, current_reasons, report_on
from f0ci.promotion.site import Site, open_site
from f0ci.promotion.state import EnvironmentState, Promotion


@dataclass(frozen=True, slots=True)
class EnvironmentStatus:
    """What one environment runs and waits for."""

    environment: str
    release: str | None
    since: str | None
    newest: PromotionReport | None
    hold: str | None
    quarantined: str | None
    drifted: bool
    ways: tuple[Way, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the status as data."""
        return {
            "environment": self.environment,
            "release": self.release,
            "since": self.since,
            "promotion": self.newest.to_json() if self.newest else None,
            "hold": self.hold,
            "quarantined": self.quarantined,
            "drifted": self.drifted,
            "next": [way.to_json() for way in self.ways],
        }


def environment_statuses(
    root: Path, environment: str | None = None, *, fetch: bool = True, clock: Clock | None = None
) -> tuple[EnvironmentStatus, ...]:
    """Return what environments run and wait for, in the workflow's order."""
    from f0ci.promotion.rights import quarantine_of

    site = open_site(root, clock or SystemClock(), fetch=fetch)
    wanted = site.recorded_environment(environment) if environment else None
    ledgers = site.store.read()
    statuses = []
    for name, state in ledgers.environments.items():
        if wanted not in {None, name}:
            continue
        current = state.current
        statuses.append(
            EnvironmentStatus(
                name,
                current.release if current else None,
                format_time(current.time) if current else None,
                replace(report_on(state.newest), reasons=current_reasons(state.newest)) if state.newest else None,
                _hold_words(site, state),
                quarantine_of(site, state, ledgers.workflow, current.release) if current else None,
                observe_branch(site, ledgers, name).sync is Sync.DRIFTED,
                ways_on(ledgers, name, site.clock.now()),
            )
        )
    return tuple(statuses)


def _hold_words(site: Site, state: EnvironmentState) -> str | None:
    """Return what people read of a hold, or of the lifting of one that proves nothing; None where neither stands."""
    hold = state.hold
    if hold is None or not hold.is_in_force(site.clock.now()):
        return _doubt(site, state) if state.released is not None else None
    return f"{hold.reason} (by {hold.owner}" + (f", until {format_time(hold.expires)})" if hold.expires else ")")


def _doubt(site: Site, state: EnvironmentState) -> str | None:
    from f0ci.promotion.rights import unproven_release

    try:
        return unproven_release(site, state)
    except CannotWork:
        # whoever promotes is told; who only looks sees the rest
        return None


@dataclass(frozen=True, slots=True)
class History:
    """What happened.

    Attributes:
        promotions: newest first.
        events: what else happened, or all that did, newest first.
    """

    promotions: tuple[Promotion, ...]
    events: tuple[Happening, ...]


def history_of(
    root: Path,
    environment: str | None = None,
    *,
    limit: int = 20,
    every: bool = False,
    fetch: bool = True,
    clock: Clock | None = None,
) -> History:
    """Return the newest promotions, and the newest of what else people did: approvals, holds, quarantines, repairs.

    Args:
        root: the work tree.
        environment: any name of the only environment that is meant; what concerns all of them is told as well.
        limit: at most so many promotions, and so many events.
        every: return every event, also those of which a promotion is made.
        fetch: ask the remote first.
        clock: the time; the machine's by default.

    Raises:
        InputError: a ledger holds something that is not an event.
    """
    site = open_site(root, clock or SystemClock(), fetch=fetch)
    wanted = site.recorded_environment(environment) if environment else None
    ledgers = site.store.read()
    states = [state for name, state in ledgers.environments.items() if wanted in {None, name}]
    found = [promotion for state in states for promotion in state.promotions]
    found.sort(key=lambda one: (one.changed_at, one.requested_at, one.id), reverse=True)
    # whatever is among the newest events is of one of the promotions that changed last
    promotions = tuple(found[:limit])
    events: list[tuple[Event, Promotion | None]] = [
        (event, promotion) for promotion in promotions for event in promotion.events
    ]
    for state in states:
        standing = site.store.standing_events(state.tip, site.names.ledger(state.environment))
        events += [(event, None) for event in standing]
    events += [(event, None) for event in ledgers.workflow.events]
    happened = (of_event(event, promotion) for event, promotion in events if every or event.kind in ACTS)
    return History(promotions, newest_first(happened, limit))
