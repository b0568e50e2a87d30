from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.analysis.aggregating import aggregate, ratio, whole_count
from f0ci.analysis.providers.base import Measurement
from f0ci.core.errors import ProviderError

PERCENTILES = [
    ("p0", [3, 1, 2], 1),
    ("p50", [3, 1, 2, 4], 2),
    ("p95", list(range(1, 21)), 19),
    ("p95", list(range(1, 20)), 19),
    ("p99.9", list(range(1, 1001)), 999),
    ("p100", [1, 9, 5], 9),
    ("p95", [7], 7),
]


@pytest.mark.parametrize(("how", "values", "expected"), PERCENTILES)
def test_a_percentile_is_the_nearest_rank(how: str, values: list[float], expected: float) -> None:
    assert aggregate(values, how) == expected


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40), st.integers(1, 100))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], share: int) -> None:
    found = aggregate(values, f"p{share}")

    assert found in values
    assert sum(value <= found for value in values) * 100 >= share * len(values)
    assert sum(value < found for value in values) * 100 < share * len(values)


NAN, INF = math.nan, math.inf
RATIOS: list[tuple[float | None, float, float | None, int, bool]] = [
    (1, 100, 0.01, 100, False),
    (0, 100, 0, 100, False),
    (100, 100, 1, 100, False),
    # estimates, as `increase` makes them
    (1.25, 99.75, 1.25 / 99.75, 99, False),
    (100.00000001, 100, 1, 100, False),
    (0.1, 0.4, 0.25, 0, False),
    (0, 0, None, 0, True),
    (None, 0, None, 0, True),
    (NAN, 0, None, 0, True),
    (None, 100, None, 0, False),
    (NAN, 100, None, 0, False),
]


@pytest.mark.parametrize(("part", "whole", "value", "samples", "no_traffic"), RATIOS)
def test_two_counts_are_a_ratio(
    part: float | None, whole: float, value: float | None, samples: int, no_traffic: bool
) -> None:
    measured = ratio(part, whole, "bad")

    assert (measured.value, measured.samples, measured.no_traffic) == (value, samples, no_traffic)
    assert measured.series == 1
    assert no_traffic or measured.unit == "ratio"


def test_no_total_is_no_traffic_only_where_it_is_known_to_be_none() -> None:
    measured = ratio(1, NAN, "bad")

    assert measured.value is not None
    assert math.isnan(measured.value)
    assert (measured.samples, measured.no_traffic, measured.note) == (0, False, "'total' is not a number")


CONTRADICTIONS: list[tuple[float, float, str]] = [
    (101, 100, "'bad' is 101, more than the 100 of 'total'"),
    (1, 0, "'bad' is 1, more than the 0 of 'total'"),
    (-1, 100, "'bad' is -1, which is no count"),
    (1, -100, "'total' is -100, which is no count"),
    (INF, 100, "'bad' is inf, which is no count"),
    (1, INF, "'total' is inf, which is no count"),
]


@pytest.mark.parametrize(("part", "whole", "message"), CONTRADICTIONS)
def test_counts_that_contradict_each_other_are_no_answer(part: float, whole: float, message: str) -> None:
    with pytest.raises(ProviderError) as caught:
        ratio(part, whole, "bad")

    assert caught.value.message == message


@given(st.none() | st.floats(), st.floats())
def test_a_ratio_is_never_made_up(part: float | None, whole: float) -> None:
    try:
        measured = ratio(part, whole, "good")
    except ProviderError:
        return
    if measured.value is None or math.isnan(measured.value):
        assert measured.samples == 0
    else:
        assert part is not None
        assert 0 <= measured.value <= 1
        assert measured == Measurement(
            min(1.0, part / whole), whole_count(whole), unit="ratio", hits=min(whole_count(part), whole_count(whole))
        )


@pytest.mark.parametrize(("estimate", "count"), [(0, 0), (0.9, 0), (99.9, 99), (100 - 1e-12, 100), (100, 100)])
def test_an_estimate_is_rounded_down(estimate: float, count: int) -> None:
    assert whole_count(estimate) == count
