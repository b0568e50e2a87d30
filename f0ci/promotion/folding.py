r"""State as a fold of events: nothing is stored that can be computed.

requested -> waiting -> deploying -> verifying -> succeeded
     \________\___________\___________\-> refused, rolled_back, failed, superseded, aborted, expired, errored
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from f0ci.core.clock import parse_time
from f0ci.core.counting import counted
from f0ci.core.errors import InputError
from f0ci.promotion.events import ENDINGS, SIGNED_KINDS, STANDING, WORKFLOW_EVENTS, Event, misplaced
from f0ci.promotion.on_demand import Grown
from f0ci.promotion.state import (
    ENDED,
    Answered,
    Applied,
    EnvironmentState,
    Hold,
    Promotion,
    WorkflowState,
    is_shortened,
)

T = TypeVar("T")
_BEFORE_THE_CHANGE = frozenset(
    {"replanned", "waiting", "evidence", "intent", "applied"} | SIGNED_KINDS | (ENDINGS - {"succeeded"})
)
# these are told to a promotion; why it waits stays as it was
_TOLD = frozenset({"evidence", "intent"} | SIGNED_KINDS)
# which events may follow which state; "" is a promotion that does not exist yet
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({"requested"}),
    "requested": _BEFORE_THE_CHANGE,
    "waiting": _BEFORE_THE_CHANGE,
    "deploying": frozenset({"intent", "waiting", "deployed", "rolled_back", "failed", "aborted", "errored"}),
    "verifying": frozenset(
        {
            "intent",
            "waiting",
            "resumed",
            "applied",
            "measured",
            "succeeded",
            "rolled_back",
            "failed",
            "aborted",
            "errored",
        }
    ),
    "rolled_back": frozenset({"restored", "failed"}),
}
# kinds that bring a promotion's commit onto the environment's branch
CHANGES = frozenset({"applied", "rolled_back"})
_NEXT_STATE = {"requested": "requested", "applied": "deploying", "deployed": "verifying", "rolled_back": "rolled_back"}


class IllegalEvent(InputError):
    """An event that cannot stand where it stands."""

    def __init__(self, message: str, *, place: str) -> None:
        super().__init__(message, "run `f0ci audit verify` to see what was changed", place=place)


def fold_environment(
    environment: str, events: Iterable[Event], tip: str | None, *, ledger: str = ""
) -> EnvironmentState:
    """Return what the events of an environment's ledger, in order of position, amount to.

    Args:
        environment: its name.
        events: what its ledger holds.
        tip: the ledger's commit they were read from.
        ledger: ref of the ledger, for messages.

    Raises:
        IllegalEvent: an event cannot stand where it stands.
    """
    return fold_on(EnvironmentState(environment), events, tip, ledger=ledger)


def fold_on(state: EnvironmentState, events: Iterable[Event], tip: str | None, *, ledger: str = "") -> EnvironmentState:
    """Return what a state and the events after it, in order of position, amount to; what did not change is not read.

    Args:
        state: what the events before amount to.
        events: those after it.
        tip: the ledger's commit they were read from.
        ledger: ref of the ledger, for messages.

    Raises:
        IllegalEvent: an event cannot stand where it stands.
    """
    hold, policy, standing, repaired = state.hold, state.policy, state.standing, state.repaired
    released = state.released
    step = state.current.step if state.current else 0
    changed: dict[int, Promotion] = {}
    places: dict[str, int] = {}
    newest, size, before = state.newest, len(state.promotions), len(state.events)
    added = tuple(events)
    for position, event in enumerate(added, start=before):
        check_place(state.environment, event, position, ledger)
        if event.kind in STANDING:
            standing += 1
            if event.sequence != standing:
                raise _out_of_turn(event, standing, ledger)
            released = release_of(event, hold, released) or released
            hold = hold_of(event) if event.kind == "hold" else None if event.kind == "unhold" else hold
            policy = event.data if event.kind == "policy" else policy
            repaired = repair_of(event, step) or repaired
            continue
        if event.promotion not in places:
            known = state.place_of(event.promotion)
            places[event.promotion] = size if known is None else known
        place = places[event.promotion]
        promotion = changed.get(place) or (state.promotions[place] if place < len(state.promotions) else None)
        due = len(promotion.events) + 1 if promotion else 1
        if event.sequence != due:
            raise _out_of_turn(event, due, ledger)
        if promotion is None:
            check_turn(event, newest, size, ledger)
        changed[place] = advance(promotion, event, ledger)
        if event.kind in CHANGES:
            step, repaired = changed[place].applied[-1].step, None
        size = max(size, place + 1)
        newest = changed[place] if place == size - 1 else newest
    return EnvironmentState(
        state.environment,
        tip,
        _grown(state.promotions, changed),
        hold,
        policy,
        _grown(state.events, dict(enumerate(added, start=before))),
        standing,
        repaired,
        released,
    )


def repair_of(event: Event, step: int) -> Applied | None:
    """Return the commit with which an event repaired the environment's branch, or None where it did not."""
    data = event.data
    if event.kind != "repair" or "parents" not in data:
        return None
    return Applied(step, data["commit"], data["tree"], data["release"], event.time)


