from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from f0ci.analysis.observing import combine
from f0ci.analysis.providers.base import Measurement, Observation, Point
from f0ci.analysis.replaying import Injection, Rates, Span, consecutive, inject, rates, replay
from f0ci.workflows.conditions import parse_condition
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.model import Check
from f0ci.workflows.units import Quantity

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
STEP = timedelta(seconds=10)
RATE = MetricSpec("rate", "file", interval=STEP, regression=Quantity(2, "%"), min_samples=100)
SLOW = MetricSpec("slow", "file", unit="ms", interval=STEP)
SPAN = Span(START, START + 20 * STEP, "window 1")
CHECKS = (
    Check(parse_condition("rate < 1%"), rollback=False, at=()),
    Check(parse_condition("slow > 800ms"), rollback=True, at=()),
)
SPECS = {"rate": RATE, "slow": SLOW}


def observed(spec: MetricSpec, measured: list[Measurement]) -> Observation:
    points = tuple(Point(START + STEP * at, START + STEP * (at + 1), one) for at, one in enumerate(measured))
    return Observation(combine(spec, points), points)


def rate(*hits: int, total: int = 500) -> Observation:
    return observed(RATE, [Measurement(one / total, total, "ratio", hits=one) for one in hits])


def slow(*numbers: float) -> Observation:
    return observed(SLOW, [Measurement(one, 1, "ms") for one in numbers])


GOOD, FAST = [2] * 20, [300.0] * 20


def test_a_healthy_window_passes_and_says_why() -> None:
    found = replay(CHECKS, SPECS, SPAN, {"rate": rate(*GOOD), "slow": slow(*FAST)}, {})

    assert (found.outcome, found.at) == ("passed", SPAN.end)
    assert "rate is 0.4 % (40 of 10000)" in found.reasons[0]


def test_a_regression_is_called_at_its_look_and_by_what_was_known_then() -> None:
    found = replay(CHECKS, SPECS, SPAN, {"rate": rate(*[2] * 10, *[100] * 10), "slow": slow(*FAST)}, {})

    assert (found.outcome, found.at) == ("failed", START + 11 * STEP)
    assert "(120 of 5500)" in found.reasons[0]


def test_a_threshold_is_called_at_the_first_look_that_breaks_it() -> None:
    found = replay(CHECKS, SPECS, SPAN, {"rate": rate(*GOOD), "slow": slow(*[300] * 9, *[9000] * 11)}, {})

    assert (found.outcome, found.at) == ("failed", START + 10 * STEP)


@pytest.mark.parametrize("few", [rate(0, total=50), rate(*[2] * 2, total=40), observed(RATE, [])])
def test_too_little_is_undecided(few: Observation) -> None:
    assert replay(CHECKS, SPECS, SPAN, {"rate": few, "slow": slow(*FAST)}, {}).outcome == "undecided"


def test_what_nobody_measures_is_undecided() -> None:
    assert replay(CHECKS, {"slow": SLOW}, SPAN, {"slow": slow(*FAST)}, {}).outcome == "undecided"


INJECTED = [
    ("a rate", rate(*GOOD), RATE, Injection("rate", Quantity(10, "%"), after=10 * STEP), 0.4, 10),
    ("a better rate", rate(*[480] * 20), RATE, Injection("rate", Quantity(50, "%"), after=10 * STEP), 96, 50),
    ("a multiple", rate(*[50] * 20), RATE, Injection("rate", factor=3, after=10 * STEP), 10, 30),
]


@pytest.mark.parametrize(
    ("seen", "spec", "injection", "before", "after"), [r[1:] for r in INJECTED], ids=[r[0] for r in INJECTED]
)
def test_a_rate_gets_what_is_put_in(
    seen: Observation, spec: MetricSpec, injection: Injection, before: float, after: float
) -> None:
    found = inject(spec, seen, injection, START, random.Random(1))
    first, second = (
        100 * sum(p.measurement.hits or 0 for p in part) / sum(p.measurement.samples for p in part)
        for part in (found.points[:10], found.points[10:])
    )

    assert first == pytest.approx(before)
    assert second == pytest.approx(after, rel=0.1)
    assert all(0 <= (p.measurement.hits or 0) <= p.measurement.samples for p in found.points)


def test_values_get_what_is_put_in() -> None:
    doubled = inject(SLOW, slow(*FAST), Injection("slow", factor=2, after=19 * STEP), START, random.Random(1))
    fixed = inject(SLOW, slow(*FAST), Injection("slow", Quantity(1.5, "s")), START, random.Random(1))

    assert [point.measurement.value for point in doubled.points[-2:]] == [300, 600]
    assert {point.measurement.value for point in fixed.points} == {1500}


def test_rates_and_delays() -> None:
    spans = [
        replay(CHECKS, SPECS, SPAN, {"rate": rate(*[2] * 10, *[bad] * 10), "slow": slow(*FAST)}, {})
        for bad in (2, 60, 100)
    ]
    found = rates(spans, 10 * STEP)

    assert (found.count, found.failed, found.undecided) == (3, 2, 0)
    assert list(found.delays) == [10, 10]
    assert [found.delay(share) for share in (0.5, 0.95)] == [10, 10]
    assert [Rates(300, 0, 0).delay(share) for share in (0.5, 0.95)] == [None, None]
    assert Rates(300, 0, 0).highest == pytest.approx(0.0152, abs=1e-4)


def test_windows_follow_one_another() -> None:
    found = consecutive(START, START + timedelta(minutes=35), timedelta(minutes=10))

    assert [(one.start.minute, one.end.minute) for one in found] == [(0, 10), (10, 20), (20, 30)]
    assert consecutive(START, START, timedelta(minutes=10)) == []
