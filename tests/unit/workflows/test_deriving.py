from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from f0ci.source.document import parse_document
from f0ci.workflows.model import GateSpec, Workflow
from f0ci.workflows.reading import workflow_from

S = ("spec", "pipeline_stages")
E = ("spec", "environments")


def workflow_of(environments: Any, *stages: Any) -> Workflow:
    data = {"kind": "ProductionWorkflow", "spec": {"environments": environments, "pipeline_stages": list(stages)}}
    return workflow_from(parse_document("workflow.json", json.dumps(data).encode()))


def stage(name: str, environment: str | None = None, requires: Any = (), **more: Any) -> dict[str, Any]:
    written = {"name": name, "requires": list(requires) if isinstance(requires, tuple) else requires, **more}
    return written | ({"environment": environment} if environment else {})


ENVIRONMENTS: dict[str, Any] = {"dev": {}, "test": {}, "prod": {}}
UPSTREAM = [
    ("the stage before", [stage("a", "dev"), stage("b", "prod", ("a",))], ("dev",)),
    ("a text", [stage("a", "dev"), stage("b", "prod", "a")], ("dev",)),
    ("several", [stage("b", "test"), stage("a", "dev"), stage("c", "prod", ("b", "a"))], ("dev", "test")),
    (
        "not the stage before that",
        [stage("a", "dev"), stage("b", "test", ("a",)), stage("c", "prod", ("b",))],
        ("test",),
    ),
    (
        "through stages without an environment",
        [stage("a", "dev"), stage("x", None, ("a",)), stage("y", None, ("x",)), stage("b", "prod", ("y",))],
        ("dev",),
    ),
    ("itself is none", [stage("a", "dev"), stage("b", "prod", ("a",)), stage("c", "prod", ("b",))], ("dev",)),
    (
        "two stages of one environment",
        [stage("a", "dev"), stage("t", "test"), stage("b", "prod", ("a",)), stage("c", "prod", ("t",))],
        ("dev", "test"),
    ),
    ("a circle ends", [stage("x", None, ("y",)), stage("y", None, ("x",)), stage("b", "prod", ("x",))], ()),
    ("a circle of environments", [stage("a", "dev", ("b",)), stage("b", "prod", ("a",))], ("dev",)),
    (
        "stages of one name count all",
        [stage("a", "dev"), stage("a", "test"), stage("b", "prod", ("a",))],
        ("dev", "test"),
    ),
    ("another word for an environment", [stage("a", "development"), stage("b", "production", ("a",))], ("dev",)),
    ("nothing required", [stage("a", "dev"), stage("b", "prod")], ()),
]


@pytest.mark.parametrize(("stages", "upstream"), [row[1:] for row in UPSTREAM], ids=[row[0] for row in UPSTREAM])
def test_upstream_follows_from_what_stages_require(stages: list[Any], upstream: tuple[str, ...]) -> None:
    workflow = workflow_of(ENVIRONMENTS, *stages)
    prod = workflow.environment("prod")

    assert prod is not None
    assert prod.upstream == upstream
    assert [gate.settings for gate in prod.gates if gate.kind == "order"] == (
        [{"upstream": list(upstream), "policy": "all"}] if upstream else []
    )


GATES: list[tuple[str, Any, list[Any], list[GateSpec]]] = [
    ("none", {}, [stage("b", "prod")], []),
    ("not required", {"approval_required": False}, [stage("b", "prod")], []),
    (
        "a word instead of true is the schema's finding",
        {"approval_required": "yes"},
        [stage("b", "prod")],
        [],
    ),
    (
        "required by the environment",
        {"approval_required": True},
        [stage("b", "prod", ("manual_approval",))],
        [GateSpec("approval", {}, (*E, "prod", "approval_required"))],
    ),
    (
        "required by the stage",
        {},
        [stage("b", "prod", ("manual_approval",))],
        [GateSpec("approval", {}, (*S, 0, "requires"))],
    ),
    (
        "required by a stage between",
        {"approval_required": False},
        [stage("ok", None, "manual_approval"), stage("b", "prod", ("ok",))],
        [GateSpec("approval", {}, (*S, 0, "requires"))],
    ),
    (
        "that of another environment does not count",
        {},
        [stage("a", "dev", ("manual_approval",)), stage("b", "prod", ("a",))],
        [GateSpec("order", {"upstream": ["dev"], "policy": "all"}, (*S, 1, "requires"))],
    ),
    (
        "written settings stand",
        {"approval_required": True, "gates": {"approval": {"count": 2}}},
        [stage("b", "prod", ("manual_approval",))],
        [GateSpec("approval", {"count": 2}, (*E, "prod", "gates", "approval"))],
    ),
    (
        "order first, then as written, then people",
        {"approval_required": True, "gates": {"window": {"allow": [{"days": ["mon"]}]}, "soak": {"for": "1h"}}},
        [stage("a", "dev"), stage("b", "prod", ("a",))],
        [
            GateSpec("order", {"upstream": ["dev"], "policy": "all"}, (*S, 1, "requires")),
            GateSpec("window", {"allow": [{"days": ["mon"]}]}, (*E, "prod", "gates", "window")),
            GateSpec("soak", {"for": "1h", "upstream": ["dev"]}, (*E, "prod", "gates", "soak")),
            GateSpec("approval", {}, (*E, "prod", "approval_required")),
        ],
    ),
    (
        "a slip does not open a gate",
        {"approval_required": True, "gates": {"approval": False}},
        [stage("b", "prod")],
        [GateSpec("approval", {}, (*E, "prod", "gates", "approval"))],
    ),
    (
        "a written order stays as written",
        {"gates": {"order": {"upstream": ["test"], "policy": "any"}}},
        [stage("a", "dev"), stage("b", "prod", ("a",))],
        [GateSpec("order", {"upstream": ["test"], "policy": "any"}, (*E, "prod", "gates", "order"))],
    ),
]


