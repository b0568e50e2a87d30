"""Judging measurements: pure, so that anyone can judge again.

`judge` answers for one check, by the first row that fits:

    |    | what is known                                              | verdict           |
    |----|------------------------------------------------------------|-------------------|
    |  1 | nothing measures it (no metric declared, no answer)        | provider_error    |
    |  2 | the provider reports an error                              | provider_error    |
    |  3 | the units do not fit, or are unknown                       | provider_error    |
    |  4 | several series answered                                    | provider_error    |
    |  5 | the provider reports no traffic                            | no_traffic        |
    |  6 | no series, no value, or NaN                                | insufficient_data |
    |  7 | an infinite value                                          | provider_error    |
    |  8 | fewer samples than `min_samples`, or none                  | insufficient_data |
    |  9 | the condition needs a baseline and there is none           | insufficient_data |
    | 10 | the baseline itself falls under rows 2 to 8                | that row's        |
    | 11 | otherwise, what `f0ci.analysis.weighing` says: whether a success criterion holds and a rollback trigger    |
    |    | does not, by evidence where there are counts or a series   | passed, failed or |
    |    |                                                            | insufficient_data |
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from f0ci.analysis.providers.base import Measurement, Observation
from f0ci.analysis.weighing import Weighed, weigh
from f0ci.core.clock import format_time
from f0ci.core.counting import counted
from f0ci.workflows.conditions import check_units
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.model import Check
from f0ci.workflows.units import kind_of, readable, to_base


class Verdict(StrEnum):
    """What a measurement says of a check."""

    PASSED = "passed"
    FAILED = "failed"
    INSUFFICIENT_DATA = "insufficient_data"
    NO_TRAFFIC = "no_traffic"
    PROVIDER_ERROR = "provider_error"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what it rests on.

    Attributes:
        verdict: see the module's first table.
        value: the measured number in the base unit (ratio, seconds, bytes), or None where there is none.
        samples: how many observations it rests on.
        reason: one sentence for people, without a full stop.
        metric: the metric or detector that was judged.
        condition: the condition in its shortest form.
        rollback: True for a rollback trigger.
        low: the smallest value that the evidence does not rule out, in the base unit, or None.
        high: the largest, or None.
        odds: the evidence against the release, as betting odds to one, or None where none was weighed.
        decided_at: when the verdict was certain, or None.
        dry_run: True where it decides nothing: in a dry run, or where there is nothing to compare with.
    """

    verdict: Verdict
    value: float | None
    samples: int
    reason: str
    metric: str = ""
    condition: str = ""
    rollback: bool = False
    low: float | None = None
    high: float | None = None
    odds: float | None = None
    decided_at: datetime | None = None
    dry_run: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the judgement as data, for events and reports."""
        known = {"low": self.low, "high": self.high, "odds": None if self.odds is None else float(f"{self.odds:.4g}")}
        return {
            "condition": self.condition,
            "rollback": self.rollback,
            "verdict": str(self.verdict),
            "value": self.value,
            "samples": self.samples,
            "reason": self.reason,
            **{name: value for name, value in known.items() if value is not None},
            **({"decided_at": format_time(self.decided_at)} if self.decided_at else {}),
            **({"dry_run": True} if self.dry_run else {}),
        }


@dataclass(frozen=True, slots=True)
class _Unanswered:
    verdict: Verdict
    reason: str


def judge(
    check: Check,
    spec: MetricSpec | None,
    measurement: Measurement | Observation | None,
    baseline: Measurement | Observation | None = None,
) -> Judgement:
    """Judge one check; see the first table above.

    Args:
        check: a success criterion or a rollback trigger.
        spec: how its metric is measured, or None where the workflow does not say.
        measurement: what the provider answered, with its points where there are any; None where nobody was asked.
        baseline: what `baseline` in the condition is compared with, measured like the metric itself.
    """
    condition = check.condition
    seen, base = _observed(spec, measurement), _observed(spec, baseline)

    def say(verdict: Verdict, reason: str, value: float | None = None) -> Judgement:
        samples = seen.measurement.samples if seen is not None else 0
        dry = spec is not None and spec.dry_run
        return Judgement(verdict, value, samples, reason, condition.metric, str(condition), check.rollback, dry_run=dry)

    if spec is None or seen is None:
        kind = "detector" if condition.is_detector else "metric"
        missing = "is not declared" if spec is None else "was not measured"
        return say(Verdict.PROVIDER_ERROR, f"{kind} {condition.metric!r} {missing}")
    misfit = check_units(condition, replace(spec, unit=spec.unit or seen.measurement.unit))
    value = _answer(spec, seen.measurement, misfit[0] if misfit else None)
    if isinstance(value, _Unanswered):
        return say(value.verdict, value.reason)
    if condition.needs_baseline:
        if base is None:
            return say(Verdict.INSUFFICIENT_DATA, f"metric {spec.name!r} has no baseline to compare with", value)
        answer = _answer(spec, base.measurement, None)
        if isinstance(answer, _Unanswered):
            return say(answer.verdict, f"baseline: {answer.reason}", value)
    compared = base if condition.needs_baseline else None
    weighed = weigh(check, spec, seen, compared, value)
    said = say(Verdict(weighed.verdict), _explain(check, spec, seen, compared, weighed), value)
    return replace(said, low=weighed.low, high=weighed.high, odds=weighed.odds, decided_at=weighed.decided_at)


def _observed(spec: MetricSpec | None, measurement: Measurement | Observation | None) -> Observation | None:
    """Return a measurement with its points; without a unit of its own it is in the metric's."""
    if measurement is None:
        return None
    unit = spec.unit if spec is not None else ""
    seen = measurement if isinstance(measurement, Observation) else Observation(measurement)
    return replace(seen, measurement=replace(seen.measurement, unit=seen.measurement.unit or unit))