def check_turn(event: Event, newest: Promotion | None, size: int, ledger: str = "") -> None:
    """Check that a promotion begins when the one before has ended, with the next number.

    Args:
        event: what asks for it.
        newest: the newest promotion before it, or None.
        size: how many there are.
        ledger: ref of the ledger, for messages.

    Raises:
        IllegalEvent: it does not.
    """
    if newest is not None and newest.is_active:
        raise IllegalEvent(f"{newest.id!r} has not ended yet; one at a time", place=_place(ledger, event))
    if event.promotion != f"{event.environment}-{size + 1}":
        raise IllegalEvent(f"{event.promotion!r} is not number {size + 1}", place=_place(ledger, event))


def _grown(base: Sequence[T], changed: dict[int, T]) -> Sequence[T]:
    if not base:
        return tuple(changed[place] for place in sorted(changed))
    return Grown(base, changed) if changed else base


def release_of(event: Event, hold: Hold | None, released: Answered | None) -> Answered | None:
    """Return what an event lets go on that a hold stops, or None where it does not; pure.

    Args:
        event: the event.
        hold: the hold that stood before it, or None.
        released: what lifted or shortened a hold last before it, or None.
    """
    if event.kind == "unhold":
        return Answered(event, what_unhold_answers(hold, released))
    if event.kind != "hold":
        return None
    expires = hold_of(event).expires
    return Answered(event, hold.digest, expires) if hold and is_shortened(hold, expires, event.time) else None


def what_unhold_answers(hold: Hold | None, released: Answered | None) -> str:
    """Return the digest of what lifting a hold answers: the hold, else the lifting of it that nobody proved; pure."""
    if hold is not None:
        return hold.digest
    return released.event.digest if released is not None else ""


def hold_of(event: Event) -> Hold:
    """Return the hold that an event sets."""
    expires = event.data.get("expires")
    return Hold(
        event.actor,
        str(event.data["reason"]),
        event.time,
        event.data.get("promotion"),
        event.position,
        parse_time(str(expires)) if expires else None,
        event.digest,
    )


def fold_workflow(events: Iterable[Event], tip: str | None, *, ledger: str = "") -> WorkflowState:
    """Return what the events of the workflow's ledger, in order of position, amount to.

    Raises:
        IllegalEvent: an event cannot stand where it stands.
    """
    quarantined: dict[str, str] = {}
    stopped: dict[str, Event] = {}
    lifted: dict[str, Answered] = {}
    ordered = tuple(events)
    check_numbers(WORKFLOW_EVENTS, ordered, ledger)
    for event in ordered:
        release = str(event.data.get("release", ""))
        if event.kind == "quarantine":
            quarantined[release] = str(event.data["reason"])
            stopped[release] = event
        elif event.kind == "unquarantine":
            quarantined.pop(release, None)
            lifted[release] = Answered(event, stopped[release].digest if release in stopped else "")
    return WorkflowState(tip, quarantined, ordered, lifted)


def check_numbers(environment: str, events: Iterable[Event], ledger: str = "") -> None:
    """Check that every event belongs into its ledger and that positions and sequences have no gap.

    Raises:
        IllegalEvent: one does not.
    """
    sequences: dict[str, int] = {}
    for position, event in enumerate(events):
        check_place(environment, event, position, ledger)
        due = sequences.get(event.promotion, 0) + 1
        if event.sequence != due:
            raise _out_of_turn(event, due, ledger)
        sequences[event.promotion] = due


