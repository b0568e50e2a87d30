"""GitHub Actions: `.github/workflows/f0ci.yml`, and `f0ci-promote.yml`, which it calls; for github.com.

Keys that came in 2026 (`queue`, `environment.deployment`) are used; a server that does not know them refuses the file.
"""

from __future__ import annotations

from typing import Any

from f0ci.core.errors import InputError
from f0ci.pipelines.model import Job, Kind, Pipeline, When
from f0ci.pipelines.writers._github_rounds import NEUTRAL, calling, environment_with_secrets, rounds_in, write_called
from f0ci.pipelines.writers._github_steps import (
    DEFAULT_BRANCH,
    is_followed,
    report_steps,
    shows_alerts,
    steps,
)
from f0ci.pipelines.writers._limits import Limits, check_limits
from f0ci.pipelines.writers.base import Bare, Remarked, dump, environments_set_up, header, label, reminder, sealed

PATH = ".github/workflows/f0ci.yml"
RUNNER = "ubuntu-24.04"
# the environment whose secrets the jobs get that continue promotions into all environments
CONTINUE_ENVIRONMENT = NEUTRAL
_REPLACED = {"cancel-in-progress": True}
# more is refused when the file is read
_MAX_EXPRESSION = 21_000
_LIMITS = Limits("GitHub", size=500_000, legs=256, source="https://docs.github.com/en/actions/reference/limits")
_RUN_NAME = (
    "${{ github.event_name == 'workflow_dispatch' && format('{0} {1}', inputs.action, inputs.environment) || '' }}"
)


def write(pipeline: Pipeline) -> dict[str, str]:
    """Return the workflow file.

    Raises:
        InputError: the Action that installs f0ci is not pinned by commit, the name of an environment is taken, or it is
            more than GitHub takes.
    """
    own = {CONTINUE_ENVIRONMENT, *(environment_with_secrets(name).lower() for name in pipeline.environments)}
    taken = next((name for name in pipeline.environments if name.lower() in own), None)
    if taken is not None:
        raise InputError(
            f"the environment name {taken!r} is taken by jobs of the pipeline itself",
            "give the environment another name",
            place=pipeline.workflow,
        )
    data = {
        "name": label(f"f0ci {pipeline.name}"),
        "run-name": _RUN_NAME,
        Bare("on"): _triggers(pipeline),
        "permissions": {},
        "defaults": {"run": {"shell": "bash"}},
        "jobs": _jobs(pipeline),
    }
    body = reminder(pipeline, set_up(pipeline)) + dump(data, spaced="jobs")
    text = sealed(header(pipeline, "github"), body)
    check_limits(pipeline, text, _LIMITS)
    return {PATH: text, **write_called(pipeline)}


def set_up(pipeline: Pipeline) -> tuple[str, ...]:
    """Return what GitHub needs to be told once."""
    every = [variable for variables in pipeline.secrets.values() for variable in variables]
    return (
        *environments_set_up(pipeline, "required reviewers"),
        *(
            (f"an environment called {CONTINUE_ENVIRONMENT!r} without reviewers: nobody is asked before a rollback",)
            if rounds_in(pipeline)
            else ()
        ),
        *(
            f"the secret {variable} in the environment {environment_with_secrets(name)!r}, which asks nobody, "
            f"and in {CONTINUE_ENVIRONMENT!r}"
            for name, variables in pipeline.secrets.items()
            for variable in variables
        ),
        *(
            f"a name of its own for each environment's {variable}: {CONTINUE_ENVIRONMENT!r} holds one value for all"
            for variable in sorted({variable for variable in every if every.count(variable) > 1})
        ),
        "environments that only the default branch may use; GitHub makes one without rules where a name is new",
        "the job 'validate' as a required check of the default branch",
    )


def _triggers(pipeline: Pipeline) -> dict[str, Any]:
    return {
        # jobs ask for the default branch by name; this keeps pushes of other branches from starting empty runs
        "push": {"branches": ["main", "master"]},
        "pull_request": None,
        "schedule": [{"cron": "17 * * * *"}],
        "workflow_dispatch": {
            "inputs": {
                "action": {
                    "description": "What to do",
                    "type": "choice",
                    "options": ["continue", "rollback"],
                    "default": "continue",
                },
                "environment": {
                    "description": "Where to roll back",
                    "type": "choice",
                    "options": list(pipeline.environments) or ["none"],
                },
                "release": {
                    "description": "Release to go back to; the last good one by default",
                    "type": "string",
                    "default": "",
                },
                "reason": {"description": "Why to roll back, for the record", "type": "string", "default": ""},
            }
        },
    }


def _jobs(pipeline: Pipeline) -> dict[str, Any]:
    jobs = {}
    for job in pipeline.jobs:
        jobs[job.id] = _job(job, pipeline)
        if job.kind is Kind.VALIDATE and shows_alerts(pipeline):
            jobs["findings"] = _findings(job, pipeline)
    return jobs


