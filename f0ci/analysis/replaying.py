"""Judging recorded history as if it were promotions: what gates would have said; pure.

A span is a window in which something ran. What was observed in it is judged look by look, as a promotion would have
been, as it is and with regressions put into it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from f0ci.analysis.concluding import conclude
from f0ci.analysis.judging import Judgement, Verdict, judge
from f0ci.analysis.looking import comparable
from f0ci.analysis.observing import combine
from f0ci.analysis.providers.base import Measurement, Observation
from f0ci.core.outcome import Outcome
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.model import Check
from f0ci.workflows.units import Quantity, kind_of, to_base

# above so many observations a binomial number is drawn from the normal distribution that it tends to
_MANY = 2000
_CONFIDENCE = 0.01


@dataclass(frozen=True, slots=True)
class Span:
    """A window of history.

    Attributes:
        start: its first moment.
        end: its last moment.
        name: what ran, for people.
        healthy: False where it is known that what ran was bad.
        release: digest of what ran, or empty.
        stable: digest of what ran before, or empty.
        changed_at: when the environment changed to it.
    """

    start: datetime
    end: datetime
    name: str
    healthy: bool = True
    release: str = ""
    stable: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What gates would have said of a span.

    Attributes:
        span: the window.
        outcome: `passed`, `failed` (rolled back) or `undecided`.
        at: the moment of the verdict; the end of what is known where there was none.
        reasons: why.
        judgements: of the whole span, in the checks' order.
    """

    span: Span
    outcome: str
    at: datetime
    reasons: tuple[str, ...]
    judgements: tuple[Judgement, ...] = ()


@dataclass(frozen=True, slots=True)
class Injection:
    """A regression that is put into history.

    Attributes:
        metric: the metric that gets worse.
        target: the share or value that it gets, or None where `factor` says how it grows.
        factor: what values are multiplied by, or None.
        after: how long after the span's beginning it begins.
    """

    metric: str
    target: Quantity | None = None
    factor: float | None = None
    after: timedelta = timedelta()

    def __str__(self) -> str:
        return f"{self.metric}={self.target if self.target is not None else f'*{self.factor:g}'}"


@dataclass(frozen=True, slots=True)
class Rates:
    """How often something happened, and how long it took.

    Attributes:
        count: how many spans there were.
        failed: how many were rolled back.
        undecided: how many had no verdict.
        delays: seconds from where a regression began to the verdict, of those rolled back, sorted.
    """

    count: int
    failed: int
    undecided: int
    delays: tuple[float, ...] = ()

    @property
    def highest(self) -> float:
        """The largest share of rollbacks that the count does not rule out, at 99 % confidence (Clopper, Pearson)."""
        return upper_limit(self.failed, self.count, _CONFIDENCE)

    def delay(self, share: float) -> float | None:
        """Return the delay that a share of those rolled back did not exceed, in seconds."""
        return self.delays[max(0, math.ceil(share * len(self.delays)) - 1)] if self.delays else None


def replay(
    checks: Sequence[Check],
    specs: Mapping[str, MetricSpec],
    span: Span,
    seen: Mapping[str, Observation],
    bases: Mapping[str, Observation | None],
) -> Replayed:
    """Judge a span look by look.

    Args:
        checks: success criteria and rollback triggers.
        specs: how each of their metrics is judged.
        span: the window.
        seen: what was observed of each metric, point by point.
        bases: what each baseline observed, where a condition needs one.
    """
    ran_before = bool(span.stable) and span.stable != span.release
    judgements = tuple(
        comparable(check, specs.get(name), judge(check, specs.get(name), seen.get(name), bases.get(name)), ran_before)
        for check in checks
        for name in [check.condition.metric]
    )
    broken = [
        first
        for check, judgement in zip(checks, judgements, strict=True)
        if not judgement.dry_run
        for first in [_failed_at(check, judgement, specs, seen, bases)]
        if first is not None
    ]
    if broken:
        at, reason = min(broken)
        return Replayed(span, "failed", at, (reason,), judgements)
    conclusion = conclude(judgements, specs, expired=True, at=span.end)
    outcome = {Outcome.PASSED: "passed", Outcome.FAILED: "failed"}.get(conclusion.outcome, "undecided")
    return Replayed(span, outcome, span.end, conclusion.reasons, judgements)


