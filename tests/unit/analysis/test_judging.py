from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.analysis.concluding import Conclusion, conclude
from f0ci.analysis.judging import Judgement, Verdict, judge
from f0ci.analysis.providers.base import Measurement
from f0ci.core.outcome import Outcome
from f0ci.workflows.conditions import parse_condition
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.model import Check

PASSED, FAILED = Verdict.PASSED, Verdict.FAILED
TOO_LITTLE, NO_TRAFFIC, ERROR = Verdict.INSUFFICIENT_DATA, Verdict.NO_TRAFFIC, Verdict.PROVIDER_ERROR
RATE = MetricSpec("error_rate", "file", unit="%", min_samples=100)
LATENCY = MetricSpec("latency", "file", unit="ms")
PLAIN = MetricSpec("queue", "file")
FOUND = MetricSpec("found", "command")
LOOSE = replace(RATE, min_samples=0)


def criterion(text: str) -> Check:
    return Check(parse_condition(text), rollback=False, at=())


def trigger(text: str) -> Check:
    return Check(parse_condition(text), rollback=True, at=())


def m(value: float | None, samples: int = 1000, **more: object) -> Measurement:
    return replace(Measurement(value, samples), **more)  # type: ignore[arg-type]


ROWS: list[tuple[str, Check, MetricSpec | None, Measurement | None, Verdict, str]] = [
    # 1
    ("no metric", criterion("error_rate < 1%"), None, m(0), ERROR, "metric 'error_rate' is not declared"),
    ("no detector", trigger("found"), None, None, ERROR, "detector 'found' is not declared"),
    ("not asked", criterion("error_rate < 1%"), RATE, None, ERROR, "metric 'error_rate' was not measured"),
    ("detector not asked", trigger("found"), FOUND, None, ERROR, "detector 'found' was not measured"),
    # 2
    ("error", criterion("error_rate < 1%"), RATE, m(0, error="refused"), ERROR, "could not be measured: refused"),
    ("error first", criterion("error_rate < 1s"), RATE, m(0, error="refused"), ERROR, "refused"),
    # 3
    ("wrong unit", criterion("error_rate < 1s"), RATE, m(0), ERROR, "compared with a time"),
    ("unknown unit", criterion("x < 1"), MetricSpec("x", "file", unit="apples"), m(0), ERROR, "unknown unit 'apples'"),
    ("measured in another kind", criterion("latency < 1s"), LATENCY, m(3, unit="%"), ERROR, "measured in '%'"),
    ("measured in no known unit", criterion("queue < 1"), PLAIN, m(0, unit="pears"), ERROR, "unknown unit 'pears'"),
    ("no unit for a time", criterion("queue < 1s"), PLAIN, m(0), ERROR, "has no unit"),
    # 4
    ("several series", criterion("error_rate < 1%"), RATE, m(0, series=3), ERROR, "3 series answer"),
    # 5
    ("no traffic", criterion("error_rate < 1%"), RATE, m(None, 0, no_traffic=True), NO_TRAFFIC, "saw no traffic"),
    (
        "no traffic, with a note",
        criterion("error_rate < 1%"),
        RATE,
        m(0, 0, no_traffic=True, note="closed"),
        NO_TRAFFIC,
        "traffic: closed",
    ),
    # 6
    ("no series", criterion("error_rate < 1%"), RATE, m(0, series=0), TOO_LITTLE, "has no value"),
    ("no value", criterion("error_rate < 1%"), RATE, m(None, note="asked late"), TOO_LITTLE, "no value: asked late"),
    ("NaN", criterion("error_rate < 1%"), RATE, m(math.nan), TOO_LITTLE, "has no value"),
    ("NaN is not a broken trigger", trigger("error_rate > 2%"), RATE, m(math.nan), TOO_LITTLE, "has no value"),
    ("NaN differs from nothing", criterion("error_rate != 1%"), RATE, m(math.nan), TOO_LITTLE, "has no value"),
    # 7
    ("infinite", criterion("error_rate >= 1%"), RATE, m(math.inf), ERROR, "is infinite"),
    ("infinite below", criterion("error_rate < 1%"), RATE, m(-math.inf), ERROR, "is infinite"),
    # 8
    ("too few samples", criterion("error_rate < 1%"), RATE, m(0, 99), TOO_LITTLE, "99 of at least 100 samples"),
    ("too few to fail", trigger("error_rate > 2%"), RATE, m(90, 99), TOO_LITTLE, "99 of at least 100 samples"),
    ("none at all", criterion("error_rate < 1%"), LOOSE, m(0, 0), TOO_LITTLE, "0 of at least 1 samples"),
    ("a negative count", criterion("error_rate < 1%"), LOOSE, m(0, -5), TOO_LITTLE, "-5 of at least 1"),
    # 11
    ("holds", criterion("error_rate < 1%"), RATE, m(0.99, 100), PASSED, "criterion 'error_rate < 1%' holds"),
    ("trigger does not hold", trigger("error_rate > 2%"), RATE, m(2), PASSED, "does not hold"),
    ("not detected", trigger("found"), FOUND, m(0, 1), PASSED, "'found' is not detected"),
    ("a name as a criterion", criterion("found"), FOUND, m(1, 1), PASSED, "'found' is detected"),
    ("ratio counted, percent declared", criterion("error_rate < 1%"), RATE, m(0.009, unit="ratio"), PASSED, "0.009"),
    ("provider names the unit", criterion("queue < 1%"), PLAIN, m(0.5, unit="%"), PASSED, "0.5%"),
    ("milliseconds and seconds", criterion("latency <= 1.5s"), LATENCY, m(1500), PASSED, "1500ms (1000 samples)"),
    # 12
    ("does not hold", criterion("error_rate < 1%"), RATE, m(1, 100), FAILED, "does not hold"),
    ("trigger holds", trigger("error_rate > 2%"), RATE, m(2.01), FAILED, "trigger 'error_rate > 2%' holds"),
    ("detected", trigger("found"), FOUND, m(1, 1), FAILED, "'found' is detected"),
    ("a name as a broken criterion", criterion("found"), FOUND, m(0, 1), FAILED, "'found' is not detected"),
    ("one sample", criterion("latency < 1s"), LATENCY, m(1000.5, 1), FAILED, "(1 sample)"),
]


