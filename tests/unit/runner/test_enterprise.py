"""A workflow as teams have them: sub-recipes, conditions, parallel steps, recovery, Framework0's own modules."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from f0ci.core.outcome import Outcome
from f0ci.environments.loading import load_environment
from f0ci.recipes.records import StepRecord
from f0ci.runner.events import StepNoted
from f0ci.runner.planning import PlannedStep, plan_run
from f0ci.source.project import Project
from f0ci.source.tree import DirectoryTree
from tests.unit.runner.conftest import PROJECTS, Workspace


@pytest.fixture
def enterprise(tmp_path: Path) -> Workspace:
    """Return a fresh copy of the repository."""
    root = tmp_path / "enterprise"
    shutil.copytree(PROJECTS / "enterprise", root)
    return Workspace(root)


def flat(steps: tuple[StepRecord, ...], prefix: str = "") -> dict[str, str]:
    """Return how every step ended, those of sub-recipes included."""
    found = {}
    for step in steps:
        found[prefix + step.name] = str(step.outcome)
        found |= flat(step.steps, f"{prefix}{step.name}/")
    return found


def test_in_dev(enterprise: Workspace) -> None:
    record = enterprise.run_file("recipes/workflow.yaml", parameters={"environment": "dev"})

    assert record.outcome is Outcome.PASSED
    assert flat(record.steps) == {
        "load_environment_config": "passed",
        "execute_data_ingestion": "passed",
        "execute_data_ingestion/load": "passed",
        "execute_data_ingestion/validate": "passed",
        "customer_intelligence": "passed",
        "customer_intelligence/segmentation": "passed",
        "customer_intelligence/churn": "skipped",
        "product_performance": "passed",
        "dashboard": "passed",
        "setup_monitoring": "passed",
        "deploy_results": "skipped",
        "error_recovery": "skipped",
    }
    steps = {step.name: step for step in record.steps}
    assert steps["load_environment_config"].output == "INFO reading environments/dev/config.json\n"
    assert steps["execute_data_ingestion"].steps[0].output == "loaded 5 rows of development\n"
    assert steps["dashboard"].outputs["kinds"] == ["analytics.products", "analytics.segments"]
    assert steps["setup_monitoring"].output == "watching dev\n"
    assert steps["customer_intelligence"].outputs["segmentation"]["depth"] == "comprehensive"
    assert enterprise.context.get("analytics.products") == 5


def test_in_production(enterprise: Workspace) -> None:
    record = enterprise.run_file(
        "recipes/workflow.yaml", environment="prod", parameters={"environment": "prod", "enable_ml_features": True}
    )

    assert record.outcome is Outcome.PASSED
    assert flat(record.steps)["customer_intelligence/churn"] == "passed"
    assert enterprise.context.get("deployed.to") == "production of production"
    assert record.steps[-1].name == "error_recovery"


def test_when_the_ingestion_fails(enterprise: Workspace) -> None:
    record = enterprise.run_file("recipes/workflow.yaml", parameters={"environment": "dev", "source": "broken"})

    assert record.outcome is Outcome.FAILED
    ended = flat(record.steps)
    assert ended["execute_data_ingestion"] == "failed"
    assert ended["error_recovery"] == "passed"
    assert {name for name, outcome in ended.items() if outcome == "skipped"} == {
        "execute_data_ingestion/validate",
        "customer_intelligence",
        "product_performance",
        "dashboard",
        "deploy_results",
        "setup_monitoring",
    }
    step = record.step("execute_data_ingestion")
    assert step is not None
    assert (step.attempts, step.steps[0].message) == (2, "returned exit code 1: DataLoaderScriptlet: no such source")
    assert enterprise.context.get("recovered.from") == "execute_data_ingestion"
    notes = [(event.note, event.text) for event in enterprise.events if isinstance(event, StepNoted)]
    assert ("fallback", "use_cached_data") in notes


def test_two_runs_leave_nothing_to_each_other(enterprise: Workspace) -> None:
    outputs = []
    for _ in range(2):
        record = enterprise.run_file("recipes/workflow.yaml", parameters={"environment": "dev"})
        outputs.append([step.output for step in record.steps])

    assert outputs[0] == outputs[1]


def test_the_plan_says_what_would_happen(enterprise: Workspace) -> None:
    project = Project()
    plan = plan_run(
        "recipes/workflow.yaml",
        tree_root=enterprise.root,
        project=project,
        environment=load_environment(DirectoryTree(enterprise.root), project, "dev"),
        parameters={"environment": "dev"},
    )

    def lines(steps: tuple[PlannedStep, ...], indent: str = "") -> list[str]:
        found = []
        for step in steps:
            found.append(f"{indent}{step.stage} {step.name} {step.runs} {step.reason}".rstrip())
            found += lines(step.steps, indent + "  ")
        return found

    waits = "None if #{context.get('ingestion_status') == 'success'}"
    assert lines(plan.steps) == [
        "1 load_environment_config True",
        "2 execute_data_ingestion True",
        "  1 load True",
        "  2 validate None if #{params.validation_level != 'basic'}",
        f"3 customer_intelligence {waits}",
        "  1 segmentation True",
        "  2 churn False its condition is false",
        f"3 product_performance {waits}",
        "4 dashboard True",
        "5 deploy_results False its condition is false",
        "6 setup_monitoring True",
        "0 error_recovery None only after a failure",
    ]
    ingestion, intelligence = plan.steps[1], plan.steps[2]
    assert plan.steps[0].arguments["config_path"] == "environments/dev/config.json"
    assert plan.steps[0].action == "scriptlets.enterprise:EnvironmentManagerScriptlet"
    assert ingestion.arguments == {
        "environment_config": "#{context.get('environment_config')}",
        "data_source_type": "csv",
    }
    assert ingestion.steps[0].arguments["source_type"] == "#{params.data_source_type}"
    assert intelligence.steps[0].arguments == {"kind": "segments", "depth": "comprehensive"}
    assert plan.to_json()["steps"][1]["steps"][0]["after"] == []
    assert enterprise.context.keys() == []
