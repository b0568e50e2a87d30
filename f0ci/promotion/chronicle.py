"""What happened, as people read it: each event of a ledger as one row; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from f0ci.core.clock import format_time
from f0ci.promotion.events import WORKFLOW_EVENTS, Event
from f0ci.promotion.state import Promotion

# what somebody did beside asking for a promotion; the rest is how promotions went
ACTS = frozenset(
    {
        *("approved", "rejected", "revoked", "overridden", "evidence", "resumed"),
        *("hold", "unhold", "repair", "quarantine", "unquarantine"),
    }
)
# what a kind is about, and what became of it; a kind that is not here is about the promotion, and says what became
_WORDS: Mapping[str, tuple[str, str]] = {
    "replanned": ("plan", "changed"),
    "approved": ("approval", "given"),
    "rejected": ("rejection", "given"),
    "revoked": ("approval", "taken back"),
    "overridden": ("override", "given"),
    "evidence": ("evidence", "given"),
    "intent": ("step", "announced"),
    "applied": ("step", "applied"),
    "deployed": ("deploy recipe", ""),
    "restored": ("deploy recipe", ""),
    "measured": ("analysis", ""),
    "resumed": ("rollout", "resumed"),
    "policy": ("policy", "recorded"),
    "hold": ("hold", "set"),
    "unhold": ("hold", "lifted"),
    "repair": ("repair", "made"),
    "quarantine": ("quarantine", "set"),
    "unquarantine": ("quarantine", "lifted"),
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened.

    Attributes:
        time: when, as whoever wrote it says.
        environment: where, or None for what concerns every environment.
        promotion: id of the promotion that it is about, or that caused it, or None.
        kind: kind of the event, or `promotion` for a promotion as a whole.
        release: digest of the release, or None.
        what: what it is about: `promote`, `rollback`, `approval`, `hold`, ...
        state: what became of it: `succeeded`, `given`, `lifted`, ...
        by: who did it: the short name of whoever signed, else `Name <email>` of whoever wrote the event.
        reason: why, or empty.
        signed: whether a signature came with it; `f0ci audit verify` says whether it is good.
        order: what comes later in its ledger has the larger one.
    """

    time: datetime
    environment: str | None
    promotion: str | None
    kind: str
    release: str | None
    what: str
    state: str
    by: str
    reason: str
    signed: bool = False
    order: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return what happened as data."""
        return {
            "time": format_time(self.time),
            "environment": self.environment,
            "promotion": self.promotion,
            "kind": self.kind,
            "release": self.release,
            "what": self.what,
            "state": self.state,
            "by": self.by,
            "reason": self.reason,
            "signed": self.signed,
        }


def of_promotion(promotion: Promotion) -> Happening:
    """Return a promotion as a whole: where it is now, and why where that is no success."""
    asked = promotion.events[0].data
    given = [str(asked["reason"])] if promotion.purpose == "rollback" and asked.get("reason") else []
    given += [f"through the hold: {promotion.through_hold}"] if promotion.through_hold else []
    known = () if promotion.state == "succeeded" else promotion.reasons
    return Happening(
        promotion.changed_at,
        promotion.environment,
        promotion.id,
        "promotion",
        promotion.release,
        promotion.purpose,
        "called off" if promotion.was_called_off else promotion.state,
        promotion.requested_by,
        "; ".join(dict.fromkeys((*given, *known))),
        order=promotion.events[-1].position,
    )


def of_event(event: Event, promotion: Promotion | None) -> Happening:
    """Return an event as a row.

    Args:
        event: the event.
        promotion: the promotion that it is of, or None.
    """
    data = event.data
    what, state = _WORDS.get(event.kind, (promotion.purpose if promotion else "", event.kind))
    if event.kind in {"intent", "applied"} and promotion is not None:
        what = f"step {data['step'] + 1} of {len(promotion.plan['steps'])}" if data["step"] >= 0 else "way back"
    if event.kind == "rolled_back" and data.get("aborted"):
        state = "called off"
    statement: Mapping[str, Any] = data.get("statement") or {}
    return Happening(
        event.time,
        None if event.environment == WORKFLOW_EVENTS else event.environment,
        promotion.id if promotion else data.get("promotion"),
        event.kind,
        promotion.release if promotion else data.get("release"),
        what,
        state or str(data.get("outcome", "")),
        str(statement.get("approver") or data.get("reviewer") or event.actor),
        "; ".join(_reasons(event, statement)),
        bool(statement),
        event.position,
    )


def _reasons(event: Event, statement: Mapping[str, Any]) -> Iterable[str]:
    data = event.data
    if event.kind == "evidence":
        return [f"{data['kind']}: {data['how']}", *([str(data["url"])] if data["url"] else [])]
    if event.kind == "requested" and data.get("through_hold"):
        return [f"through the hold: {data['through_hold']}"]
    reasons = data.get("reasons") or [statement.get("reason") or data.get("reason", "")]
    ends = [f"until {data['expires']}"] if event.kind == "hold" and data.get("expires") else []
    # what succeeded or was found good says nothing that matters later
    return [] if event.kind == "succeeded" else [str(text) for text in (*reasons, *ends) if text]


def newest_first(happened: Iterable[Happening], limit: int) -> tuple[Happening, ...]:
    """Return what happened, newest first, at most so many.

    What is of one moment keeps the order of its ledger; what concerns every environment followed what happened in one.
    """
    return tuple(sorted(happened, key=lambda one: (one.time, one.environment is None, one.order), reverse=True)[:limit])
