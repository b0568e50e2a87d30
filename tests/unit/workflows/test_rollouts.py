from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from f0ci.workflows.rollouts import Misfit, RolloutStep, read_rollout, traffic_document
from tests.unit.workflows.test_deriving import E, workflow_of

CANARY = (RolloutStep(10), RolloutStep(50), RolloutStep(100))


def test_steps_with_all_that_can_be_said() -> None:
    written = [
        5,
        {"percent": 10, "pause": "manual"},
        {"percent": 25, "duration": "2m", "pause": "1h", "analysis": False},
        {"percent": 100},
    ]
    misfits: list[Misfit] = []
    rollout = read_rollout({"steps": written, "scale_down_delay": "30s"}, "canary", misfits)

    assert misfits == []
    assert rollout.scale_down_delay == timedelta(seconds=30)
    assert rollout.steps == (
        RolloutStep(5),
        RolloutStep(10, manual=True),
        RolloutStep(25, timedelta(minutes=2), timedelta(hours=1), analysis=False),
        RolloutStep(100),
    )


@pytest.mark.parametrize(
    ("settings", "strategy", "rule", "at", "message"),
    [
        ({"steps": [50, 10]}, "canary", "bad-steps", ("steps",), "[50, 10] are not steps of a rollout"),
        ({"steps": [{"percent": True}]}, "canary", "bad-steps", ("steps",), "[{'percent': True}] are not steps"),
        ({"steps": [0, 30, 100]}, "blue_green", "bad-steps", ("steps",), "are not steps of blue_green"),
        ({"batches": 0}, "rolling", "bad-steps", ("batches",), "0 are not batches"),
        ({"batches": 4}, "canary", "bad-steps", ("batches",), "canary has steps"),
        ({"batches": 2, "steps": [100]}, "rolling", "bad-steps", ("batches",), "'steps' says the same"),
        ({"scale_down_delay": "soon"}, "canary", "bad-duration", ("scale_down_delay",), "'soon' is not a duration"),
        (
            {"steps": [{"percent": 10, "pause": "soon"}, 100]},
            "canary",
            "bad-duration",
            ("steps", 0, "pause"),
            "'soon' is not a duration",
        ),
        (
            {"steps": [{"percent": 100, "analysis": False}]},
            "canary",
            "bad-steps",
            ("steps", 0, "analysis"),
            "the last step cannot go without analysis",
        ),
    ],
)
def test_what_cannot_be_meant_is_a_problem_at_its_place(
    settings: dict[str, Any], strategy: str, rule: str, at: tuple[Any, ...], message: str
) -> None:
    workflow = workflow_of({"prod": {"deployment_strategy": strategy, **settings}})

    assert [(problem.rule, problem.at) for problem in workflow.problems] == [(rule, (*E, "prod", *at))]
    assert message in workflow.problems[0].message
    assert workflow.environments[0].steps[-1] == 100


def test_traffic_of_one_release_has_no_candidate() -> None:
    assert traffic_document({"a": 100}, "a", None, {})["stable"] == "a"
    assert traffic_document({}, None, None, {})["stable"] is None
    assert traffic_document({"a": 0, "b": 100}, "b", "b", {})["stable"] == "a"