@pytest.mark.parametrize(
    ("check", "spec", "measurement", "verdict", "reason"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_each_branch_of_judging(
    check: Check, spec: MetricSpec | None, measurement: Measurement | None, verdict: Verdict, reason: str
) -> None:
    judgement = judge(check, spec, measurement)

    assert judgement.verdict is verdict
    assert reason in judgement.reason
    assert judgement.metric == check.condition.metric
    assert judgement.condition == str(check.condition)
    assert judgement.rollback is check.rollback
    assert (judgement.value is not None) is (verdict in {PASSED, FAILED})
    assert judgement.samples == (measurement.samples if measurement else 0)


BASELINE = criterion("error_rate <= baseline * 1.5")
BASELINES: list[tuple[str, Check, Measurement, Measurement | None, Verdict, str]] = [
    ("none", BASELINE, m(1), None, TOO_LITTLE, "has no baseline"),
    ("within", BASELINE, m(1.5), m(1), PASSED, "is 1.5%, the baseline 1"),
    ("above", BASELINE, m(1.51), m(1), FAILED, "does not hold"),
    ("a trigger", trigger("error_rate > baseline"), m(1.51), m(1), FAILED, "holds"),
    ("other units", BASELINE, m(0.015, unit="ratio"), m(1), PASSED, "holds"),
    ("in error", BASELINE, m(1), m(1, error="gone"), ERROR, "baseline: 'error_rate' could not be measured: gone"),
    ("several series", BASELINE, m(1), m(1, series=2), ERROR, "baseline: 2 series"),
    ("no traffic", BASELINE, m(1), m(None, no_traffic=True), NO_TRAFFIC, "baseline: metric 'error_rate' saw no"),
    ("NaN", BASELINE, m(1), m(math.nan), TOO_LITTLE, "baseline: metric 'error_rate' has no value"),
    ("too few", BASELINE, m(1), m(1, 99), TOO_LITTLE, "baseline: metric 'error_rate' has 99"),
    ("the metric first", BASELINE, m(1, 99), m(1, error="gone"), TOO_LITTLE, "metric 'error_rate' has 99"),
    ("not asked for", criterion("error_rate < 2%"), m(1), m(1, error="gone"), PASSED, "holds"),
]


@pytest.mark.parametrize(
    ("check", "measurement", "baseline", "verdict", "reason"),
    [row[1:] for row in BASELINES],
    ids=[row[0] for row in BASELINES],
)
def test_comparisons_with_a_baseline(
    check: Check, measurement: Measurement, baseline: Measurement | None, verdict: Verdict, reason: str
) -> None:
    judgement = judge(check, RATE, measurement, baseline)

    assert judgement.verdict is verdict
    assert judgement.reason.find(reason) >= 0


def test_the_value_of_a_judgement_is_in_the_base_unit() -> None:
    assert judge(criterion("latency < 2s"), LATENCY, m(1500)).value == 1.5
    assert judge(criterion("error_rate < 2%"), RATE, m(1)).value == 0.01


measurements = st.builds(
    Measurement,
    st.none() | st.floats(),
    st.integers(-1, 300),
    unit=st.sampled_from(["", "%", "ratio", "ms", "odd"]),
    series=st.integers(0, 3),
    error=st.none() | st.just("gone"),
    no_traffic=st.booleans(),
)
checks = st.builds(
    Check,
    st.sampled_from(["r < 1%", "r > 2%", "r <= baseline * 1.2", "r", "r != 0", "r < 2s"]).map(parse_condition),
    st.booleans(),
    st.just(()),
)
specs = st.builds(
    MetricSpec,
    st.just("r"),
    st.just("file"),
    unit=st.sampled_from(["", "%", "ms", "count"]),
    min_samples=st.integers(0, 200),
)


@given(checks, st.none() | specs, st.none() | measurements, st.none() | measurements)
def test_nothing_unknown_ever_passes(
    check: Check, spec: MetricSpec | None, measurement: Measurement | None, baseline: Measurement | None
) -> None:
    judgement = judge(check, spec, measurement, baseline)

    assert judgement.reason
    if judgement.verdict in {PASSED, FAILED}:
        assert spec is not None
        assert measurement is not None
        assert measurement.value is not None
        assert math.isfinite(measurement.value)
        assert (measurement.error, measurement.no_traffic, measurement.series) == (None, False, 1)
        assert measurement.samples >= max(1, spec.min_samples)
        assert baseline is not None or not check.condition.needs_baseline
        # the opposite question has the opposite answer
        opposite = judge(replace(check, rollback=not check.rollback), spec, measurement, baseline)
        assert {judgement.verdict, opposite.verdict} == {PASSED, FAILED}


def j(verdict: Verdict, metric: str = "a") -> Judgement:
    return Judgement(verdict, None, 0, f"{metric} {verdict}", metric)


def policies(insufficient: str = "wait", traffic: str = "wait", error: str = "wait") -> dict[str, MetricSpec]:
    spec = MetricSpec("a", "file", {}, "", 1, insufficient, traffic, error)
    return {"a": spec, "b": MetricSpec("b", "file")}


WAIT, PAUSE, FAIL, ODD = policies(), policies(*["pause"] * 3), policies(*["fail"] * 3), policies(*["ignore"] * 3)
CONCLUSIONS: list[tuple[str, list[Judgement], dict[str, MetricSpec], bool, Outcome, tuple[str, ...]]] = [
    ("nothing", [], WAIT, False, Outcome.SKIPPED, ("nothing was checked",)),
    ("nothing, late", [], WAIT, True, Outcome.SKIPPED, ("nothing was checked",)),
    ("passed", [j(PASSED)], WAIT, False, Outcome.PASSED, ("a passed",)),
    ("all passed", [j(PASSED), j(PASSED, "b")], WAIT, True, Outcome.PASSED, ("a passed", "b passed")),
    ("passed without a policy", [j(PASSED, "c")], WAIT, False, Outcome.PASSED, ("c passed",)),
    ("failed", [j(FAILED)], WAIT, False, Outcome.FAILED, ("a failed",)),
    ("failed without a policy", [j(FAILED, "c")], WAIT, False, Outcome.FAILED, ("c failed",)),
    ("failed among passed", [j(PASSED), j(FAILED, "b")], WAIT, False, Outcome.FAILED, ("b failed",)),
    (
        "failed wins over errors",
        [j(ERROR, "c"), j(FAILED, "b")],
        WAIT,
        True,
        Outcome.FAILED,
        ("b failed", "c provider_error"),
    ),
    ("too little, wait", [j(TOO_LITTLE)], WAIT, False, Outcome.WAITING, ("a insufficient_data",)),
    ("too little, pause", [j(TOO_LITTLE)], PAUSE, False, Outcome.INCONCLUSIVE, ("a insufficient_data",)),
    ("too little, fail", [j(TOO_LITTLE)], FAIL, False, Outcome.FAILED, ("a insufficient_data",)),
    ("too little, odd", [j(TOO_LITTLE)], ODD, False, Outcome.INCONCLUSIVE, ("a insufficient_data",)),
    ("too little, late", [j(TOO_LITTLE)], WAIT, True, Outcome.INCONCLUSIVE, ("a insufficient_data",)),
    ("no traffic, wait", [j(NO_TRAFFIC)], WAIT, False, Outcome.WAITING, ("a no_traffic",)),
    ("no traffic, pause", [j(NO_TRAFFIC)], policies(traffic="pause"), False, Outcome.INCONCLUSIVE, ("a no_traffic",)),
    ("no traffic, fail", [j(NO_TRAFFIC)], policies(traffic="fail"), False, Outcome.FAILED, ("a no_traffic",)),
    ("no traffic, late", [j(NO_TRAFFIC)], WAIT, True, Outcome.INCONCLUSIVE, ("a no_traffic",)),
    ("error, wait", [j(ERROR)], WAIT, False, Outcome.WAITING, ("a provider_error",)),
    ("error, pause", [j(ERROR)], policies(error="pause"), False, Outcome.INCONCLUSIVE, ("a provider_error",)),
    ("error, fail", [j(ERROR)], policies(error="fail"), False, Outcome.FAILED, ("a provider_error",)),
    ("error, late", [j(ERROR)], WAIT, True, Outcome.INCONCLUSIVE, ("a provider_error",)),
    (
        "each its own policy",
        [j(NO_TRAFFIC)],
        policies("fail", "wait", "fail"),
        False,
        Outcome.WAITING,
        ("a no_traffic",),
    ),
    ("undeclared", [j(ERROR, "c")], WAIT, False, Outcome.ERRORED, ("c provider_error",)),
    ("undeclared, late", [j(ERROR, "c")], WAIT, True, Outcome.ERRORED, ("c provider_error",)),
    ("some passed, one waits", [j(PASSED, "b"), j(NO_TRAFFIC)], WAIT, False, Outcome.WAITING, ("a no_traffic",)),
    (
        "worst first",
        [j(NO_TRAFFIC, "b"), j(PASSED, "b"), j(TOO_LITTLE), j(ERROR, "c")],
        policies("pause"),
        False,
        Outcome.ERRORED,
        ("c provider_error", "a insufficient_data", "b no_traffic"),
    ),
]


@pytest.mark.parametrize(
    ("judgements", "specs", "expired", "outcome", "reasons"),
    [row[1:] for row in CONCLUSIONS],
    ids=[row[0] for row in CONCLUSIONS],
)
def test_each_branch_of_concluding(
    judgements: list[Judgement],
    specs: dict[str, MetricSpec],
    expired: bool,
    outcome: Outcome,
    reasons: tuple[str, ...],
) -> None:
    verification = "measured" if outcome is Outcome.PASSED else "none"

    assert conclude(judgements, specs, expired=expired) == Conclusion(outcome, reasons, verification)


@given(st.lists(st.sampled_from(Verdict)), st.sampled_from([WAIT, PAUSE, FAIL, ODD]), st.booleans())
def test_only_a_full_set_of_passes_passes(verdicts: list[Verdict], specs: dict[str, MetricSpec], expired: bool) -> None:
    conclusion = conclude([j(verdict) for verdict in verdicts], specs, expired=expired)

    assert (conclusion.outcome is Outcome.PASSED) is (set(verdicts) == {PASSED})
    assert (conclusion.verification == "measured") is (conclusion.outcome is Outcome.PASSED)
    assert not (expired and conclusion.outcome is Outcome.WAITING)
    assert conclusion.outcome is Outcome.FAILED or FAILED not in verdicts