def _answer(spec: MetricSpec, measurement: Measurement, misfit: str | None) -> float | _Unanswered:
    """Return a measurement's number in the base unit, or why it is none; rows 2 to 8 of the first table."""
    unit = measurement.unit or spec.unit
    if measurement.error is not None:
        return _Unanswered(Verdict.PROVIDER_ERROR, f"{spec.name!r} could not be measured: {measurement.error}")
    if misfit is not None:
        return _Unanswered(Verdict.PROVIDER_ERROR, misfit)
    if kind_of(unit) is None or (spec.unit and kind_of(unit) != kind_of(spec.unit)):
        problem = f"metric {spec.name!r} was measured in {unit!r}, not in the declared unit {spec.unit!r}"
        return _Unanswered(Verdict.PROVIDER_ERROR, problem)
    if measurement.series > 1:
        problem = f"{measurement.series} series answer for metric {spec.name!r}, not one"
        return _Unanswered(Verdict.PROVIDER_ERROR, problem)
    note = f": {measurement.note}" if measurement.note else ""
    if measurement.no_traffic:
        return _Unanswered(Verdict.NO_TRAFFIC, f"metric {spec.name!r} saw no traffic{note}")
    if measurement.series < 1 or measurement.value is None or math.isnan(measurement.value):
        return _Unanswered(Verdict.INSUFFICIENT_DATA, f"metric {spec.name!r} has no value{note}")
    if math.isinf(measurement.value):
        return _Unanswered(Verdict.PROVIDER_ERROR, f"metric {spec.name!r} is infinite{note}")
    wanted = max(1, spec.min_samples)
    if measurement.samples < wanted:
        counted = f"{measurement.samples} of at least {wanted} samples"
        return _Unanswered(Verdict.INSUFFICIENT_DATA, f"metric {spec.name!r} has {counted}{note}")
    return to_base(measurement.value, unit)


def _explain(check: Check, spec: MetricSpec, seen: Observation, base: Observation | None, weighed: Weighed) -> str:
    condition, measurement = check.condition, seen.measurement
    if condition.is_detector:
        note = f": {measurement.note}" if measurement.note else ""
        return f"{condition.metric!r} {'is' if weighed.holds else 'is not'} detected{note}"
    shown = f"{condition.metric} is {_shown(measurement)}"
    against = f", the baseline {_shown(base.measurement)}" if base is not None else ""
    samples = counted(measurement.samples, "sample")
    if weighed.low is not None and weighed.high is not None:
        level = f"{(1 - spec.alpha) * 100:g} % confidence"
        samples = f"{samples}, {level}: {weighed.low * 100:.3g} % to {weighed.high * 100:.3g} %"
    kind = "rollback trigger" if check.rollback else "criterion"
    answer = f"{kind} {str(condition)!r} {'holds' if weighed.holds else 'does not hold'}"
    more = f"; {weighed.said}" if weighed.said else ""
    return f"{shown}{against} ({samples}): {answer}{more}"


def _shown(measurement: Measurement) -> str:
    value, unit = measurement.value or 0.0, measurement.unit
    if measurement.hits is not None:
        return f"{value * 100:.3g} % ({measurement.hits} of {measurement.samples})"
    return readable(value, unit)
