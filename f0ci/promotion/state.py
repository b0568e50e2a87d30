"""What events amount to: promotions, holds, environments. `folding` computes these values; nothing else makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from f0ci.promotion.events import ENDINGS, SIGNED_KINDS, Event

# kinds of verification, each worth more than the one before
_KINDS = ("none", "checked", "measured")
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
        waits_for: what the newest `waiting` event waits for, without anything that moves by itself.
        through_hold: reason given for passing a hold, or None.
        intents: data of every `intent` that no `applied` or `rolled_back` has answered yet, in order.
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
    events: Sequence[Event] = ()
    applied: tuple[Applied, ...] = ()
    deployed: Mapping[int, datetime] | None = None
    measured: tuple[Mapping[str, Any], ...] = ()
    verification: str | None = None
    reasons: tuple[str, ...] = ()
    next_check_at: datetime | None = None
    waits_for: tuple[str, ...] = ()
    through_hold: str | None = None
    intents: tuple[Mapping[str, Any], ...] = ()
    restored: bool = False

    @property
    def is_active(self) -> bool:
        """Tell whether it has not ended."""
        return self.state not in ENDED

    def is_success(self, require: str = "none") -> bool:
        """Tell whether it succeeded with a verification of at least a kind: `none`, `checked` or `measured`."""
        return self.state == "succeeded" and _KINDS.index(self.verification or "none") >= _KINDS.index(require)

    @property
    def position(self) -> int:
        """Return where in the ledger it begins."""
        return self.events[0].position if self.events else 0

    @property
    def was_called_off(self) -> bool:
        """Tell whether somebody aborted it after it had changed its environment: what it brought is not called bad."""
        return any(event.kind == "rolled_back" and bool(event.data.get("aborted")) for event in self.events)

    @property
    def statements(self) -> tuple[Event, ...]:
        """Return what people signed about it, in order."""
        return tuple(event for event in self.events if event.kind in SIGNED_KINDS)

    @property
    def next_step(self) -> int | None:
        """Return the index of the plan's step that has not been applied yet, or None where all have."""
        done = sum(change.step >= 0 for change in self.applied)
        return done if done < len(self.plan["steps"]) else None

    def measured_at(self, step: int) -> Mapping[str, Any] | None:
        """Return the recorded verdict on a step, or None where there is none yet."""
        return next((data for data in self.measured if data["step"] == step), None)


@dataclass(frozen=True, slots=True)
class Hold:
    """Automation suspended for an environment.

    Attributes:
        owner: who set it.
        reason: why.
        since: when.
        promotion: the promotion that caused it, or None.
        position: where in the ledger it was set.
        expires: when it ends by itself, or None.
        digest: of the event that set it.
    """

    owner: str
    reason: str
    since: datetime
    promotion: str | None = None
    position: int = 0
    expires: datetime | None = None
    digest: str = ""

    def is_in_force(self, now: datetime) -> bool:
        """Tell whether it has not ended by itself."""
        return self.expires is None or now < self.expires

    def stops(self, promotion: Promotion, now: datetime) -> bool:
        """Tell whether it keeps a promotion from changing the environment at a moment.

        A rollback passes every hold. A promotion passes those that stood when it was asked for with a reason for
        passing them, not those that were set later.
        """
        if promotion.purpose == "rollback" or not self.is_in_force(now):
            return False
        return promotion.through_hold is None or self.position > promotion.position


@dataclass(frozen=True, slots=True)
class Answered:
    """An event that let something go on, with what it answered.

    Attributes:
        event: lifts a hold or puts a shorter one in its place, or lifts a quarantine.
        about: digest of the event that it answered.
        expires: when the hold in its place ends, or None.
    """

    event: Event
    about: str
    expires: datetime | None = None


def is_shortened(hold: Hold | None, expires: datetime | None, now: datetime) -> bool:
    """Tell whether a hold that comes at a moment ends sooner than the one that stands, whose place it takes; pure."""
    if hold is None or not hold.is_in_force(now) or expires is None:
        return False
    return hold.expires is None or expires < hold.expires


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """What a ledger says of its environment.

    Attributes:
        environment: its name.
        tip: the ledger's commit that was read, or None where there is no ledger yet.
        promotions: oldest first.
        hold: the hold that nobody lifted, or None; whether it ended by itself is for the clock to say.
        policy: data of the newest `policy` event, or None.
        events: all events in order.
        standing: how many of them are about the environment itself.
        repaired: the commit that put the branch right after somebody else changed it, where no change came
            since, or None.
        released: what lifted or shortened a hold last, or None; whether somebody did who may is for the policy to say.
    """

    environment: str
    tip: str | None = None
    promotions: Sequence[Promotion] = ()
    hold: Hold | None = None
    policy: Mapping[str, Any] | None = None
    events: Sequence[Event] = ()
    standing: int = 0
    repaired: Applied | None = None
    released: Answered | None = None

    @property
    def active(self) -> Promotion | None:
        """Return the promotion that has not ended, or None: only the newest can be, since no two are active at once."""
        newest = self.newest
        return newest if newest is not None and newest.is_active else None

    @property
    def newest(self) -> Promotion | None:
        """Return the newest promotion, or None."""
        return self.promotions[-1] if self.promotions else None

    @property
    def current(self) -> Applied | None:
        """Return the newest change of the environment's branch, or None."""
        if self.repaired is not None:
            return self.repaired
        changed = (promotion.applied[-1] for promotion in reversed(self.promotions) if promotion.applied)
        return next(changed, None)

    @property
    def unfinished(self) -> Promotion | None:
        """Return the promotion that running again takes further: active, or rolled back and not deployed yet."""
        newest = self.newest
        if self.active is not None or newest is None:
            return self.active
        return newest if newest.state == "rolled_back" and not newest.restored else None

    def find(self, promotion: str) -> Promotion | None:
        """Return the promotion of that id, or None."""
        place = self.place_of(promotion)
        return self.promotions[place] if place is not None else None

    def place_of(self, promotion: str) -> int | None:
        """Return where among the promotions one stands, or None: promotions are numbered in order, from 1."""
        count = promotion.rpartition("-")[2]
        place = int(count) - 1 if count.isdecimal() and len(count) < 10 else -1
        known = 0 <= place < len(self.promotions) and self.promotions[place].id == promotion
        return place if known else None

    def succeeded(self, require: str = "none") -> Iterator[Promotion]:
        """Yield the successes whose verification is at least of a kind, newest first.

        Args:
            require: `none`, `checked` or `measured`.
        """
        return (promotion for promotion in reversed(self.promotions) if promotion.is_success(require))


@dataclass(frozen=True, slots=True)
class WorkflowState:
    """What concerns all environments.

    Attributes:
        tip: the ledger's commit that was read, or None.
        quarantined: reason by release digest.
        events: all events in order.
        lifted: what let a release in again that was quarantined, by release digest.
    """

    tip: str | None = None
    quarantined: Mapping[str, str] | None = None
    events: tuple[Event, ...] = ()
    lifted: Mapping[str, Answered] | None = None

    def quarantine_of(self, release: str) -> str | None:
        """Return why a release must not be promoted anywhere, or None."""
        return (self.quarantined or {}).get(release)