def check_place(environment: str, event: Event, position: int, ledger: str = "") -> None:
    """Check that an event belongs into its ledger, at its position.

    Raises:
        IllegalEvent: it does not.
    """
    stray = misplaced(event, environment)
    if stray is not None:
        raise IllegalEvent(stray, place=_place(ledger, event))
    if event.position != position:
        raise IllegalEvent(f"position {event.position} stands where {position} is due", place=_place(ledger, event))


def _out_of_turn(event: Event, due: int, ledger: str) -> IllegalEvent:
    message = f"event {event.sequence} of {event.promotion!r} stands where {due} is due"
    return IllegalEvent(message, place=_place(ledger, event))


def advance(promotion: Promotion | None, event: Event, ledger: str = "") -> Promotion:
    """Return a promotion after one more event.

    Raises:
        IllegalEvent: the event is not allowed in the promotion's state.
    """
    state = promotion.state if promotion else ""
    if event.kind not in TRANSITIONS.get(state, frozenset()):
        raise IllegalEvent(f"{event.kind!r} cannot follow {state or 'nothing'!r}", place=_place(ledger, event))
    if promotion is None:
        return _begin(event)
    fault = _fault(promotion, event)
    if fault is not None:
        raise IllegalEvent(fault, place=_place(ledger, event))
    changes: dict[str, Any] = {
        "state": event.kind if event.kind in ENDED else _next_state(promotion, event),
        "changed_at": event.time,
        "events": (*promotion.events, event),
    }
    if event.kind not in _TOLD:
        changes |= _why(event.data)
    return replace(promotion, **{**changes, **_from_data(promotion, event)})


def _why(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return why a promotion is where an event brought it, and until when."""
    return {
        "reasons": tuple(data.get("reasons", ())) or ((str(data["reason"]),) if "reason" in data else ()),
        "waits_for": tuple(data.get("waits_for", ())),
        "next_check_at": parse_time(data["next_check_at"]) if data.get("next_check_at") else None,
    }


def _from_data(promotion: Promotion, event: Event) -> dict[str, Any]:
    """Return what else the event's own data changes of a promotion."""
    data = event.data
    if event.kind == "replanned":
        return {"digest": str(data["digest"]), "plan": data["plan"], "state": "requested", "intents": ()}
    if event.kind == "intent":
        return {"intents": (*promotion.intents, data)}
    if event.kind in {"applied", "rolled_back"}:
        release = str(data["to"]) if event.kind == "rolled_back" else promotion.release
        step = int(data["step"]) if event.kind == "applied" else -1
        change = Applied(step, str(data["commit"]), str(data["tree"]), release, event.time)
        return {"applied": (*promotion.applied, change), "intents": ()}
    if event.kind == "restored":
        return {"state": "rolled_back", "restored": True, "reasons": promotion.reasons}
    if event.kind == "deployed":
        return {"deployed": {**(promotion.deployed or {}), int(data["step"]): event.time}}
    if event.kind == "measured":
        return {"measured": (*promotion.measured, data)}
    if event.kind == "succeeded":
        return {"verification": str(data["verification"])}
    return {}


def _fault(promotion: Promotion, event: Event) -> str | None:
    """Return why an event of an allowed kind is not allowed, or None."""
    if event.sequence != promotion.events[-1].sequence + 1:
        return f"event {event.sequence} follows event {promotion.events[-1].sequence} of {promotion.id!r}"
    if event.month != promotion.events[0].month:
        return f"{promotion.id!r} is filed under {promotion.events[0].month}, not under {event.month}"
    done = [change.step for change in promotion.applied if change.step >= 0]
    step = event.data.get("step")
    if event.kind == "applied" and step != len(done):
        return f"step {step} of {promotion.id!r} cannot follow {counted(len(done), 'step')}"
    if event.kind in {"deployed", "measured", "resumed"} and step != done[-1]:
        return f"step {step} of {promotion.id!r} is not the one that was applied last"
    if event.kind == "measured" and promotion.measured_at(done[-1]) is not None:
        return f"step {step} of {promotion.id!r} was judged before"
    return None


def _next_state(promotion: Promotion, event: Event) -> str:
    # after the first change, waiting is no state of its own: what waits is the deploying or the verifying
    if event.kind == "waiting" and not promotion.applied:
        return "waiting"
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


def _place(ledger: str, event: Event) -> str:
    return f"{ledger}:{event.path}" if ledger else event.path
