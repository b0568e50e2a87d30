from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.core.errors import InputError
from f0ci.workflows.conditions import (
    OPERATORS,
    Condition,
    ConditionError,
    Quantity,
    check_units,
    parse_condition,
)
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.units import SUFFIXES

PARSED = [
    ("error_rate < 1%", "error_rate", "<", Quantity(1, "%"), None, "error_rate < 1%"),
    ("error_rate > 2%", "error_rate", ">", Quantity(2, "%"), None, "error_rate > 2%"),
    ("latency_p95 > 1.5s", "latency_p95", ">", Quantity(1.5, "s"), None, "latency_p95 > 1.5s"),
    ("latency_p95 <= 1500ms", "latency_p95", "<=", Quantity(1500, "ms"), None, "latency_p95 <= 1500ms"),
    ("success_rate >= 0.95", "success_rate", ">=", Quantity(0.95), None, "success_rate >= 0.95"),
    ("errors == 0", "errors", "==", Quantity(0), None, "errors == 0"),
    ("errors==-0", "errors", "==", Quantity(0), None, "errors == 0"),
    ("queue != +3", "queue", "!=", Quantity(3), None, "queue != 3"),
    ("depth > -.5", "depth", ">", Quantity(-0.5), None, "depth > -0.5"),
    ("memory < 2 GiB", "memory", "<", Quantity(2, "GiB"), None, "memory < 2GiB"),
    ("  error_rate<1 %  ", "error_rate", "<", Quantity(1, "%"), None, "error_rate < 1%"),
    ("rate < 1e-3", "rate", "<", Quantity(0.001), None, "rate < 0.001"),
    ("http.server:p95/eu-1 < 2m", "http.server:p95/eu-1", "<", Quantity(2, "m"), None, "http.server:p95/eu-1 < 2m"),
    ("e <= baseline * 1.2", "e", "<=", None, 1.2, "e <= baseline * 1.2"),
    ("e <= 1.2*baseline", "e", "<=", None, 1.2, "e <= baseline * 1.2"),
    ("e <= baseline", "e", "<=", None, 1.0, "e <= baseline"),
    ("exercise7_anomaly_detected", "exercise7_anomaly_detected", "detected", None, None, "exercise7_anomaly_detected"),
]


@pytest.mark.parametrize(("text", "metric", "operator", "quantity", "factor", "short"), PARSED)
def test_a_condition_is_what_it_says(
    text: str, metric: str, operator: str, quantity: Quantity | None, factor: float | None, short: str
) -> None:
    condition = parse_condition(text)

    assert condition == Condition(metric, operator, quantity, factor=factor)
    assert condition.text == text
    assert str(condition) == short
    assert condition.is_detector is (operator == "detected")
    assert condition.needs_baseline is (factor is not None)


REFUSED = [
    ("", 0, "is empty", "error_rate < 1%"),
    ("   ", 3, "is empty", "error_rate < 1%"),
    ("1% > error_rate", 0, "starts with a number", "metric first"),
    ("-errors", 0, "'-' does not start", "start with a letter"),
    ("%rate < 1", 0, "'%' does not start", "start with a letter"),
    ("baseline < 1%", 0, "stands on the left", "metric first"),
    ("rate below 1%", 5, "'below 1%' is not a comparison", "<= > >="),
    ("rate = 1%", 5, "'=' is not a comparison", "write '=='"),
    ("rate =< 1%", 5, "'=<' is not a comparison", "write '<='"),
    ("rate ≥ 1%", 5, "'≥' is not a comparison", "write '>='"),
    ("rate <> 1%", 5, "'<>' is not a comparison", "write '!='"),
    ("rate << 1%", 5, "'<<' is not a comparison", "one of <"),
    ("rate <", 6, "ends before its value", "1% or 1.5s"),
    ("rate < high", 7, "'high' is not a number", "write a number"),
    ("rate < baselin * 2", 7, "'baselin' is not a number", "did you mean 'baseline'"),
    ("rate < 1e400", 7, "'1e400' is too large", "smaller"),
    ("rate < 5 sec", 9, "'sec' is not a unit", "write 's'"),
    ("rate < 5 Percent", 9, "'Percent' is not a unit", "write '%'"),
    ("rate < 5 furlongs", 9, "'furlongs' is not a unit", "units: % us ms"),
    ("rate < 5 count", 9, "'count' is not a unit", "units: % us ms"),
    ("rate < 1% for 5m", 10, "'for 5m' does not belong", "one condition"),
    ("rate < 1 2", 9, "'2' does not belong", "one condition"),
    ("a < 1 and b < 2", 6, "'and' is not a unit", "units:"),
    ("rate < 2 * 3", 9, "only the baseline can be multiplied", "write the product"),
    ("rate < baseline *", 17, "a number is missing", "baseline * 1.2"),
    ("rate < baseline * 0", 16, "a number above 0", "1.2"),
    ("rate < -1 * baseline", 7, "a number above 0", "1.2"),
    ("rate < baseline + 1", 16, "'+ 1' does not belong", "one condition"),
    ("rate < baselines", 15, "'s' does not belong", "one condition"),
]


