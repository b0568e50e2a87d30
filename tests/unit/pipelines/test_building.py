"""From a workflow to a pipeline, and what a name may not be."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.core.errors import InputError
from f0ci.pipelines.building import build, unbound
from f0ci.pipelines.currency import State, compare
from f0ci.pipelines.model import Kind, Pipeline, When
from f0ci.pipelines.writers import github
from f0ci.source.document import parse_document
from f0ci.source.tree import MemoryTree
from f0ci.workflows.model import Workflow
from f0ci.workflows.reading import workflow_from

SEED = Path(__file__).parents[2] / "projects/production_workflow"
WORKFLOW = """\
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: shop}
spec:
  environments:
    dev: {}
    prod: {approval_required: true}
  bindings:
    tests: {unit: {run: make test}}
  pipeline_stages:
    - {name: build, uses: images/build, tests: [unit]}
    - {name: to_dev, environment: dev, requires: [build]}
    - {name: load_test, requires: [to_dev], tests: [unit]}
    - {name: to_prod, environment: prod, requires: [load_test, manual_approval]}
"""


def read(text: str) -> Workflow:
    return workflow_from(parse_document("workflow.yaml", textwrap.dedent(text).encode()))


def pipeline(text: str = WORKFLOW) -> Pipeline:
    return build(read(text))


def test_jobs_come_in_the_order_of_the_stages_around_one_release() -> None:
    jobs = {job.id: job for job in pipeline().jobs}

    assert list(jobs) == ["validate", "build", "release", "to_dev", "load_test", "to_prod", "continue", "rollback"]
    assert jobs["release"].needs == ("validate", "build")
    assert jobs["to_dev"].needs == ("release", "build")
    assert jobs["load_test"].needs == ("release", "to_dev")
    assert jobs["to_prod"].needs == ("release", "load_test")
    assert [job.id for job in jobs.values() if job.pushes] == ["release", "to_dev", "to_prod", "continue", "rollback"]
    assert {job.when for job in jobs.values() if job.kind is Kind.PROMOTE} == {When.DEFAULT_BRANCH}


def test_environments_that_wait_for_people_are_told() -> None:
    made = pipeline()

    assert made.approvals == ("prod",)
    assert any("required reviewers on the environment 'prod'" in line for line in github.set_up(made))


def test_the_seed_document_generates_as_it_stands() -> None:
    workflow = read(next(SEED.rglob("*.yaml")).read_text(encoding="utf-8"))

    text = github.write(build(workflow))[github.PATH]

    names = [binding.name for binding in unbound(workflow)]
    assert names == ["exercise8/container-build", "unit_tests", "integration_tests", "security_scans"]
    jobs = yaml.safe_load(text)["jobs"]
    steps = {step["name"]: step for step in jobs["build_and_test"]["steps"]}
    for name in names:
        assert "exit 3" in steps[name]["run"]
        assert steps[name]["env"]["NAME"] == name
    assert jobs["deploy_production"]["environment"] == {"name": "production"}


def test_every_job_has_a_deadline_and_the_least_rights() -> None:
    data = yaml.safe_load(github.write(pipeline())[github.PATH])

    assert data["permissions"] == {}
    for name, job in data["jobs"].items():
        assert job["timeout-minutes"] <= 60, name
        pushes = any("F0CI_GIT_TOKEN" in step.get("env", {}) for step in job["steps"])
        assert job["permissions"] == {"contents": "write" if pushes else "read"}, name
        assert job["concurrency"]["cancel-in-progress"] is (name == "validate"), name
        assert all(
            step["with"]["persist-credentials"] is False for step in job["steps"] if "checkout" in step.get("uses", "")
        )


def test_no_expression_stands_in_a_script() -> None:
    data = yaml.safe_load(github.write(pipeline())[github.PATH])

    scripts = [step["run"] for job in data["jobs"].values() for step in job["steps"] if "run" in step]
    assert scripts
    assert all("${{" not in script for script in scripts)
    assert all(script.startswith("set -euo pipefail\n") for script in scripts)


def test_the_same_workflow_gives_the_same_bytes() -> None:
    assert github.write(pipeline()) == github.write(pipeline())


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("name: to_dev, ", "name: '-rf', ", 12),
        ("name: to_dev, ", "name: 'a b', ", 12),
        ("name: to_dev, ", 'name: "a\'b", ', 12),
        ("name: to_dev, ", 'name: "${{ github.token }}", ', 12),
        ("name: to_dev, ", 'name: "$(id)", ', 12),
        ("name: to_dev, ", 'name: "a\\nb", ', 12),
        ("name: to_dev, ", "name: " + "x" * 101 + ", ", 12),
        ("name: to_dev, ", "name: 'größe', ", 12),
        ("    dev: {}\n", "    dev: {}\n    'a;b': {}\n", 7),
        ("{run: make test}", "{run: 'echo ${{ github.event.head_commit.message }}'}", 11),
    ],
)
def test_a_hostile_name_is_refused_at_its_place(old: str, new: str, line: int) -> None:
    assert old in WORKFLOW

    with pytest.raises(InputError) as caught:
        pipeline(WORKFLOW.replace(old, new))

    assert str(caught.value.place).startswith(f"workflow.yaml:{line}:")


@settings(deadline=None, max_examples=150)
@given(st.text(min_size=1, max_size=40))
def test_whatever_a_command_holds_it_is_refused_or_arrives_unchanged(command: str) -> None:
    data = yaml.safe_load(WORKFLOW)
    data["spec"]["bindings"]["tests"]["unit"]["run"] = command
    workflow = read(yaml.safe_dump(data))
    try:
        text = github.write(build(workflow))[github.PATH]
    except InputError:
        assert "${{" in command
        return
    stage = next(stage for stage in workflow.stages if stage.name == "build")
    if stage.tests[0].run is None:
        return

    step = yaml.safe_load(text)["jobs"]["build"]["steps"][-1]

    assert step["run"].removeprefix("set -euo pipefail\n").rstrip("\n") == stage.tests[0].run.rstrip("\n")


@pytest.mark.parametrize(
    ("edit", "state"),
    [
        (lambda text: text, State.CURRENT),
        (lambda _text: None, State.MISSING),
        (lambda text: text.replace("timeout-minutes: 60", "timeout-minutes: 6"), State.EDITED),
        (lambda text: text.replace("sha256 ", "sha256 0"), State.STALE),
        (lambda text: text.replace("generated by f0ci ", "generated by f0ci 9."), State.OTHER_VERSION),
        (
            lambda text: text.replace("generated by f0ci ", "generated by f0ci 9.").replace(
                "minutes: 60", "minutes: 6"
            ),
            State.OUTDATED,
        ),
        (lambda _text: "", State.STALE),
    ],
)
def test_a_file_that_is_not_current_says_why(edit: Callable[[str], str | None], state: State) -> None:
    wanted = github.write(pipeline())
    held = edit(wanted[github.PATH])

    (answer,) = compare(wanted, MemoryTree({} if held is None else {github.PATH: held.encode()}))

    assert answer.state is state
    assert answer.is_fresh is (state in {State.CURRENT, State.OTHER_VERSION})
    assert bool(answer.diff) is (state in {State.EDITED, State.STALE, State.OUTDATED})
