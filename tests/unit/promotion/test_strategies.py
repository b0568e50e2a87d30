from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from f0ci.core.plugins import load, names
from f0ci.promotion.strategies.base import TrafficStep, share

NEW, OLD = "1" * 64, "2" * 64
ALL = ("blue-green", "canary", "rolling")
percents = some.lists(some.integers(0, 99), unique=True, max_size=5).map(lambda found: (*sorted(found), 100))


@pytest.mark.parametrize(
    ("strategy", "written", "old", "traffic"),
    [
        ("rolling", (100,), OLD, [{NEW: 100}]),
        ("rolling", (50, 100), OLD, [{NEW: 50, OLD: 50}, {NEW: 100}]),
        ("rolling", (50, 100), None, [{NEW: 100}]),
        ("rolling", (50, 100), NEW, [{NEW: 100}]),
        ("canary", (10, 50, 100), OLD, [{NEW: 10, OLD: 90}, {NEW: 50, OLD: 50}, {NEW: 100}]),
        ("canary", (0, 100), OLD, [{NEW: 0, OLD: 100}, {NEW: 100}]),
        ("canary", (10, 50, 100), None, [{NEW: 100}]),
        ("blue_green", (0, 100), OLD, [{NEW: 0, OLD: 100}, {NEW: 100}]),
        ("blue_green", (30, 100), OLD, [{NEW: 0, OLD: 100}, {NEW: 100}]),
        ("blue_green", (0, 100), None, [{NEW: 100}]),
    ],
)
def test_steps(strategy: str, written: tuple[int, ...], old: str | None, traffic: list[dict[str, int]]) -> None:
    module = load("f0ci.promotion.strategies", strategy, noun="strategy")

    assert [dict(step.traffic) for step in module.plan_steps(written, NEW, old)] == traffic


@given(written=percents, old=some.sampled_from([None, OLD, NEW]), strategy=some.sampled_from(ALL))
def test_every_strategy_ends_with_all_traffic_on_the_new_release(
    written: tuple[int, ...], old: str | None, strategy: str
) -> None:
    steps = load("f0ci.promotion.strategies", strategy, noun="strategy").plan_steps(written, NEW, old)

    assert steps[-1] == TrafficStep(100, {NEW: 100}, NEW)
    for step in steps:
        assert sum(step.traffic.values()) == 100
        assert NEW in step.traffic
        assert step.active in step.traffic
    assert [step.percent for step in steps] == sorted({step.percent for step in steps})


def test_every_strategy_is_looked_at() -> None:
    assert names("f0ci.promotion.strategies") == ALL


@pytest.mark.parametrize(("percent", "active"), [(0, OLD), (50, OLD), (51, NEW), (100, NEW)])
def test_who_users_of_a_switch_see(percent: int, active: str) -> None:
    assert share(percent, NEW, OLD).active == active


def test_traffic_as_it_is_rendered() -> None:
    assert share(10, NEW, OLD).to_json() == {
        "version": 1,
        "active": OLD,
        "releases": [NEW, OLD],
        "traffic": {NEW: 10, OLD: 90},
    }