@pytest.mark.parametrize(("settings", "stages", "gates"), [row[1:] for row in GATES], ids=[row[0] for row in GATES])
def test_gates_are_those_written_and_those_that_follow(settings: Any, stages: list[Any], gates: list[GateSpec]) -> None:
    workflow = workflow_of({"dev": {}, "test": {}, "prod": settings}, *stages)

    assert workflow.environments[2].gates == tuple(gates)
    assert workflow.problems == ()


def test_a_written_order_says_what_upstream_is() -> None:
    settings = {"gates": {"order": {"upstream": ["testing", "test", "nowhere"]}}}
    workflow = workflow_of({"dev": {}, "test": {}, "prod": settings}, stage("a", "dev"), stage("b", "prod", ("a",)))

    assert workflow.environments[2].upstream == ("test",)
    assert [(p.rule, p.at) for p in workflow.problems] == [
        ("unknown-environment", (*E, "prod", "gates", "order", "upstream", 2))
    ]


def test_a_written_order_takes_from_the_stages_what_it_does_not_say() -> None:
    workflow = workflow_of(
        {"dev": {}, "prod": {"gates": {"order": {"policy": "any"}}}}, stage("a", "dev"), stage("b", "prod", ("a",))
    )
    prod = workflow.environments[1]

    assert prod.upstream == ("dev",)
    assert prod.gates == (GateSpec("order", {"upstream": ["dev"], "policy": "any"}, (*E, "prod", "gates", "order")),)


@pytest.mark.parametrize("order", [{}, None, {"upstream": []}, {"policy": "any"}])
def test_an_order_gate_that_waits_for_nothing_is_a_problem(order: Any) -> None:
    workflow = workflow_of({"prod": {"gates": {"order": order}}}, stage("b", "prod"))

    assert [(p.rule, p.at) for p in workflow.problems] == [("unknown-environment", (*E, "prod", "gates", "order"))]


STRATEGIES: list[tuple[Any, Any, str, tuple[int, ...]]] = [
    ({}, {}, "rolling", (100,)),
    ({"deployment_strategy": "canary"}, {}, "canary", (10, 50, 100)),
    ({"deployment_strategy": "canary"}, {"strategy": "blue_green"}, "blue_green", (0, 100)),
    ({}, {"strategy": "blue-green"}, "blue_green", (0, 100)),
    ({}, {"strategy": "of_a_plugin"}, "of_a_plugin", (100,)),
    ({"steps": [1, 2, 100]}, {"strategy": "canary"}, "canary", (1, 2, 100)),
    ({"deployment_strategy": 7}, {"strategy": None}, "rolling", (100,)),
]


@pytest.mark.parametrize(("settings", "more", "strategy", "steps"), STRATEGIES)
def test_strategy_and_steps(settings: Any, more: Any, strategy: str, steps: tuple[int, ...]) -> None:
    environment = workflow_of({"prod": settings}, stage("a", "prod", (), **more)).environments[0]

    assert (environment.strategy, environment.steps) == (strategy, steps)


BAD_STEPS: list[Any] = [
    [],
    [10, 50],
    [50, 10, 100],
    [10, 10, 100],
    [-1, 100],
    [100, 101],
    [True, 100],
    [0.5, 100],
    50,
    "100",
]


@pytest.mark.parametrize("steps", BAD_STEPS)
def test_steps_that_do_not_rise_to_100_are_a_problem(steps: Any) -> None:
    workflow = workflow_of({"prod": {"deployment_strategy": "canary", "steps": steps}})

    assert workflow.environments[0].steps == (10, 50, 100)
    assert [(p.rule, p.at) for p in workflow.problems] == [("bad-steps", (*E, "prod", "steps"))]


