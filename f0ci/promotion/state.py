r"""State as a fold of events: nothing is stored that can be computed.

requested -> waiting -> deploying -> verifying -> succeeded
     \________\___________\___________\-> refused, rolled_back, failed, superseded, aborted, expired, errored
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from f0ci.core.clock import parse_time
from f0ci.core.errors import InputError
from f0ci.promotion.events import ENDINGS, Event

# which events may follow which state; "" is a promotion that does not exist yet
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({"requested"}),
    "requested": frozenset(
        {"replanned", "waiting", "approved", "rejected", "evidence", "intent", "applied"} | (ENDINGS - {"succeeded"})
    ),
    "waiting": frozenset(
        {"replanned", "waiting", "approved", "rejected", "evidence", "intent", "applied"} | (ENDINGS - {"succeeded"})
    ),
    "deploying": frozenset({"intent", "applied", "deployed", "rolled_back", "failed", "aborted", "errored"}),
    "verifying": frozenset(
        {
            "intent",
            "applied",
            "measured",
            "waiting",
            "succeeded",
            "rolled_back",
            "failed",
            "aborted",
            "errored",
        }
    ),
    "rolled_back": frozenset({"restored", "failed"}),
}
_NEXT_STATE = {
    "requested": "requested",
    "waiting": "waiting",
    "applied": "deploying",
    "deployed": "verifying",
    "rolled_back": "rolled_back",
}
ENDED = frozenset(ENDINGS | {"rolled_back"})


@dataclass(frozen=True, slots=True)
class Applied:
    """A commit that a promotion made on the environment's branch.

    Attributes:
        step: index of the plan's step, from 0; -1 for a rollback.
        commit: the commit.
        tree: its tree.
        release: digest of the release it brought.
        time: when.
    """

    step: int
    commit: str
    tree: str
    release: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Promotion:
    """One attempt to bring one release into one environment, as its events tell.

    Attributes:
        id: such as `prod-7`.
        environment: its environment.
        purpose: `promote` or `rollback`.
        release: digest of the release.
        state: see the module.
        digest: digest of the plan in force.
        plan: the bound part of the plan in force.
        requested_by: `Name <email>`.
        requested_at: when.
        changed_at: time of the newest event.
        events: all of its events, in order.
        applied: the commits it made, in order.
        deployed: steps whose deploy recipe ended, by index.
        measured: data of `measured` events, in order.
        verification: `measured`, `checked` or `none` once it succeeded, else None.
        reasons: why it is where it is.
        next_check_at: when running it again may help, or None.
        through_hold: reason given for passing a hold, or None.
        intent: data of an `intent` that no `applied` has answered yet, or None.
        restored: True once the rollback's deploy recipe ended well, or there was none.
    """

    id: str
    environment: str
    purpose: str
    release: str
    state: str
    digest: str
    plan: Mapping[str, Any]
    requested_by: str
    requested_at: datetime
    changed_at: datetime
    events: tuple[Event, ...] = ()
    applied: tuple[Applied, ...] = ()
    deployed: Mapping[int, datetime] | None = None
    measured: tuple[Mapping[str, Any], ...] = ()
    verification: str | None = None
    reasons: tuple[str, ...] = ()
    next_check_at: datetime | None = None
    through_hold: str | None = None
    intent: Mapping[str, Any] | None = None
    restored: bool = False

    @property
    def is_active(self) -> bool:
        """Tell whether it has not ended."""
        return self.state not in ENDED

    @property
    def statements(self) -> tuple[Event, ...]:
        """Return the approvals and rejections, in order."""
        return tuple(event for event in self.events if event.kind in {"approved", "rejected"})


@dataclass(frozen=True, slots=True)
class Hold:
    """Automation suspended for an environment.

    Attributes:
        owner: who set it.
        reason: why.
        since: when.
        promotion: the promotion that caused it, or None.
    """

    owner: str
    reason: str
    since: datetime
    promotion: str | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """What a ledger says of its environment.

    Attributes:
        environment: its name.
        tip: the ledger's commit that was read, or None where there is no ledger yet.
        promotions: oldest first.
        hold: the hold in force, or None.
        policy: data of the newest `policy` event, or None.
        events: all events in order.
    """

    environment: str
    tip: str | None = None
    promotions: tuple[Promotion, ...] = ()
    hold: Hold | None = None
    policy: Mapping[str, Any] | None = None
    events: tuple[Event, ...] = ()

    @property
    def active(self) -> Promotion | None:
        """Return the promotion that has not ended, or None."""
        return next((promotion for promotion in reversed(self.promotions) if promotion.is_active), None)

    @property
    def newest(self) -> Promotion | None:
        """Return the newest promotion that reached the environment or ended, or None."""
        return self.promotions[-1] if self.promotions else None

    @property
    def current(self) -> Applied | None:
        """Return the newest change of the environment's branch, or None."""
        order = {
            event.data["commit"]: event.position for event in self.events if event.kind in {"applied", "rolled_back"}
        }
        changes = [change for promotion in self.promotions for change in promotion.applied]
        return max(changes, key=lambda change: order[change.commit], default=None)

    def find(self, promotion: str) -> Promotion | None:
        """Return the promotion of that id, or None."""
        return next((found for found in self.promotions if found.id == promotion), None)

    def succeeded(self, require: str = "none") -> tuple[Promotion, ...]:
        """Return the successes whose verification is at least of a kind, newest first.

        Args:
            require: `none`, `checked` or `measured`.
        """
        order = ("none", "checked", "measured")
        return tuple(
            promotion
            for promotion in reversed(self.promotions)
            if promotion.state == "succeeded" and order.index(promotion.verification or "none") >= order.index(require)
        )