def _findings(validate: Job, pipeline: Pipeline) -> dict[str, Any]:
    """Return the job that may write alerts; it runs nothing of the change, and a fork's change has no right to it."""
    ours = "github.event_name == 'push' || github.event.pull_request.head.repo.full_name == github.repository"
    return {
        "name": "show findings",
        "needs": [validate.id],
        "if": f"!cancelled() && needs.{validate.id}.result != 'skipped' && ({ours})",
        "runs-on": pipeline.option("github", "runner", RUNNER),
        "timeout-minutes": 10,
        # alerts are not to be had everywhere; a repository without them is not broken
        "continue-on-error": True,
        "permissions": {
            "security-events": Remarked("write", "to upload alerts"),
            "actions": Remarked("read", "to tell which run they are of"),
        },
        "concurrency": {"group": "f0ci-findings-${{ github.event.pull_request.number || github.sha }}", **_REPLACED},
        "steps": report_steps(pipeline),
    }


def _job(job: Job, pipeline: Pipeline) -> dict[str, Any]:
    written: dict[str, Any] = {"name": job.title}
    if job.needs:
        written["needs"] = list(job.needs)
    condition = _condition(job)
    if condition:
        if len(condition) > _MAX_EXPRESSION:
            raise InputError(
                f"the condition of {job.id!r} has {len(condition):,} characters; GitHub reads {_MAX_EXPRESSION:,}",
                "let fewer stages require promotions directly; put a stage in between",
                place=pipeline.workflow,
            )
        written["if"] = condition
    if job.matrix:
        written["strategy"] = {
            "fail-fast": False,
            "matrix": {name: list(values) for name, values in job.matrix.items()},
        }
    runner = pipeline.option("github", "runner", RUNNER, job=job.id)
    if job.rounds:
        return {**written, **calling(job, pipeline, runner)}
    written["runs-on"] = runner
    written["timeout-minutes"] = job.minutes
    written["permissions"] = _rights(job)
    written["concurrency"] = _concurrency(job)
    environment = _environment(job)
    if environment is not None:
        # no deployment of GitHub's own: it would call a promotion that waits a success
        written["environment"] = {"name": environment, "deployment": False}
    if job.matrix:
        written["env"] = {name: f"${{{{ matrix.{name} }}}}" for name in job.matrix}
    if job.kind is Kind.PLAN:
        written["outputs"] = {"digest": "${{ steps.plan.outputs.digest }}"}
    elif job.kind is Kind.RELEASE:
        written["outputs"] = {"digest": "${{ steps.release.outputs.digest }}"}
    elif is_followed(job, pipeline):
        written["outputs"] = {"arrived": "${{ steps.promote.outputs.arrived }}"}
    written["steps"] = steps(job, pipeline)
    return written


def _condition(job: Job) -> str | None:
    if job.kind is Kind.RELEASE:
        return f"github.event_name == 'push' && github.ref == format('refs/heads/{{0}}', {DEFAULT_BRANCH})"
    if job.when is When.CHANGE:
        return "github.event_name == 'push' || github.event_name == 'pull_request'"
    if job.when is When.SCHEDULE:
        return f"github.event_name == 'schedule' || ({_asked('continue')})"
    if job.when is When.BY_HAND:
        return _asked(job.kind)
    # success() alone would also look at whatever was left out further up
    ended = (f"needs.{name}.result == 'success'" for name in job.needs)
    arrived = (f"needs.{name}.outputs.arrived == 'true'" for name in job.arrived)
    return " && ".join(("!cancelled()", "!failure()", *ended, *arrived))


def _asked(action: str) -> str:
    return f"github.event_name == 'workflow_dispatch' && inputs.action == '{action}'"


def _rights(job: Job) -> dict[str, str]:
    if job.kind is Kind.RELEASE:
        return {"contents": Remarked("write", "to push the release's tag")}
    if not job.pushes:
        return {"contents": Remarked("read", "to check out")}
    rights: dict[str, str] = {"contents": Remarked("write", "to push environments and ledgers")}
    return {**rights, "actions": Remarked("read", "to record who approved")} if job.plan else rights


def _concurrency(job: Job) -> dict[str, Any]:
    if not job.pushes:
        # a newer commit of a proposal makes its older checks pointless; those of a branch stay
        leg = "-${{ strategy.job-index }}" if job.matrix else ""
        group = f"f0ci-{job.id}{leg}-${{{{ github.event.pull_request.number || github.sha }}}}"
        return {"group": group, **_REPLACED}
    group = f"f0ci-environment-{job.environment}" if job.environment is not None else f"f0ci-{job.id}"
    if job.kind is Kind.ROLLBACK:
        # never behind a promotion that waits for its turn
        group = "f0ci-rollback-${{ inputs.environment }}"
    # without a queue, a third run silently takes the place of the second
    queue = {} if job.kind is Kind.CONTINUE else {"queue": "max"}
    return {"group": group, "cancel-in-progress": False, **queue}


def _environment(job: Job) -> str | None:
    if job.kind is Kind.PROMOTE:
        return job.environment
    return "${{ inputs.environment }}" if job.when is When.BY_HAND else None