THRESHOLDS: list[tuple[Any, str | None]] = [
    (0.95, "success_rate >= 0.95"),
    (1, "success_rate >= 1"),
    (0, "success_rate >= 0"),
    ("95%", "success_rate >= 95%"),
    ("0.95", "success_rate >= 0.95"),
]


@pytest.mark.parametrize(("written", "condition"), THRESHOLDS)
def test_a_rollback_threshold_is_a_lowest_success_rate(written: Any, condition: str) -> None:
    workflow = workflow_of({"prod": {"rollback_threshold": written}})
    (check,) = workflow.environments[0].checks

    assert (str(check.condition), check.rollback) == (condition, False)
    assert check.condition.text == condition
    assert check.at == (*E, "prod", "rollback_threshold")


@pytest.mark.parametrize("written", [95, -0.1, "95s", "much", "105%", "baseline"])
def test_a_threshold_outside_of_0_to_1_is_a_problem(written: Any) -> None:
    workflow = workflow_of({"prod": {"rollback_threshold": written}})

    assert workflow.environments[0].checks == ()
    assert [(p.rule, p.at) for p in workflow.problems] == [("bad-condition", (*E, "prod", "rollback_threshold"))]


@pytest.mark.parametrize("written", [None, True, [], {}])
def test_what_is_no_threshold_at_all_is_left_to_the_schema(written: Any) -> None:
    workflow = workflow_of({"prod": {"rollback_threshold": written}})

    assert workflow.environments[0].checks == ()
    assert workflow.problems == ()


def test_checks_come_from_criteria_and_triggers_and_never_from_alerts() -> None:
    more = {
        "validation": {"success_criteria": ["a < 1%", "b < 1s"]},
        "monitoring": {"rollback_triggers": "c > 5", "alerts": ["d > 1"]},
    }
    (environment,) = workflow_of({"prod": {}}, stage("s", "prod", (), **more)).environments

    assert [(str(c.condition), c.rollback, c.at[3:]) for c in environment.checks] == [
        ("a < 1%", False, ("validation", "success_criteria", 0)),
        ("b < 1s", False, ("validation", "success_criteria", 1)),
        ("c > 5", True, ("monitoring", "rollback_triggers")),
    ]


def test_a_condition_that_does_not_parse_is_a_problem_at_its_offset() -> None:
    more = {"monitoring": {"rollback_triggers": ["c > 5", "c > 5 sec"]}}
    workflow = workflow_of({"prod": {}}, stage("s", "prod", (), **more))
    (problem,) = workflow.problems

    assert (problem.rule, problem.offset) == ("bad-condition", 6)
    assert problem.at == (*S, 0, "monitoring", "rollback_triggers", 1)
    assert len(workflow.environments[0].checks) == 1


def test_checks_of_a_stage_without_an_environment_judge_nothing() -> None:
    workflow = workflow_of({"prod": {}}, stage("watch", None, (), validation={"success_criteria": "a < 1%"}))

    assert [(p.rule, p.at) for p in workflow.problems] == [
        ("unknown-environment", (*S, 0, "validation", "success_criteria"))
    ]


@pytest.mark.parametrize(
    ("durations", "expected", "rules"),
    [
        ([], timedelta(), []),
        (["30m"], timedelta(minutes=30), []),
        (["30m", "1h"], timedelta(hours=1), []),
        (["soon"], timedelta(), ["bad-duration"]),
        ([30], timedelta(), []),
    ],
)
def test_the_longest_validation_is_the_duration(durations: list[Any], expected: timedelta, rules: list[str]) -> None:
    stages = [stage(f"s{i}", "prod", (), validation={"duration": d}) for i, d in enumerate(durations)]
    workflow = workflow_of({"prod": {}}, *stages)

    assert workflow.environments[0].duration == expected
    assert [problem.rule for problem in workflow.problems] == rules


def test_names_that_nothing_has_are_problems_with_the_closest_name() -> None:
    workflow = workflow_of(
        {"staging": {}, "prod": {}},
        stage("deploy_staging", "stagin"),
        stage("b", "prod", ("deploy_stagin", "manual_aproval")),
    )

    assert [(p.rule, p.at, p.hint) for p in workflow.problems] == [
        ("unknown-environment", (*S, 0, "environment"), "did you mean 'staging'?"),
        ("unknown-stage", (*S, 1, "requires", 0), "did you mean 'deploy_staging'?"),
        ("unknown-stage", (*S, 1, "requires", 1), "did you mean 'manual_approval'?"),
    ]