def _failed_at(
    check: Check,
    judgement: Judgement,
    specs: Mapping[str, MetricSpec],
    seen: Mapping[str, Observation],
    bases: Mapping[str, Observation | None],
) -> tuple[datetime, str] | None:
    """Return the first look at which a check fails, and why, or None."""
    name = check.condition.metric
    spec, observed = specs.get(name), seen.get(name)
    if spec is None or observed is None or not observed.points:
        return None
    if judgement.odds is not None and judgement.verdict is not Verdict.FAILED:
        # evidence that once sufficed stands, so what does not fail in the end never failed
        return None
    for end in range(1, len(observed.points) + 1):
        moment = observed.points[end - 1].end
        if judgement.decided_at is not None and moment < judgement.decided_at:
            continue
        points = observed.points[:end]
        base = _until(specs[name], bases.get(name), end)
        look = judge(check, spec, Observation(combine(spec, points), points), base)
        if look.verdict is Verdict.FAILED:
            return moment, look.reason
    return None


def _until(spec: MetricSpec, base: Observation | None, end: int) -> Observation | None:
    if base is None or not base.points:
        return base
    return Observation(combine(spec, base.points[:end]), base.points[:end])


def inject(
    spec: MetricSpec, seen: Observation, injection: Injection, start: datetime, rng: random.Random
) -> Observation:
    """Return what would have been observed with a regression.

    Args:
        spec: how the metric is measured.
        seen: what was observed.
        injection: the regression.
        start: when the span begins.
        rng: where chance comes from.
    """
    usual = seen.measurement.value or 0.0
    points = tuple(
        replace(point, measurement=_worse(point.measurement, injection, usual, rng))
        if point.end > start + injection.after
        else point
        for point in seen.points
    )
    return Observation(combine(spec, points), points)


def _worse(one: Measurement, injection: Injection, usual: float, rng: random.Random) -> Measurement:
    if one.value is None or one.error is not None:
        return one
    if one.hits is None:
        if injection.target is None:
            return replace(one, value=one.value * (injection.factor or 1.0))
        scale = to_base(1.0, one.unit) if kind_of(one.unit) else 1.0
        return replace(one, value=injection.target.base / scale)
    wanted = injection.target.base if injection.target is not None else min(1.0, usual * (injection.factor or 1.0))
    if wanted >= usual:
        hits = one.hits + _binomial(rng, one.samples - one.hits, (wanted - usual) / (1 - usual) if usual < 1 else 0.0)
    else:
        hits = one.hits - _binomial(rng, one.hits, (usual - wanted) / usual)
    return replace(one, hits=hits, value=hits / one.samples if one.samples else None)


def rates(replayed: Sequence[Replayed], after: timedelta | None = None) -> Rates:
    """Count what was said of spans.

    Args:
        replayed: the spans.
        after: how long after a span's beginning its regression began, or None where there was none.
    """
    failed = [one for one in replayed if one.outcome == "failed"]
    delays = () if after is None else sorted((one.at - one.span.start - after).total_seconds() for one in failed)
    return Rates(len(replayed), len(failed), sum(one.outcome == "undecided" for one in replayed), tuple(delays))


def consecutive(start: datetime, end: datetime, length: timedelta) -> list[Span]:
    """Return whole windows of a length, one after the other."""
    count = int((end - start) / length) if length > timedelta() else 0
    return [Span(start + length * at, start + length * (at + 1), f"window {at + 1}") for at in range(count)]


def upper_limit(hits: int, total: int, alpha: float) -> float:
    """Return the largest proportion under which so few hits have at least the probability `alpha`; exact."""
    if hits >= total:
        return 1.0

    def at_most(share: float) -> float:
        logs = [
            math.lgamma(total + 1)
            - math.lgamma(k + 1)
            - math.lgamma(total - k + 1)
            + k * math.log(share)
            + (total - k) * math.log1p(-share)
            for k in range(hits + 1)
        ]
        return math.fsum(map(math.exp, logs))

    return _halved(at_most, hits / total, 1.0, alpha)


def _halved(falling: Callable[[float], float], low: float, high: float, wanted: float) -> float:
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > wanted else (low, middle)
    return high


def _binomial(rng: random.Random, total: int, share: float) -> int:
    if total <= _MANY:
        return sum(rng.random() < share for _ in range(total))
    drawn = round(rng.gauss(total * share, math.sqrt(total * share * (1 - share))))
    return min(total, max(0, drawn))
