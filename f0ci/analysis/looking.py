"""One look at an environment: every metric of its checks measured over a window, judged, and concluded from.

The window is fixed by who asks. A baseline is measured

    stable            the same questions about the release that ran before, over the same window; where none ran, or it
                      is the same release, nothing is compared and the check decides nothing
    before            the same questions over a window of the same length, up to the change
    a mapping         the metric's settings with these in their place, over the same window
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from f0ci.analysis.concluding import Conclusion, conclude
from f0ci.analysis.judging import Judgement, judge
from f0ci.analysis.observing import observe
from f0ci.analysis.providers.base import Observation, Query
from f0ci.workflows.metrics import BEFORE, STABLE, MetricSpec
from f0ci.workflows.model import Check


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an environment's metrics.

    Attributes:
        query: environment, release, window and moment.
        stable: the release that ran before, or empty where none did.
        changed_at: when the environment changed; windows of `before` end here.
        expired: True once nobody waits for late data any longer.
        end: when the whole window ends; waivers must count then.
    """

    query: Query
    stable: str
    changed_at: datetime
    expired: bool
    end: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """What one look says.

    Attributes:
        judgements: one for each check, in the checks' order.
        conclusion: what they say together.
        next_look_at: when there will be another point to look at, or None where none of the metrics has an interval.
        complete_at: when the whole window is known, late data included, or None for its end.
    """

    judgements: tuple[Judgement, ...]
    conclusion: Conclusion
    next_look_at: datetime | None = None
    complete_at: datetime | None = None

    @property
    def records(self) -> list[dict[str, Any]]:
        """Return the judgements as data, for a `measured` event."""
        return [judgement.to_json() for judgement in self.judgements]


def look(checks: Sequence[Check], specs: Mapping[str, MetricSpec | None], question: Question, root: Path) -> Look:
    """Measure and judge.

    Args:
        checks: success criteria and rollback triggers.
        specs: how each metric that they name is measured, or None where nobody says.
        question: what is asked.
        root: folder that relative paths of settings start from.
    """
    query = replace(question.query, baseline=question.stable)
    known = {name: spec for name, spec in specs.items() if spec is not None}
    seen = {name: observe(spec, query, root) for name, spec in known.items()}
    compared = {check.condition.metric for check in checks if check.condition.needs_baseline}
    bases = {name: observe_baseline(known[name], question, root) for name in compared & known.keys()}
    ran_before = _has_stable(question)
    judgements = tuple(
        comparable(check, known.get(name), judge(check, known.get(name), seen.get(name), bases.get(name)), ran_before)
        for check in checks
        for name in [check.condition.metric]
    )
    complete_at = question.end + max((spec.delay for spec in known.values()), default=timedelta())
    conclusion = conclude(
        judgements, known, expired=question.expired, at=question.end, complete=query.now >= complete_at
    )
    return Look(judgements, conclusion, next_look_at(list(known.values()), question), complete_at)


def comparable(check: Check, spec: MetricSpec | None, judgement: Judgement, ran_before: bool) -> Judgement:
    """Return a judgement, or what it is where no other release ran before that anything could be worse than; pure."""
    if not check.condition.needs_baseline or spec is None or spec.baseline != STABLE or ran_before:
        return judgement
    return replace(
        judgement, dry_run=True, reason=f"{judgement.condition}: no other release ran before to compare with"
    )


def _has_stable(question: Question) -> bool:
    return bool(question.stable) and question.stable != question.query.release


def observe_baseline(spec: MetricSpec, question: Question, root: Path) -> Observation | None:
    """Measure what a metric is compared with, or return None where there is nothing."""
    query = question.query
    if spec.baseline == BEFORE:
        span = query.end - query.start
        return observe(spec, replace(query, start=question.changed_at - span, end=question.changed_at), root)
    if spec.baseline != STABLE and isinstance(spec.baseline, Mapping):
        other = replace(spec, settings={**spec.settings, **spec.baseline})
        return observe(other, replace(query, baseline=question.stable), root)
    if not _has_stable(question):
        return None
    return observe(spec, replace(query, release=question.stable, canary=query.release, baseline=question.stable), root)


def next_look_at(specs: Sequence[MetricSpec], question: Question) -> datetime | None:
    """Return when the next point of any metric can be asked for; pure.

    Args:
        specs: how the metrics are measured.
        question: what was asked, with the moment; the whole window's end bounds the answer.
    """
    query = question.query
    moments = []
    for spec in specs:
        if spec.interval is None:
            continue
        done = max(0, (query.now - spec.delay - query.start) // spec.interval)
        following = done + 1
        if spec.count is None or following <= spec.count:
            moment = query.start + spec.interval * following + spec.delay
            if moment <= question.end + spec.delay:
                moments.append(moment)
    return min(moments, default=None)
