"""Row by row what counts, series and baselines mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from f0ci.analysis.concluding import conclude
from f0ci.analysis.judging import Judgement, Verdict, judge
from f0ci.analysis.observing import combine
from f0ci.analysis.providers.base import Measurement, Observation, Point
from f0ci.core.outcome import Outcome
from f0ci.workflows.conditions import parse_condition
from f0ci.workflows.metrics import MetricSpec, Waiver
from f0ci.workflows.model import Check
from f0ci.workflows.units import Quantity

PASSED, FAILED, TOO_LITTLE = Verdict.PASSED, Verdict.FAILED, Verdict.INSUFFICIENT_DATA
START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
RATE = MetricSpec("rate", "prometheus", interval=timedelta(seconds=10))
SECONDS = MetricSpec("latency", "prometheus", unit="s", interval=timedelta(seconds=10), alpha=0.05)


def check(text: str, *, rollback: bool = False) -> Check:
    return Check(parse_condition(text), rollback, ())


def points(spec: MetricSpec, *measured: Measurement) -> Observation:
    step = timedelta(seconds=10)
    made = tuple(Point(START + step * at, START + step * (at + 1), one) for at, one in enumerate(measured))
    return Observation(combine(spec, made), made)


def counts(*pairs: tuple[int, int]) -> Observation:
    return points(RATE, *(Measurement(a / b, b, "ratio", hits=a) for a, b in pairs))


def values(*numbers: float) -> Observation:
    return points(SECONDS, *(Measurement(number, 1, "s") for number in numbers))


def once(hits: int, total: int) -> Measurement:
    return Measurement(hits / total, total, "ratio", hits=hits)


def earlier(seen: Observation) -> Observation:
    """The same, an hour before."""
    back = timedelta(hours=1)
    return replace(seen, points=tuple(replace(one, start=one.start - back, end=one.end - back) for one in seen.points))


LOW, HIGH = [0.1 + 0.001 * at for at in range(10)], [10 + 0.1 * at for at in range(10)]
REGRESSION = replace(RATE, regression=Quantity(1, "%"))
ROWS: list[tuple[str, Check, MetricSpec, Any, Any, Verdict, str]] = [
    ("clearly good", check("rate < 1%"), RATE, once(1, 5000), None, PASSED, "rate is 0.02 % (1 of 5000)"),
    ("clearly bad", check("rate < 1%"), RATE, once(50, 1000), None, FAILED, "100:1 decides"),
    ("bad by too little", check("rate < 1%"), RATE, once(2, 100), None, TOO_LITTLE, "too little to decide"),
    ("a trigger, bad by too little", check("rate > 1%", rollback=True), RATE, once(2, 100), None, TOO_LITTLE, "holds"),
    ("a trigger, clearly bad", check("rate > 1%", rollback=True), RATE, once(90, 1000), None, FAILED, "holds"),
    ("a trigger, good", check("rate > 1%", rollback=True), RATE, once(0, 10), None, PASSED, "does not hold"),
    ("more is better", check("rate >= 99%"), RATE, once(950, 1000), None, FAILED, "does not hold"),
    ("more is better, good", check("rate >= 99%"), RATE, once(998, 1000), None, PASSED, "holds"),
    ("a threshold of success", check("rate >= 0.95"), RATE, once(80, 100), None, FAILED, "does not hold"),
    ("one where none may be", check("rate > 0%", rollback=True), RATE, once(1, 9), None, FAILED, "holds"),
    ("a threshold, asked for", check("rate < 1%"), replace(RATE, judge="threshold"), once(2, 100), None, FAILED, "not"),
    ("equality is no evidence", check("rate == 1%"), RATE, once(2, 100), None, FAILED, "does not hold"),
    (
        "a strict alpha",
        check("rate < 1%"),
        replace(RATE, alpha=1e-9),
        once(8, 100),
        None,
        TOO_LITTLE,
        "over 1000000:1 decides",
    ),
    ("regression ruled out", check("rate < 1%"), REGRESSION, once(5, 2000), None, PASSED, "1% more is ruled out"),
    ("regression possible", check("rate < 1%"), REGRESSION, once(1, 200), None, TOO_LITTLE, "is not ruled out yet"),
    (
        "called at its moment",
        check("rate < 1%"),
        RATE,
        counts((0, 100), (30, 100), (0, 100)),
        None,
        FAILED,
        "09:00:20Z",
    ),
    ("no better afterwards", check("rate < 1%"), RATE, counts((9, 20), *[(0, 1000)] * 9), None, FAILED, "09:00:10Z"),
    ("worse canary", check("rate <= baseline"), RATE, once(60, 1000), once(100, 10000), FAILED, "the baseline 1 %"),
    (
        "worse by what is allowed",
        check("rate <= baseline * 8"),
        RATE,
        once(60, 1000),
        once(100, 10000),
        PASSED,
        "holds",
    ),
    ("a bit worse", check("rate <= baseline"), RATE, once(2, 100), once(10, 1000), TOO_LITTLE, "too little"),
    (
        "better canary",
        check("rate <= baseline"),
        RATE,
        once(1, 1000),
        once(100, 10000),
        PASSED,
        "difference lies between",
    ),
    ("less success", check("rate >= baseline * 0.99"), RATE, once(900, 1000), once(9990, 10000), FAILED, "not hold"),
    ("as much success", check("rate >= baseline * 0.99"), RATE, once(998, 1000), once(9980, 10000), PASSED, "holds"),
    (
        "point beside point",
        check("rate <= baseline * 1.2"),
        RATE,
        counts(*[(10, 100)] * 5),
        counts(*[(1, 100)] * 5),
        FAILED,
        "reached at",
    ),
    (
        "ruled out beside a baseline",
        check("rate <= baseline"),
        REGRESSION,
        once(5, 10000),
        once(100, 100_000),
        PASSED,
        "1% more is ruled out",
    ),
    ("slower, all points", check("latency <= baseline"), SECONDS, values(*HIGH), values(*LOW), FAILED, "20:1 decides"),
    ("as fast", check("latency <= baseline * 1.1"), SECONDS, values(*LOW), values(*reversed(LOW)), PASSED, "holds"),
    (
        "4 of 10 points slow, the middle is not",
        check("latency <= baseline * 1.2"),
        replace(SECONDS, settings={"aggregate": "p50"}),
        values(*HIGH[:4], *LOW[4:]),
        values(*LOW),
        TOO_LITTLE,
        "20:1 decides",
    ),
    (
        "6 of 10 points slow",
        check("latency <= baseline * 1.2"),
        SECONDS,
        values(*HIGH[:6], *LOW[6:]),
        values(*LOW),
        FAILED,
        "evidence against it",
    ),
    (
        "twice as slow is ruled out",
        check("latency <= baseline * 1.1"),
        replace(SECONDS, regression=Quantity(100, "%")),
        values(*LOW),
        values(*reversed(LOW)),
        PASSED,
        "100% more is ruled out",
    ),
    (
        "a little slower is not",
        check("latency <= baseline"),
        replace(SECONDS, regression=Quantity(1, "%")),
        values(*LOW),
        values(*reversed(LOW)),
        TOO_LITTLE,
        "1% more is not ruled out yet",
    ),
    (
        "half as many is ruled out",
        check("latency >= baseline * 0.9"),
        replace(SECONDS, regression=Quantity(50, "%")),
        values(*HIGH),
        values(*reversed(HIGH)),
        PASSED,
        "50% more is ruled out",
    ),
    (
        "a baseline from before",
        check("rate <= baseline"),
        RATE,
        counts(*[(10, 100)] * 5),
        earlier(counts(*[(1, 100)] * 6)),
        FAILED,
        "with 300 samples",
    ),
    ("one side without points", check("rate <= baseline"), RATE, counts((60, 500)), once(10, 1000), FAILED, "baseline"),
    ("fewer requests", check("latency >= baseline * 0.5"), SECONDS, values(*LOW), values(*HIGH), FAILED, "not hold"),
    ("a value beside a value", check("latency <= baseline"), SECONDS, values(2.0), values(1.0), FAILED, "not hold"),
    ("mean of points", check("latency < 2s"), SECONDS, values(1, 1, 9), None, FAILED, "latency is 3.66667s"),
    (
        "as many points as may",
        check("latency < 2s"),
        replace(SECONDS, failure_limit=1),
        values(1, 1, 9),
        None,
        PASSED,
        "1 of 3 points break it, 1 may",
    ),
    (
        "one point more",
        check("latency < 2s"),
        replace(SECONDS, failure_limit=1),
        values(9, 1, 9),
        None,
        FAILED,
        "2 of 3 points break it, 1 may",
    ),
    (
        "none may",
        check("latency > 2s", rollback=True),
        replace(SECONDS, failure_limit=0),
        values(1, 3, 1),
        None,
        FAILED,
        "1 of 3 points break it, 0 may",
    ),
]


@pytest.mark.parametrize(
    ("asked", "spec", "seen", "base", "verdict", "reason"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_each_row(asked: Check, spec: MetricSpec, seen: Any, base: Any, verdict: Verdict, reason: str) -> None:
    judgement = judge(asked, spec, seen, base)

    assert judgement.verdict is verdict, judgement.reason
    assert reason in judgement.reason


def test_a_late_look_tells_the_same_moment() -> None:
    early = judge(check("rate < 1%"), RATE, counts((0, 100), (30, 100)))
    late = judge(check("rate < 1%"), RATE, counts((0, 100), (30, 100), *[(0, 1000)] * 20))

    assert early.verdict is late.verdict is FAILED
    assert early.decided_at == late.decided_at == START + timedelta(seconds=20)
    assert late.value is not None
    assert late.value < 0.01


def test_what_is_recorded() -> None:
    found = judge(check("rate < 1%"), RATE, counts((50, 1000))).to_json()

    assert found["verdict"] == "failed"
    assert found["decided_at"] == "2026-11-21T09:00:10Z"
    assert found["low"] < 0.05 < found["high"]
    assert found["odds"] > 100
    assert "dry_run" not in found
    assert judge(check("rate < 1%"), replace(RATE, dry_run=True), counts((50, 1000))).to_json()["dry_run"] is True


WAIVED = replace(
    RATE,
    on_no_traffic="pass-with-waiver",
    on_insufficient_data="pass-with-waiver",
    waiver=Waiver("nobody shops at night", date(2026, 11, 21)),
)
OTHER = replace(RATE, name="other")
IDLE = Judgement(Verdict.NO_TRAFFIC, None, 0, "no traffic", "rate")
GOOD = Judgement(Verdict.PASSED, 0.0, 10, "fine", "other")
DRY = replace(IDLE, verdict=Verdict.FAILED, reason="bad", dry_run=True)
CONCLUSIONS: list[tuple[str, list[Judgement], MetricSpec, Outcome, str, str]] = [
    ("waived beside an answer", [IDLE, GOOD], WAIVED, Outcome.PASSED, "none", "nobody shops at night"),
    ("everything waived", [IDLE], WAIVED, Outcome.INCONCLUSIVE, "none", "nothing was measured"),
    (
        "a waiver that is over",
        [IDLE, GOOD],
        replace(WAIVED, waiver=Waiver("old", date(2026, 11, 20))),
        Outcome.INCONCLUSIVE,
        "none",
        "its waiver is over since 2026-11-20",
    ),
    ("no waiver", [IDLE, GOOD], replace(WAIVED, waiver=None), Outcome.INCONCLUSIVE, "none", "it has no waiver"),
    (
        "a failure is never waived",
        [replace(IDLE, verdict=Verdict.FAILED, reason="bad"), GOOD],
        WAIVED,
        Outcome.FAILED,
        "none",
        "bad",
    ),
    ("a dry run beside an answer", [DRY, GOOD], RATE, Outcome.PASSED, "measured", "fine"),
    ("only dry runs", [DRY], RATE, Outcome.SKIPPED, "none", "decides nothing: bad"),
]


@pytest.mark.parametrize(
    ("judgements", "spec", "outcome", "verification", "reason"),
    [row[1:] for row in CONCLUSIONS],
    ids=[row[0] for row in CONCLUSIONS],
)
def test_waivers_and_dry_runs(
    judgements: list[Judgement], spec: MetricSpec, outcome: Outcome, verification: str, reason: str
) -> None:
    found = conclude(judgements, {"rate": spec, "other": OTHER}, expired=True, at=START)

    assert (found.outcome, found.verification) == (outcome, verification)
    assert any(reason in one for one in found.reasons)


@pytest.mark.parametrize("policy", ["wait", "pause", "fail", "pass-with-waiver"])
@pytest.mark.parametrize("verdict", [Verdict.INSUFFICIENT_DATA, Verdict.NO_TRAFFIC])
def test_while_the_window_lasts_more_may_come(policy: str, verdict: Verdict) -> None:
    spec = replace(WAIVED, on_insufficient_data=policy, on_no_traffic=policy)
    unanswered = [replace(IDLE, verdict=verdict)]

    assert conclude(unanswered, {"rate": spec}, at=START, complete=False).outcome is Outcome.WAITING
    assert conclude(unanswered, {"rate": spec}, at=START).outcome is not Outcome.PASSED


def test_an_error_is_not_waited_for_against_what_is_said() -> None:
    spec = replace(RATE, on_provider_error="fail")
    failed = [replace(IDLE, verdict=Verdict.PROVIDER_ERROR)]

    assert conclude(failed, {"rate": spec}, complete=False).outcome is Outcome.FAILED