@pytest.mark.parametrize(("text", "offset", "message", "hint"), REFUSED)
def test_a_refused_text_says_where_and_what_would_be_right(text: str, offset: int, message: str, hint: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text)

    assert message in caught.value.message
    assert caught.value.offset == offset
    assert hint in (caught.value.hint or "")
    assert isinstance(caught.value, InputError)


HOLDS = [
    ("rate < 1%", 0.009, None, True),
    ("rate < 1%", 0.01, None, False),
    ("rate <= 1%", 10 / 1000, None, True),
    ("rate > 2%", 0.02, None, False),
    ("rate >= 2%", 0.02, None, True),
    ("latency > 1500ms", 1.5, None, False),
    ("latency > 1500ms", 1.501, None, True),
    ("age < 2h", 7199, None, True),
    ("size <= 1KiB", 1024, None, True),
    ("size <= 1KB", 1024, None, False),
    ("errors == 0", 0, None, True),
    ("errors != 0", 0, None, False),
    ("rate <= baseline * 1.2", 0.024, 0.02, True),
    ("rate <= baseline * 1.2", 0.025, 0.02, False),
    ("rate <= baseline", 0, 0, True),
    ("rate < baseline * 3", 0.001, 0, False),
    ("found", 0, None, False),
    ("found", 1, None, True),
    ("found", -0.5, None, True),
    ("rate < 1%", math.inf, None, False),
    ("rate > 1%", math.inf, None, True),
]


@pytest.mark.parametrize(("text", "value", "baseline", "expected"), HOLDS)
def test_numbers_are_compared_in_base_units(text: str, value: float, baseline: float | None, expected: bool) -> None:
    assert parse_condition(text).holds(value, baseline) is expected


@pytest.mark.parametrize(
    ("text", "value", "baseline"),
    [("rate != 1%", math.nan, None), ("rate < baseline", 0.1, None), ("rate < baseline", 0.1, math.nan)],
)
def test_what_cannot_be_compared_is_no_answer(text: str, value: float, baseline: float | None) -> None:
    condition = parse_condition(text)

    with pytest.raises(ValueError, match=r"baseline|NaN"):
        condition.holds(value, baseline)


UNITS_FIT = [
    ("rate < 1%", "%", None),
    ("rate < 1%", "ratio", None),
    ("rate < 1%", "", None),
    ("rate < 0.01", "%", None),
    ("rate < 1", "ratio", None),
    ("rate < 5", "%", "write '5%'"),
    ("rate < -1", "ratio", "write '-1%'"),
    ("rate < 1s", "%", "of one kind"),
    ("latency < 1s", "ms", None),
    ("latency < 0", "ms", None),
    ("latency < 2", "ms", "write '2ms'"),
    ("latency < 1s", "", "unit: s"),
    ("latency < 1%", "s", "of one kind"),
    ("latency < 1GB", "s", "of one kind"),
    ("size < 1GB", "MiB", None),
    ("queue < 10", "count", None),
    ("queue < 10", "", None),
    ("queue < 10%", "count", "of one kind"),
    ("queue < 10", "items", "units: count"),
    ("latency < 1s", "Ms", "did you mean"),
    ("latency < baseline * 2", "ms", None),
    ("latency < baseline * 2", "sek", "units: count"),
    ("found", "", None),
]


@pytest.mark.parametrize(("text", "unit", "hint"), UNITS_FIT)
def test_a_condition_fits_the_unit_of_its_metric(text: str, unit: str, hint: str | None) -> None:
    problem = check_units(parse_condition(text), MetricSpec("m", "file", unit=unit))

    if hint is None:
        assert problem is None
    else:
        assert problem is not None
        assert "'m'" in problem[0]
        assert hint in problem[1]


names = st.from_regex(r"[A-Za-z_](?:[A-Za-z0-9_.:/-]{0,8}[A-Za-z0-9_])?", fullmatch=True).filter(
    lambda name: name != "baseline"
)
numbers = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)
quantities = st.builds(Quantity, numbers, st.sampled_from(["", *SUFFIXES]))
conditions = st.one_of(
    st.builds(Condition, names, st.just("detected"), st.none()),
    st.builds(Condition, names, st.sampled_from(OPERATORS), quantities),
    st.builds(
        lambda name, operator, factor: Condition(name, operator, None, factor=factor),
        names,
        st.sampled_from(OPERATORS),
        numbers.filter(lambda number: number > 0),
    ),
)


@given(conditions)
def test_the_text_of_a_condition_reads_back_as_the_condition(condition: Condition) -> None:
    assert parse_condition(str(condition)) == condition


def parsed_or_refused(text: str) -> tuple[Condition | None, ConditionError | None]:
    try:
        return parse_condition(text), None
    except ConditionError as error:
        return None, error


@given(st.text(alphabet="ab_.%<>=!*-+1.5esmGiB ≤baseline\t\n", max_size=24))
def test_any_text_is_a_condition_or_is_refused_at_a_place_inside_it(text: str) -> None:
    condition, error = parsed_or_refused(text)

    if condition is not None:
        assert parse_condition(str(condition)) == condition
    if error is not None:
        assert 0 <= error.offset <= len(text)
        assert error.hint