@dataclass(frozen=True, slots=True)
class WorkflowState:
    """What concerns all environments.

    Attributes:
        tip: the ledger's commit that was read, or None.
        quarantined: reason by release digest.
        events: all events in order.
    """

    tip: str | None = None
    quarantined: Mapping[str, str] | None = None
    events: tuple[Event, ...] = ()

    def quarantine_of(self, release: str) -> str | None:
        """Return why a release must not be promoted anywhere, or None."""
        return (self.quarantined or {}).get(release)


class IllegalEvent(InputError):
    """An event that the state machine does not allow where it stands."""


def fold_environment(environment: str, events: Iterable[Event], tip: str | None) -> EnvironmentState:
    """Return what the events of an environment's ledger, in order of position, amount to.

    Raises:
        IllegalEvent: an event is not allowed where it stands.
    """
    ordered = tuple(events)
    promotions: dict[str, Promotion] = {}
    hold: Hold | None = None
    policy: Mapping[str, Any] | None = None
    for event in ordered:
        if event.kind == "policy":
            policy = event.data
        elif event.kind == "hold":
            hold = Hold(event.actor, str(event.data["reason"]), event.time, event.data.get("promotion"))
        elif event.kind == "unhold":
            hold = None
        elif event.kind != "repair":
            promotions[event.promotion] = advance(promotions.get(event.promotion), event)
    return EnvironmentState(environment, tip, tuple(promotions.values()), hold, policy, ordered)


def fold_workflow(events: Iterable[Event], tip: str | None) -> WorkflowState:
    """Return what the events of the workflow's ledger, in order of position, amount to."""
    quarantined: dict[str, str] = {}
    ordered = tuple(events)
    for event in ordered:
        if event.kind == "quarantine":
            quarantined[str(event.data["release"])] = str(event.data["reason"])
        elif event.kind == "unquarantine":
            quarantined.pop(str(event.data["release"]), None)
    return WorkflowState(tip, quarantined, ordered)


def advance(promotion: Promotion | None, event: Event) -> Promotion:
    """Return a promotion after one more event.

    Raises:
        IllegalEvent: the event is not allowed in the promotion's state.
    """
    state = promotion.state if promotion else ""
    if event.kind not in TRANSITIONS.get(state, frozenset()):
        raise IllegalEvent(
            f"{event.kind!r} cannot follow {state or 'nothing'!r}",
            "run `f0ci audit verify` to see what was changed",
            place=event.path,
        )
    if promotion is None:
        return _begin(event)
    if event.sequence != promotion.events[-1].sequence + 1:
        raise IllegalEvent(
            f"event {event.sequence} follows event {promotion.events[-1].sequence} of {promotion.id!r}",
            "run `f0ci audit verify` to see what was changed",
            place=event.path,
        )
    data = event.data
    moved = replace(
        promotion,
        state=event.kind if event.kind in ENDED else _next_state(promotion, event),
        changed_at=event.time,
        events=(*promotion.events, event),
        reasons=tuple(data.get("reasons", ())) or ((str(data["reason"]),) if "reason" in data else ()),
        next_check_at=parse_time(data["next_check_at"]) if data.get("next_check_at") else None,
    )
    if event.kind == "replanned":
        return replace(moved, digest=str(data["digest"]), plan=data["plan"], state="requested", intent=None)
    if event.kind == "intent":
        return replace(moved, intent=data)
    if event.kind == "applied":
        change = Applied(int(data["step"]), str(data["commit"]), str(data["tree"]), promotion.release, event.time)
        return replace(moved, applied=(*promotion.applied, change), intent=None)
    if event.kind == "rolled_back":
        change = Applied(-1, str(data["commit"]), str(data["tree"]), str(data["to"]), event.time)
        return replace(moved, applied=(*promotion.applied, change), intent=None)
    if event.kind == "restored":
        return replace(moved, state="rolled_back", restored=True, reasons=promotion.reasons)
    if event.kind == "deployed":
        return replace(moved, deployed={**(promotion.deployed or {}), int(data["step"]): event.time})
    if event.kind == "measured":
        return replace(moved, measured=(*promotion.measured, data))
    if event.kind == "succeeded":
        return replace(moved, verification=str(data["verification"]))
    return moved


def _next_state(promotion: Promotion, event: Event) -> str:
    # waiting for measurements is still verifying; only before the first change is waiting a state of its own
    if event.kind == "waiting" and promotion.applied:
        return promotion.state
    return _NEXT_STATE.get(event.kind, promotion.state)


def _begin(event: Event) -> Promotion:
    return Promotion(
        id=event.promotion,
        environment=event.environment,
        purpose=str(event.data["purpose"]),
        release=str(event.data["release"]),
        state="requested",
        digest=str(event.data["digest"]),
        plan=event.data["plan"],
        requested_by=event.actor,
        requested_at=event.time,
        changed_at=event.time,
        events=(event,),
        deployed={},
        through_hold=event.data.get("through_hold"),
    )
