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
    | 11 | a success criterion holds, or a rollback trigger does not  | passed            |
    | 12 | a success criterion does not hold, or a trigger does       | failed            |

`conclude` answers for all checks of a look, by the first row that fits:

    | what was judged                                                      | outcome      |
    |----------------------------------------------------------------------|--------------|
    | nothing                                                              | skipped      |
    | a check failed, or could not be judged and its policy is `fail`      | failed       |
    | a check whose metric nobody declares, so that waiting changes nothing| errored      |
    | a check could not be judged and its policy is `pause` (or unknown)   | inconclusive |
    | a check could not be judged, `wait`, and the deadline has passed     | inconclusive |
    | a check could not be judged, `wait`, before the deadline             | waiting      |
    | every check passed                                                   | passed       |

A check without an answer therefore never counts as passed, however long it waits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from f0ci.analysis.providers.base import Measurement
from f0ci.core.outcome import Outcome, worst
from f0ci.workflows.conditions import check_units
from f0ci.workflows.model import Check, MetricSpec
from f0ci.workflows.units import kind_of, to_base


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
    """

    verdict: Verdict
    value: float | None
    samples: int
    reason: str
    metric: str = ""
    condition: str = ""
    rollback: bool = False


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What all judgements of one look say together.

    Attributes:
        outcome: see the module's second table.
        reasons: what led to it, worst first; for `passed`, what every check rests on.
        verification: `measured` where every check was answered and passed, else `none`.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    verification: str = "none"


@dataclass(frozen=True, slots=True)
class _Unanswered:
    verdict: Verdict
    reason: str


def judge(
    check: Check,
    spec: MetricSpec | None,
    measurement: Measurement | None,
    baseline: Measurement | None = None,
) -> Judgement:
    """Judge one check; see the first table above.

    Args:
        check: a success criterion or a rollback trigger.
        spec: how its metric is measured, or None where the workflow does not say.
        measurement: what the provider answered, or None where nobody was asked.
        baseline: what `baseline` in the condition is compared with, measured like the metric itself.
    """
    condition = check.condition

    def say(verdict: Verdict, reason: str, value: float | None = None) -> Judgement:
        samples = measurement.samples if measurement is not None else 0
        return Judgement(verdict, value, samples, reason, condition.metric, str(condition), check.rollback)

    if spec is None or measurement is None:
        kind = "detector" if condition.is_detector else "metric"
        missing = "is not declared" if spec is None else "was not measured"
        return say(Verdict.PROVIDER_ERROR, f"{kind} {condition.metric!r} {missing}")
    misfit = check_units(condition, replace(spec, unit=spec.unit or measurement.unit))
    value = _answer(spec, measurement, misfit[0] if misfit else None)
    if isinstance(value, _Unanswered):
        return say(value.verdict, value.reason)
    compared: float | None = None
    if condition.needs_baseline:
        if baseline is None:
            return say(Verdict.INSUFFICIENT_DATA, f"metric {spec.name!r} has no baseline to compare with", value)
        answer = _answer(spec, baseline, None)
        if isinstance(answer, _Unanswered):
            return say(answer.verdict, f"baseline: {answer.reason}", value)
        compared = answer
    holds = condition.holds(value, compared)
    verdict = Verdict.PASSED if holds is not check.rollback else Verdict.FAILED
    return say(verdict, _explain(check, spec, measurement, baseline, holds=holds), value)


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


def _explain(
    check: Check, spec: MetricSpec, measurement: Measurement, baseline: Measurement | None, *, holds: bool
) -> str:
    condition = check.condition
    if condition.is_detector:
        return f"{condition.metric!r} {'is' if holds else 'is not'} detected"
    unit = measurement.unit or spec.unit
    shown = f"{condition.metric} is {measurement.value:.6g}{unit if unit not in {'ratio', 'count'} else ''}"
    against = f", the baseline {baseline.value:.6g}" if condition.needs_baseline and baseline else ""
    samples = f"{measurement.samples} sample{'' if measurement.samples == 1 else 's'}"
    kind = "rollback trigger" if check.rollback else "criterion"
    return f"{shown}{against} ({samples}): {kind} {str(condition)!r} {'holds' if holds else 'does not hold'}"


def conclude(
    judgements: Sequence[Judgement], policies: Mapping[str, MetricSpec], *, expired: bool = False
) -> Conclusion:
    """Say what some judgements mean together; see the second table above.

    Args:
        judgements: one for each check.
        policies: the metrics' specifications by name, whose `on_...` say what a missing answer means.
        expired: True once the window's deadline has passed, after which nobody waits any longer.
    """
    if not judgements:
        return Conclusion(Outcome.SKIPPED, ("nothing was checked",))
    weighed = [(_weigh(j, policies.get(j.metric), expired=expired), j.reason) for j in judgements]
    outcome = worst(each for each, _ in weighed)
    ordered = sorted(weighed, key=lambda pair: -pair[0])
    reasons = tuple(dict.fromkeys(r for each, r in ordered if outcome is Outcome.PASSED or each > Outcome.PASSED))
    return Conclusion(outcome, reasons, "measured" if outcome is Outcome.PASSED else "none")


def _weigh(judgement: Judgement, spec: MetricSpec | None, *, expired: bool) -> Outcome:
    if judgement.verdict is Verdict.PASSED:
        return Outcome.PASSED
    if judgement.verdict is Verdict.FAILED:
        return Outcome.FAILED
    if spec is None:
        return Outcome.ERRORED
    policy = {
        Verdict.INSUFFICIENT_DATA: spec.on_insufficient_data,
        Verdict.NO_TRAFFIC: spec.on_no_traffic,
        Verdict.PROVIDER_ERROR: spec.on_provider_error,
    }[judgement.verdict]
    if policy == "fail":
        return Outcome.FAILED
    return Outcome.WAITING if policy == "wait" and not expired else Outcome.INCONCLUSIVE
