"""What measurements say of one condition: by evidence where they are counts or a series, else by the number as it is.

`weigh` decides by the first row that fits:

    | what is known                                                          | verdict           |
    |------------------------------------------------------------------------|-------------------|
    | counts, judged by evidence: it reached 1 / alpha at some look          | failed            |
    | the estimate breaks the condition, the evidence does not suffice       | insufficient_data |
    | a `regression` is declared and not ruled out yet                       | insufficient_data |
    | counts, otherwise                                                      | passed            |
    | values beside a baseline's, by evidence: it reached 1 / alpha          | failed            |
    | they break the condition, or the evidence is above 2                   | insufficient_data |
    | values beside a baseline's, otherwise                                  | passed            |
    | points with a `failure_limit`: more than so many break the condition   | failed            |
    | points with a `failure_limit`, otherwise                               | passed            |
    | the number breaks the condition                                        | failed            |
    | the number fulfils it                                                  | passed            |

Evidence is what `f0ci.analysis.sequential` and `f0ci.analysis.comparing` compute. Once it sufficed, that stands: a late
look sees the same points and the same moment.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from f0ci.analysis.comparing import evidence_of_exceedance, evidence_of_ratio, exceedance, interval_of_difference
from f0ci.analysis.observing import usable
from f0ci.analysis.providers.base import Measurement, Observation, Point
from f0ci.analysis.sequential import Counts, added, evidence, evidence_below, interval
from f0ci.workflows.conditions import Condition
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.model import Check
from f0ci.workflows.units import kind_of, to_base

PASSED, FAILED, UNDECIDED = "passed", "failed", "insufficient_data"
_UPWARDS = frozenset({">", ">="})
_ORDERED = frozenset({"<", "<=", ">", ">="})
# betting odds of two to one against the new release are too many to call it good
_DOUBT = math.log(2)
_LARGEST = 700.0
_MOST_SHOWN = 1e6


@dataclass(frozen=True, slots=True)
class Weighed:
    """What measurements say of a condition.

    Attributes:
        verdict: `passed`, `failed` or `insufficient_data`.
        holds: whether the condition holds of the number as it is.
        said: what the verdict rests on, for people; empty where the number alone decided.
        low: the smallest value that was not ruled out, in the base unit, or None.
        high: the largest, or None.
        odds: how many times likelier than the good the bad is, as the betting odds of the evidence, or None.
        decided_at: the end of the point at which the verdict was certain, or None.
    """

    verdict: str
    holds: bool
    said: str = ""
    low: float | None = None
    high: float | None = None
    odds: float | None = None
    decided_at: datetime | None = None


def weigh(check: Check, spec: MetricSpec, seen: Observation, base: Observation | None, value: float) -> Weighed:
    """Say what measurements mean for a check.

    Args:
        check: a success criterion or a rollback trigger.
        spec: how its metric is judged.
        seen: what was measured; it has a number and enough samples.
        base: what the baseline measured, likewise, where the condition needs one.
        value: the number in the base unit.
    """
    condition = check.condition
    compared = _base_value(base) if base is not None else None
    holds = condition.holds(value, compared)
    good = holds is not check.rollback
    by_evidence = spec.judge != "threshold" and condition.operator in _ORDERED
    if by_evidence and seen.measurement.hits is not None:
        if base is None and condition.quantity is not None:
            return _proportion(check, spec, seen, holds=holds)
        if base is not None and base.measurement.hits is not None:
            return _two_proportions(check, spec, seen, base, holds=holds)
    if by_evidence and base is not None and len(usable(seen.points)) > 1 and len(usable(base.points)) > 1:
        return _distributions(check, spec, seen, base, holds=holds)
    if spec.failure_limit is not None and seen.points:
        return _by_point(check, spec, seen, base, holds=holds)
    return Weighed(PASSED if good else FAILED, holds)


def _proportion(check: Check, spec: MetricSpec, seen: Observation, *, holds: bool) -> Weighed:
    bound = check.condition.quantity.base if check.condition.quantity else 0.0
    turned = _higher_is_better(check)
    points, ends = _counts(seen)
    low, high = interval(added(points), spec.alpha)
    asked = [point.turned for point in points] if turned else points
    limit = 1 - bound if turned else bound
    found = evidence(asked, min(1.0, max(0.0, limit)))
    ruled_out = None
    if spec.regression is not None:
        ruled_out = evidence_below(asked, min(1.0, limit + spec.regression.base))[-1]
    return _decide(check, spec, found, ends, points, holds=holds, ruled_out=ruled_out, low=low, high=high)


def _two_proportions(check: Check, spec: MetricSpec, seen: Observation, base: Observation, *, holds: bool) -> Weighed:
    factor = check.condition.factor or 1.0
    new, others, ends = _pairs(seen, base)
    low, high = interval_of_difference(added(new), added(others), spec.alpha)
    turned = _higher_is_better(check)
    asked, beside = ([one.turned for one in new], [one.turned for one in others]) if turned else (new, others)
    margin = 1 - factor if turned else 0.0
    found = evidence_of_ratio(asked, beside, factor, margin)
    ruled_out = None
    if spec.regression is not None:
        ruled_out = evidence_of_ratio(asked, beside, factor, margin + spec.regression.base, below=True)[-1]
    weighed = _decide(check, spec, found, ends, new, holds=holds, ruled_out=ruled_out)
    between = f"; the difference lies between {_signed(low)} and {_signed(high)} ({_level(spec)})"
    return Weighed(weighed.verdict, holds, weighed.said + between, None, None, weighed.odds, weighed.decided_at)


def _distributions(check: Check, spec: MetricSpec, seen: Observation, base: Observation, *, holds: bool) -> Weighed:
    factor, sign = check.condition.factor or 1.0, -1.0 if _higher_is_better(check) else 1.0
    ours, others = usable(seen.points), usable(base.points)
    ends = [point.end for point in (ours if len(ours) >= len(others) else others)]
    new = [sign * _number(point.measurement) / factor for point in ours]
    beside = [sign * _number(point.measurement) for point in others]
    found = evidence_of_exceedance(new, beside)
    ruled_out = None
    if spec.regression is not None:
        larger = 1 + sign * spec.regression.base
        ruled_out = exceedance([one * larger for one in beside], new)
    return _decide(check, spec, found, ends, None, holds=holds, ruled_out=ruled_out, doubt=found[-1] > _DOUBT)


def _by_point(check: Check, spec: MetricSpec, seen: Observation, base: Observation | None, *, holds: bool) -> Weighed:
    limit = spec.failure_limit or 0
    beside = {point.end: point.measurement for point in usable(base.points)} if base is not None else {}
    failing: list[Point] = []
    points = usable(seen.points)
    for point in points:
        against = beside.get(point.end, base.measurement) if base is not None else None
        compared = _number(against) if against is not None else None
        if check.condition.holds(_number(point.measurement), compared) is check.rollback:
            failing.append(point)
    said = f"{len(failing)} of {len(points)} points break it, {limit} may"
    if len(failing) > limit:
        return Weighed(FAILED, holds, said, decided_at=failing[limit].end)
    return Weighed(PASSED, holds, said)


def _decide(
    check: Check,
    spec: MetricSpec,
    found: Sequence[float],
    ends: Sequence[datetime | None],
    counted: Sequence[Counts] | None,
    *,
    holds: bool,
    ruled_out: float | None,
    low: float | None = None,
    high: float | None = None,
    doubt: bool = False,
) -> Weighed:
    needed = -math.log(spec.alpha)
    first = next((at for at, one in enumerate(found) if one >= needed), None)
    odds = math.exp(min(_LARGEST, max(found) if first is not None else found[-1]))
    against = f"evidence against it {_odds(odds)}, {_odds(1 / spec.alpha)} decides"
    if first is not None:
        said = [against]
        if ends[first] is not None:
            said.append(f"reached at {ends[first]:%Y-%m-%dT%H:%M:%SZ}")
        if counted is not None and len(counted) > 1:
            said.append(f"with {added(counted[: first + 1]).total} samples")
        return Weighed(FAILED, holds, ", ".join(said), low, high, odds, ends[first])
    if holds is check.rollback or doubt:
        return Weighed(UNDECIDED, holds, f"too little to decide: {against}", low, high, odds)
    if ruled_out is not None and ruled_out < needed:
        missing = f"{spec.regression} more is not ruled out yet: {_odds(math.exp(ruled_out))}"
        return Weighed(UNDECIDED, holds, f"{missing}, {_odds(1 / spec.alpha)} decides", low, high, odds)
    said = [against] if ruled_out is None else [f"{spec.regression} more is ruled out", against]
    return Weighed(PASSED, holds, ", ".join(said), low, high, odds, ends[-1])


def _counts(seen: Observation) -> tuple[list[Counts], list[datetime | None]]:
    points = usable(seen.points)
    if not points:
        return [_of(seen.measurement)], [None]
    return [_of(point.measurement) for point in points], [point.end for point in points]


def _pairs(seen: Observation, base: Observation) -> tuple[list[Counts], list[Counts], list[datetime | None]]:
    """Return both sides point by point; a point of one side alone counts for that side."""
    ours, others = usable(seen.points), usable(base.points)
    if not ours or not others:
        return [_of(seen.measurement)], [_of(base.measurement)], [None]
    first, second = ({point.start: point for point in points} for points in (ours, others))
    # a baseline from before the change lies at other moments: then the first goes with the first
    if not first.keys() & second.keys():
        second = {a.start: replace(b, start=a.start, end=a.end) for a, b in zip(ours, others, strict=False)}
    starts = sorted(first.keys() | second.keys())
    nothing = Counts(0, 0)
    new = [_of(first[start].measurement) if start in first else nothing for start in starts]
    old = [_of(second[start].measurement) if start in second else nothing for start in starts]
    return new, old, [(first.get(start) or second[start]).end for start in starts]


def _of(measurement: Measurement) -> Counts:
    return Counts(measurement.hits or 0, measurement.samples)


def _number(measurement: Measurement) -> float:
    value = measurement.value if measurement.value is not None else math.nan
    return to_base(value, measurement.unit if kind_of(measurement.unit) else "")


def _base_value(base: Observation) -> float:
    return _number(base.measurement)


def _higher_is_better(check: Check) -> bool:
    return _upwards(check.condition) is not check.rollback


def _upwards(condition: Condition) -> bool:
    return condition.operator in _UPWARDS


def _odds(number: float) -> str:
    if number > _MOST_SHOWN:
        return f"over {_MOST_SHOWN:.0f}:1"
    return f"{number:.0f}:1" if number >= 10 else f"{number:.2g}:1"


def _signed(share: float) -> str:
    return f"{share * 100:+.3g} %"


def _level(spec: MetricSpec) -> str:
    return f"{(1 - spec.alpha) * 100:g} % confidence"
