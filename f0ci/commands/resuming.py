"""Letting a rollout go on that stands still, as a function for people who embed f0ci."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from f0ci.core.clock import Clock, SystemClock
from f0ci.core.errors import Refused
from f0ci.core.outcome import Outcome
from f0ci.promotion.admitting import find_promotion
from f0ci.promotion.applying import record_landed
from f0ci.promotion.events import Draft
from f0ci.promotion.ledger import Change, Ledgers
from f0ci.promotion.policy import read_policy
from f0ci.promotion.report import PromotionReport, report_on
from f0ci.promotion.rights import UNSIGNED, Act, prove, recorded_policy, unproven_resume, what_resume_answers
from f0ci.promotion.rollout import lasting, may_watch_again, resume_answer
from f0ci.promotion.site import Site, open_site
from f0ci.promotion.state import EnvironmentState, Promotion
from f0ci.promotion.times import event_time
from f0ci.promotion.verifying import verify


def resume_promotion(
    root: Path,
    promotion: str,
    reason: str,
    *,
    on_stage: Callable[[str], None] = lambda _text: None,
    clock: Clock | None = None,
) -> PromotionReport:
    """Let a rollout go on that needs a person.

    Where it pauses after a step, the next step follows. Where the step's window is over and nobody could say what it
    held, the step is watched again, for as long, from now on. What its checks said, or will say, counts in both cases.

    Args:
        root: the work tree.
        promotion: its id.
        reason: why, for the record.
        on_stage: is told where nothing proves who resumed it.
        clock: the time; the machine's by default.

    Raises:
        UsageError: no such promotion.
        Refused: it does not need a person, or the caller is not in the approvers file.
        GitError: approvers have keys, and Git knows no signing key.
    """
    site = open_site(root, clock or SystemClock())

    def decide(ledgers: Ledgers) -> Change:
        found = find_promotion(ledgers, promotion)
        settled = record_landed(site, ledgers, found) if found.is_active else None
        if settled is not None:
            return settled
        state = ledgers.environments[found.environment]
        data = _what_goes_on(site, state, found, event_time(site.clock.now(), state.events))
        if data is None:
            hint = f"take it further with `f0ci promote {found.environment} --continue`, or see `f0ci status`"
            if not found.is_active:
                raise Refused(f"{promotion!r} has ended already: {found.state}", "`f0ci status` shows what waits")
            raise Refused(f"{promotion!r} does not need a person to go on", hint)
        policy = read_policy(site, state, found.environment)
        about = what_resume_answers(found, data["step"])
        act = Act("resume", found.id, found.environment, about, reason, state.tip)
        proof = prove(site, policy, found.environment, act)
        if not proof:
            on_stage(UNSIGNED)
        draft = Draft("resumed", found.id, {**data, "reason": reason, **proof})
        return Change(found.environment, (*recorded_policy(policy, state), draft))

    return report_on(find_promotion(site.store.transact(decide), promotion))


def _what_goes_on(site: Site, state: EnvironmentState, promotion: Promotion, now: datetime) -> dict[str, Any] | None:
    """Return what a `resumed` event says, or None where nothing needs a person.

    A step is watched again only after one more look at what its window held: a verdict, once there, is never left.
    """
    if promotion.state != "verifying":
        return None
    step = promotion.applied[-1].step
    if may_watch_again(promotion, now):
        look = verify(site, promotion, step, now)
        return {"step": step, "again": True} if look.outcome in {Outcome.WAITING, Outcome.INCONCLUSIVE} else None
    settled = promotion.measured_at(step) is not None or not lasting(promotion, step).judged
    paused = bool(resume_answer(promotion, step)) or unproven_resume(site, state, promotion, step) is not None
    return {"step": step} if settled and paused else None
