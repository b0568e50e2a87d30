"""What a promotion command says at its end: one record, one exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from f0ci.core.clock import format_time
from f0ci.core.errors import ExitCode
from f0ci.promotion.errands import LeftError
from f0ci.promotion.events import SIGNED_KINDS
from f0ci.promotion.going_on import Way
from f0ci.promotion.state import Promotion

_EXIT = {
    "succeeded": ExitCode.DONE,
    "requested": ExitCode.WAITING,
    "waiting": ExitCode.WAITING,
    "held": ExitCode.WAITING,
    "deploying": ExitCode.WAITING,
    "verifying": ExitCode.WAITING,
    "refused": ExitCode.REFUSED,
    "superseded": ExitCode.REFUSED,
    "expired": ExitCode.REFUSED,
    "aborted": ExitCode.REFUSED,
    "rolled_back": ExitCode.ROLLED_BACK,
    "failed": ExitCode.NEEDS_A_PERSON,
    "errored": ExitCode.CANNOT_WORK,
}
# what somebody did, where the kind of the event is no word for it
_SAID = {"evidence": "handed over evidence", "revoked": "took back what they said", "overridden": "overrode a gate"}


@dataclass(frozen=True, slots=True)
class PromotionReport:
    """Where a promotion is.

    Attributes:
        promotion: its id, or None where none was made.
        environment: its environment.
        release: digest of its release, or None.
        state: its state, or `held`.
        verification: `measured`, `checked`, `none`, or None.
        digest: digest of its plan, or None.
        reasons: why it is where it is, for people.
        next_check_at: when running it again may help, or None.
        answers: what each gate said, where gates were asked.
        error: what kept it from going on, or None; it is part of the reasons.
        called_off: True where somebody aborted it after it had changed its environment, so that nothing is held.
        left: True where something is to be done first where no token is.
        ways: what a person does next, where it ended badly or the environment is held.
    """

    promotion: str | None
    environment: str
    release: str | None
    state: str
    verification: str | None = None
    digest: str | None = None
    reasons: tuple[str, ...] = ()
    next_check_at: datetime | None = None
    answers: tuple[Mapping[str, Any], ...] = field(default=())
    error: str | None = None
    called_off: bool = False
    left: bool = False
    ways: tuple[Way, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """Return what the process says."""
        return _EXIT[self.state] if self.error is None else ExitCode.CANNOT_WORK

    def to_json(self) -> dict[str, Any]:
        """Return the record that `--format json` prints."""
        return {
            "version": 1,
            "promotion": self.promotion,
            "environment": self.environment,
            "release": self.release,
            "state": self.state,
            "verification": self.verification,
            "digest": self.digest,
            "reasons": list(self.reasons),
            "next_check_at": format_time(self.next_check_at) if self.next_check_at else None,
            "next": [way.to_json() for way in self.ways],
        }


def left_report(environment: str, left: LeftError) -> PromotionReport:
    """Return where a promotion is that is not even on record before an errand is done."""
    return PromotionReport(None, environment, None, "requested", reasons=(left.errand.said,), left=True)


def report_on(promotion: Promotion, *, error: str | None = None) -> PromotionReport:
    """Return where a promotion is, from its own events.

    Args:
        promotion: the promotion.
        error: what kept it from going on, or None.
    """
    return PromotionReport(
        promotion.id,
        promotion.environment,
        promotion.release,
        promotion.state,
        promotion.verification,
        promotion.digest,
        promotion.reasons if error is None or error in promotion.reasons else (*promotion.reasons, error),
        promotion.next_check_at,
        error=error,
        called_off=promotion.was_called_off,
    )


def current_reasons(promotion: Promotion) -> tuple[str, ...]:
    """Return why a promotion is where it is, and what people said that nobody has looked at yet; pure."""
    said = []
    for event in reversed(promotion.events):
        if event.kind not in SIGNED_KINDS | {"evidence", "resumed"}:
            break
        who = event.actor.partition(" <")[0]
        said.append(f"{who} {_SAID.get(event.kind, event.kind)}")
    resumed = bool(promotion.events) and promotion.events[-1].kind == "resumed"
    # what a pause waited for is over once somebody resumed it; the reason that they gave is no reason to wait
    known = () if resumed else tuple(reason for reason in promotion.reasons if reason)
    if not said or not promotion.is_active:
        return known
    told = ", ".join(reversed(list(dict.fromkeys(said))))
    return (*known, f"{told} since; `f0ci promote {promotion.environment} --continue` takes it from there")
