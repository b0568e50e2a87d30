"""Letting a paused rollout go on, as a function for people who embed f0ci."""

from __future__ import annotations

from pathlib import Path

from f0ci.core.clock import Clock, SystemClock
from f0ci.core.errors import Refused
from f0ci.promotion.admitting import find_promotion
from f0ci.promotion.applying import record_landed
from f0ci.promotion.events import Draft
from f0ci.promotion.ledger import Change, Ledgers
from f0ci.promotion.policy import read_policy, require_person
from f0ci.promotion.report import PromotionReport, report_on
from f0ci.promotion.rollout import resume_answer
from f0ci.promotion.site import open_site


def resume_promotion(root: Path, promotion: str, reason: str, *, clock: Clock | None = None) -> PromotionReport:
    """Let a rollout that pauses for a person go on; what its checks say still counts.

    Args:
        root: the work tree.
        promotion: its id.
        reason: why, for the record.
        clock: the time; the machine's by default.

    Raises:
        UsageError: no such promotion.
        Refused: it does not pause for a person, or the caller is not in the approvers file.
    """
    site = open_site(root, clock or SystemClock())

    def decide(ledgers: Ledgers) -> Change:
        found = find_promotion(ledgers, promotion)
        settled = record_landed(site, ledgers, found) if found.is_active else None
        if settled is not None:
            return settled
        step = found.applied[-1].step if found.applied else -1
        if found.state != "verifying" or not resume_answer(found, step):
            raise Refused(f"{promotion!r} does not pause for a person", f"see `f0ci status {found.environment}`")
        require_person(site, read_policy(site, ledgers.environments[found.environment], found.environment))
        return Change(found.environment, (Draft("resumed", found.id, {"step": step, "reason": reason}),))

    return report_on(find_promotion(site.store.transact(decide), promotion))
