"""From a workflow to a pipeline: which jobs, in which order, with which rights."""

from __future__ import annotations

import pytest

from f0ci.core.errors import InputError
from f0ci.pipelines.building import build, unbound
from f0ci.pipelines.model import Kind, When
from f0ci.pipelines.writers import github
from tests.unit.pipelines.workflows import SEED, WORKFLOW, jobs, pipeline, read, staged


def test_jobs_come_in_the_order_of_the_stages_around_one_release() -> None:
    made = jobs()

    ends = ["continue", "rollback"]
    assert list(made) == ["validate", "build", "release", "to_dev", "load_test", "plan-to_prod", "to_prod", *ends]
    assert made["release"].needs == ("validate", "build")
    assert made["to_dev"].needs == ("release", "build")
    assert made["load_test"].needs == ("release", "to_dev")
    assert made["plan-to_prod"].needs == ("release", "load_test")
    assert made["to_prod"].needs == ("release", "load_test", "plan-to_prod")
    assert [name for name, job in made.items() if job.pushes] == ["release", "to_dev", "to_prod", *ends]
    assert [job.id for job in made.values() if job.when is When.BY_HAND] == ["rollback"]
    assert {job.when for job in made.values() if job.kind is Kind.PROMOTE} == {When.DEFAULT_BRANCH}


def test_what_follows_a_promotion_asks_whether_the_release_arrived() -> None:
    """A promotion that waits ends well, and proves nothing to a load test."""
    made = jobs()

    assert made["load_test"].arrived == ("to_dev",)
    assert not any(job.arrived for job in made.values() if job.id != "load_test")


def test_nothing_is_released_that_did_not_pass_what_waits_for_no_promotion() -> None:
    made = jobs(
        staged(
            """
            - {name: lint, tests: [a]}
            - {name: to_dev, environment: dev}
            - {name: smoke, requires: [to_dev], tests: [b]}
            - {name: unit, requires: [lint], tests: [c]}
            """
        )
    )

    assert made["release"].needs == ("validate", "lint", "unit")
    assert made["lint"].when is made["unit"].when is When.CHANGE
    assert made["smoke"].when is When.DEFAULT_BRANCH


def test_what_a_promoting_stage_runs_comes_before_its_promotion() -> None:
    made = jobs(
        staged(
            """
            - {name: to_dev, environment: dev, uses: image}
            - {name: to_prod, environment: prod, requires: [to_dev], tests: [smoke]}
            """
        )
    )

    assert made["before-to_dev"].when is When.CHANGE
    assert made["release"].needs == ("validate", "before-to_dev")
    assert made["to_dev"].needs == ("release", "before-to_dev")
    assert made["before-to_prod"].needs == ("release", "to_dev")
    assert made["before-to_prod"].arrived == ("to_dev",)
    assert made["to_prod"].needs == ("release", "to_dev", "before-to_prod")


@pytest.mark.parametrize("name", ["validate", "release", "Rollback", "stage-release", "before-x"])
def test_no_stage_takes_the_place_of_a_job_of_the_pipeline(name: str) -> None:
    made = pipeline(
        staged(f"- {{name: {name}, tests: [a]}}\n- {{name: x, tests: [b]}}\n- {{name: stage-y, tests: [c]}}")
    )

    ids = [job.id.lower() for job in made.jobs]
    assert len(set(ids)) == len(ids)
    assert [job.id for job in made.jobs if job.kind is Kind.TASK] == [f"stage-{name}", "x", "stage-stage-y"]


def test_environments_that_wait_for_people_are_told() -> None:
    made = pipeline(WORKFLOW.replace("approval_required: true", "gates: {approval: {not_author: strict}}"))

    assert made.approvals == made.strict == ("prod",)
    assert any("required reviewers on the environment 'prod'" in line for line in github.set_up(made))
    assert any("not_author: strict" in line for line in made.set_up())


def test_the_seed_document_is_a_pipeline_as_it_stands() -> None:
    workflow = read(SEED.read_text(encoding="utf-8"))

    made = {job.id: job for job in build(workflow).jobs}

    names = [binding.name for binding in unbound(workflow)]
    assert names == ["exercise8/container-build", "unit_tests", "integration_tests", "security_scans"]
    assert [command.title for command in made["build_and_test"].commands] == names
    assert made["deploy_production"].needs == ("release", "deploy_staging", "plan-deploy_production")
    assert made["release"].needs == ("validate", "build_and_test")


def test_the_source_is_the_workflow_and_nothing_else() -> None:
    assert pipeline(WORKFLOW).source == pipeline(f"# a comment\n{WORKFLOW}").source
    assert pipeline(WORKFLOW).source != pipeline(WORKFLOW.replace("make test", "make tests")).source


def test_a_number_that_json_does_not_know_is_refused() -> None:
    with pytest.raises(InputError, match="JSON has no word for"):
        pipeline(WORKFLOW.replace("dev: {}", "dev: {rollback_threshold: .nan}").replace("rollback_threshold", "note"))


def test_what_people_are_asked_about_is_shown_before_by_a_job_without_rights() -> None:
    made = jobs()

    assert [job.id for job in made.values() if job.kind is Kind.PLAN] == ["plan-to_prod"]
    assert not made["plan-to_prod"].pushes
    assert made["to_prod"].plan == "plan-to_prod"
    assert made["to_dev"].plan == ""
