"""Judging what a promotion brought by its measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from f0ci.core.clock import format_time
from f0ci.core.outcome import Outcome
from f0ci.promotion.rollout import Lasting, lasting
from f0ci.promotion.site import Site
from f0ci.promotion.state import Promotion

if TYPE_CHECKING:
    from f0ci.analysis.judging import Judgement
    from f0ci.analysis.looking import Look

# late data may still arrive this long after a window ends; then a missing answer is for a person
PATIENCE = timedelta(hours=1)
_LOOK_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Verification:
    """What one look at a step's measurements says.

    Attributes:
        outcome: passed or skipped goes on, failed rolls back, waiting and inconclusive stay.
        reasons: why.
        verification: `measured`, `checked` or `none`.
        record: data of a `measured` event, or None where nothing was measured.
        next_check_at: when looking again may help, or None where a person is needed.
        waits_for: what is missing, without numbers that move from look to look.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    verification: str = "none"
    record: Mapping[str, Any] | None = None
    next_check_at: datetime | None = None
    waits_for: tuple[str, ...] = ()


def recorded(record: Mapping[str, Any]) -> Verification:
    """Return the verdict that a `measured` event holds; pure. No later look changes it."""
    return Verification(
        Outcome[str(record["outcome"]).upper()],
        tuple(map(str, record.get("reasons", ()))) or ("measured before",),
        str(record.get("verification", "none")),
        record,
    )


def verify(site: Site, promotion: Promotion, step: int, now: datetime) -> Verification:
    """Measure and judge one step; its window was fixed when its deploy recipe ended, whenever this is asked.

    Only where that window holds too little to be judged at all, and can hold no more, is it asked up to now instead,
    for as long as there is patience: nothing that it did hold is lost, so what is bad in it stays bad.

    Args:
        site: the repository.
        promotion: the promotion.
        step: index of the plan's step.
        now: when it is asked.
    """
    from f0ci.analysis.looking import Question, look
    from f0ci.analysis.measuring import metric_spec
    from f0ci.analysis.providers.base import Query
    from f0ci.source.project import load_project
    from f0ci.workflows.reading import read_workflow

    deployed = next(event for event in promotion.events if event.kind == "deployed" and event.data["step"] == step)
    ran = "checked" if deployed.data.get("outcome") == str(Outcome.PASSED) else "none"
    if promotion.purpose == "rollback":
        return Verification(Outcome.SKIPPED, ("the exact tree of an earlier success",), ran)
    last = lasting(promotion, step)
    if not last.judged:
        return unjudged(last, now, ran)
    tree = site.repository.tree(str(promotion.plan["source_commit"]))
    workflow = read_workflow(tree, load_project(tree).workflow)
    described = workflow.environment(promotion.environment)
    if described is None or not described.checks:
        return Verification(Outcome.SKIPPED, ("the workflow declares no checks",), ran)
    applied = next(change for change in promotion.applied if change.step == step)
    # without a time to watch, what the deploy recipe itself measured is all there is
    start, end = last.start if last.watched else applied.time, last.end
    specs = {check.condition.metric: metric_spec(workflow, check.condition.metric) for check in described.checks}
    stable = str(promotion.plan["base"]["release"] or "")

    def look_until(until: datetime) -> Look:
        query = Query(promotion.environment, promotion.release, start, min(max(now, start), until), now)
        question = Question(query, stable, applied.time, now > end + PATIENCE, until)
        return look(described.checks, specs, question, site.root)

    seen = look_until(end)
    if seen.conclusion.outcome is Outcome.WAITING and now > end and last.watched and holds_too_little(seen.judgements):
        end = min(now, end + PATIENCE)
        seen = look_until(end)
    judgements, conclusion = seen.judgements, seen.conclusion
    # what decides nothing is as if nobody had declared it: the deploy recipe's end is what is known
    verification = ran if conclusion.outcome is Outcome.SKIPPED else conclusion.verification
    record = {
        "step": step,
        "window": {"start": format_time(start), "end": format_time(end)},
        "asked_at": format_time(now),
        "judgements": seen.records,
        "outcome": str(conclusion.outcome),
        "reasons": list(conclusion.reasons),
        "verification": verification,
    }
    missing = tuple(
        sorted({f"{one.condition}: {one.verdict}" for one in judgements if one.verdict not in {"passed", "failed"}})
    )
    complete = seen.complete_at or end
    settled = settle(conclusion.outcome, conclusion.reasons, verification, record, now, complete, missing)
    return replace(settled, next_check_at=sooner(settled, seen.next_look_at, now))


def holds_too_little(judgements: Iterable[Judgement]) -> bool:
    """Tell whether all that keeps a window from being judged is that it holds too little; pure.

    Where a provider failed nobody knows what the window holds, so it is asked again and not left.
    """
    deciding = {str(one.verdict) for one in judgements if not one.dry_run}
    return deciding <= {"passed", "insufficient_data", "no_traffic"}


def unjudged(last: Lasting, now: datetime, ran: str) -> Verification:
    """Say what a look at a step without checks means: it lasts as long as its pause; pure."""
    if now < last.end:
        paused = (f"paused until {format_time(last.end)}",)
        return Verification(Outcome.WAITING, paused, next_check_at=last.end, waits_for=paused)
    return Verification(Outcome.SKIPPED, ("nothing is to be checked at this step",), ran)


def settle(
    outcome: Outcome,
    reasons: tuple[str, ...],
    verification: str,
    record: Mapping[str, Any],
    now: datetime,
    end: datetime,
    missing: tuple[str, ...] = (),
) -> Verification:
    """Say what a look means at its moment; pure.

    failed                        failed, also before the window ends: bad is bad
    passed, before the end        waiting until the end
    passed, at the end            passed
    skipped, before the end       waiting until the end: what decides nothing is watched as long as anything else
    skipped, at the end           skipped: nothing that was declared decides
    waiting                       waiting: at the window's end, or a minute later once it has ended
    inconclusive, errored         stays, for a person
    """
    if outcome in {Outcome.PASSED, Outcome.SKIPPED} and now < end:
        so_far = "good so far" if outcome is Outcome.PASSED else "nothing decides"
        watched = (f"{so_far}; watched until {format_time(end)}",)
        return Verification(Outcome.WAITING, watched, next_check_at=end, waits_for=watched)
    if outcome is Outcome.WAITING:
        again = end if now < end else now + _LOOK_AGAIN
        return Verification(outcome, reasons, next_check_at=again, waits_for=missing or reasons)
    if outcome in {Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED}:
        return Verification(outcome, reasons, verification, record)
    person = (
        "a person is needed: mend the measurement and watch again with `f0ci resume`, or roll back with `f0ci rollback`"
    )
    return Verification(outcome, (*reasons, person), waits_for=(*(missing or reasons), person))


def sooner(look: Verification, point: datetime | None, now: datetime) -> datetime | None:
    """Return when looking again may help: at the next point, where that comes first; pure."""
    if look.next_check_at is None or point is None or point <= now:
        return look.next_check_at
    return min(point, look.next_check_at)
