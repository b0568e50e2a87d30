from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from f0ci.core.plugins import load, names
from f0ci.promotion.strategies.base import TrafficStep, share
from f0ci.workflows.rollouts import Misfit, Rollout, RolloutStep, read_rollout

NEW, OLD = "1" * 64, "2" * 64
ALL = ("blue-green", "canary", "rolling")
percents = some.lists(some.integers(0, 99), unique=True, max_size=5).map(lambda found: [*sorted(found), 100])
BOTH_NEW, ALONE = {NEW: 100, OLD: 0}, {NEW: 100}


def plan(strategy: str, old: str | None = OLD, **settings: Any) -> tuple[TrafficStep, ...]:
    misfits: list[Misfit] = []
    rollout = read_rollout(settings, strategy, misfits)
    assert misfits == []
    steps: tuple[TrafficStep, ...] = load("f0ci.promotion.strategies", strategy, noun="strategy").plan_steps(
        rollout, NEW, old
    )
    return steps


@pytest.mark.parametrize(
    ("strategy", "settings", "old", "traffic"),
    [
        ("rolling", {}, OLD, [ALONE]),
        ("rolling", {"steps": [50, 100]}, OLD, [{NEW: 50, OLD: 50}, ALONE]),
        ("rolling", {"batches": 3}, OLD, [{NEW: 33, OLD: 67}, {NEW: 67, OLD: 33}, ALONE]),
        ("rolling", {"batches": 1}, OLD, [ALONE]),
        ("rolling", {"steps": [50, 100]}, None, [ALONE]),
        ("rolling", {"steps": [50, 100]}, NEW, [ALONE]),
        ("canary", {}, OLD, [{NEW: 10, OLD: 90}, {NEW: 50, OLD: 50}, BOTH_NEW, ALONE]),
        ("canary", {"steps": [0, {"percent": 100}]}, OLD, [{NEW: 0, OLD: 100}, BOTH_NEW, ALONE]),
        ("canary", {}, None, [ALONE]),
        ("blue_green", {}, OLD, [{NEW: 0, OLD: 100}, BOTH_NEW, ALONE]),
        ("blue_green", {"steps": [100]}, OLD, [{NEW: 0, OLD: 100}, BOTH_NEW, ALONE]),
        ("blue_green", {}, None, [ALONE]),
    ],
)
def test_steps(strategy: str, settings: dict[str, Any], old: str | None, traffic: list[dict[str, int]]) -> None:
    assert [dict(step.traffic) for step in plan(strategy, old, **settings)] == traffic


@given(written=percents, old=some.sampled_from([None, OLD, NEW]), strategy=some.sampled_from(["canary", "rolling"]))
def test_every_strategy_ends_with_the_new_release_alone(written: list[int], old: str | None, strategy: str) -> None:
    steps = plan(strategy, old, steps=written)

    assert (dict(steps[-1].traffic), steps[-1].active, steps[-1].candidate) == ({NEW: 100}, NEW, None)
    for step in steps:
        assert sum(step.traffic.values()) == 100
        assert step.traffic[NEW] == step.percent
        assert step.active in step.traffic
    assert [step.percent for step in steps] == sorted(step.percent for step in steps)


@given(batches=some.integers(1, 100))
def test_as_many_instances_as_batches_go_over_one_a_batch(batches: int) -> None:
    steps = plan("rolling", batches=batches)

    assert [round(step.percent * batches / 100) for step in steps] == list(range(1, batches + 1))


def test_every_strategy_is_looked_at() -> None:
    assert names("f0ci.promotion.strategies") == ALL


def test_the_old_release_goes_only_after_the_new_one_was_judged_with_all_of_the_traffic() -> None:
    for strategy in ("canary", "blue_green"):
        *_, full, last = plan(strategy, scale_down_delay="10m")
        assert (full.percent, full.said.is_judged, full.said.pause) == (100, True, timedelta(minutes=10))
        assert (last.phase, last.said.is_judged, last.said.pause) == ("retire", False, timedelta())


def test_phases() -> None:
    assert [step.phase for step in plan("blue_green")] == ["preview", "switch", "retire"]
    assert [step.phase for step in plan("canary")] == ["shift", "shift", "shift", "retire"]


def test_a_preview_is_judged_where_it_says_so() -> None:
    asked = plan("blue_green", steps=[{"percent": 0, "analysis": True, "duration": "2m"}, 100])

    assert not plan("blue_green")[0].said.is_judged
    assert asked[0].said == RolloutStep(0, timedelta(minutes=2), analysis=True)
    assert asked[0].said.is_judged


@pytest.mark.parametrize(("percent", "active"), [(0, OLD), (50, OLD), (51, NEW), (100, NEW)])
def test_who_users_of_a_switch_see(percent: int, active: str) -> None:
    assert share(RolloutStep(percent), Rollout(), NEW, OLD).active == active


def test_traffic_as_it_is_rendered() -> None:
    routing = {"header": {"name": "X-Canary", "value": "always"}}

    assert plan("canary", routing=routing)[0].rollout_document() == {
        "version": 1,
        "active": OLD,
        "candidate": NEW,
        "releases": [NEW, OLD],
        "routing": routing,
        "stable": OLD,
        "traffic": {NEW: 10, OLD: 90},
    }
    done = plan("canary")[-1].rollout_document()
    assert (done["candidate"], done["stable"], done["traffic"]) == (None, NEW, {NEW: 100})


def test_a_step_as_a_plan_binds_it() -> None:
    steps = plan(
        "canary", steps=[{"percent": 10, "pause": "manual"}, {"percent": 100, "duration": "1m", "pause": "5m"}]
    )

    assert [step.bound("t") for step in steps] == [
        {"percent": 10, "phase": "shift", "pause": "manual", "analysis": True, "tree": "t"},
        {"percent": 100, "phase": "shift", "pause": 300.0, "analysis": True, "duration": 60.0, "tree": "t"},
        {"percent": 100, "phase": "retire", "pause": 0.0, "analysis": False, "tree": "t"},
    ]
