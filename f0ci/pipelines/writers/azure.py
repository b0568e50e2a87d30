"""Azure Pipelines: `azure-pipelines.yml`."""

from __future__ import annotations

import itertools
import re
from typing import Any

from f0ci.core.errors import InputError
from f0ci.pipelines.model import Command, Job, Kind, Pipeline, When
from f0ci.pipelines.writers._azure_rounds import (
    ERRANDS,
    digest_of,
    left_by,
    outputs,
    pushing,
    take_answers,
    work_steps,
    working,
)
from f0ci.pipelines.writers._azure_steps import DIGEST, DISARM, PLAN, bound_step, only_set, preparation, work
from f0ci.pipelines.writers._limits import Limits, check_limits
from f0ci.pipelines.writers.base import (
    dump,
    environments_set_up,
    header,
    job_names,
    reminder,
    sealed,
)

PATH = "azure-pipelines.yml"
RUNNER = "ubuntu-24.04"
# a file is counted by the memory that reading it takes, 10 MB; that is 600 KB to 2 MB of file
_LIMITS = Limits(
    "Azure Pipelines",
    size=2_000_000,
    legs=256,
    source="https://learn.microsoft.com/azure/devops/pipelines/process/templates and .../process/stages",
)
_BRANCHES = ["main", "master"]
# names of this system's own variables, which it pastes into any text before a shell reads it
_MACRO = re.compile(
    r"\$\(\s*((?:agent|build|checks|environment|pipeline|release|resources|strategy|system)\.[^)]*|"
    rf"{DIGEST}|{PLAN}|{ERRANDS}"
    r")\s*\)",
    re.IGNORECASE,
)
_ON_DEFAULT_BRANCH = "in(variables['Build.SourceBranch'], 'refs/heads/main', 'refs/heads/master')"
_ACTION = "eq('${{ parameters.action }}', '%s')"
_PUSHED = "in(variables['Build.Reason'], 'IndividualCI', 'BatchedCI')"
_SCHEDULED = "eq(variables['Build.Reason'], 'Schedule')"
# a condition that names no status would run after failures too
_CONDITIONS = {
    When.CHANGE: f"and(succeeded(), not({_SCHEDULED}), {_ACTION % 'check'})",
    When.DEFAULT_BRANCH: f"and(succeeded(), {_PUSHED}, {_ON_DEFAULT_BRANCH})",
    When.SCHEDULE: f"and(succeeded(), {_ON_DEFAULT_BRANCH}, or({_SCHEDULED}, {_ACTION % 'continue'}))",
    When.BY_HAND: f"and(succeeded(), {_ON_DEFAULT_BRANCH}, {_ACTION % 'rollback'})",
}


def write(pipeline: Pipeline) -> dict[str, str]:
    """Return the pipeline file.

    Raises:
        InputError: two names would become one, Azure would replace a part of a user's text, or it is more than Azure
            takes.
    """
    names = job_names(pipeline, "Azure Pipelines", lambda name: name.replace("-", "_"))
    _refuse_macros(pipeline)
    environments = list(pipeline.environments) or ["none"]
    data = {
        "trigger": {"branches": {"include": _BRANCHES}},
        "pr": {"branches": {"include": ["*"]}},
        "schedules": [
            {
                "cron": "17 * * * *",
                "displayName": "take waiting promotions further",
                "branches": {"include": _BRANCHES},
                "always": True,
            }
        ],
        "parameters": [
            _parameter("action", "What a run by hand does", "check", ["check", "continue", "rollback"]),
            _parameter("environment", "Where to roll back", environments[0], environments),
            _parameter("release", "Release to go back to; the last good one by default", "latest-good"),
            _parameter("reason", "Why to roll back, for the record", "by hand"),
        ],
        # every run keeps its turn at an environment's exclusive lock
        "lockBehavior": "sequential",
        "pool": _pool(pipeline, None),
        "stages": [_stage(job, pipeline, names) for job in pipeline.jobs],
    }
    body = reminder(pipeline, set_up(pipeline)) + dump(data)
    text = sealed(header(pipeline, "azure"), body)
    check_limits(pipeline, text, _LIMITS)
    return {PATH: text}


def set_up(pipeline: Pipeline) -> tuple[str, ...]:
    """Return what Azure DevOps needs to be told once."""
    return (
        *environments_set_up(pipeline, "an approval check"),
        *(f"an exclusive lock check on the environment {name!r}" for name in pipeline.environments),
        "a repository in Azure Repos, where the build service account may contribute and create tags "
        "(its token is System.AccessToken)",
        *(
            f"the secret variable {variable} of the pipeline; its value is the same for every environment"
            for variable in sorted({one for variables in pipeline.secrets.values() for one in variables})
        ),
        "a build validation policy that runs this pipeline for pull requests; Azure Repos do not read `pr` in the file",
    )


def _parameter(name: str, title: str, default: str, values: list[str] | None = None) -> dict[str, Any]:
    parameter: dict[str, Any] = {"name": name, "displayName": title, "type": "string", "default": default}
    return {**parameter, "values": values} if values else parameter


def _stage(job: Job, pipeline: Pipeline, names: dict[str, str]) -> dict[str, Any]:
    return {
        "stage": names[job.id],
        "displayName": job.title,
        "dependsOn": [names[name] for name in job.needs],
        "condition": _condition(job, pipeline, names),
        "jobs": _jobs(job, pipeline, names),
    }


def _condition(job: Job, pipeline: Pipeline, names: dict[str, str]) -> str:
    """Return when a stage runs; an output of a deployment job is called after its job, or twice."""
    jobs = {one.id: one for one in pipeline.jobs}
    arrived = [
        f"in('true', {', '.join(outputs(jobs[name], names[name], 'arrived', before=before))})"
        for name in job.arrived
        for before in [f"dependencies.{names[name]}.outputs"]
    ]
    condition = _CONDITIONS[job.when]
    return f"and({condition}, {', '.join(arrived)})" if arrived else condition


def _jobs(job: Job, pipeline: Pipeline, names: dict[str, str]) -> list[dict[str, Any]]:
    """Return the jobs of a stage: one, or, where it hands work over, those that push and those that work by turns."""
    name = names[job.id]
    first = _job(job, pipeline, names)
    jobs = [first]
    for number in range(1, job.rounds + 1):
        before = [bound_step(one, pipeline.workflow) for one in job.before]
        env = {variable: f"$({variable})" for variable in job.secrets}
        carried_out = work_steps(name, number, before, only_set(job.secrets), env, DISARM)
        jobs.append(
            {
                "job": working(name, number),
                "displayName": f"work {number}",
                "dependsOn": [pushing(name, number)],
                # `succeeded()` would also look at work that broke off before
                "condition": f"and(not(canceled()), {left_by(job, name, number)})",
                **_limits(job, pipeline),
                "steps": [*preparation(job, pipeline), *carried_out],
            }
        )
        variables = [*_handed_over(job, names), digest_of(job, name, number)]
        jobs.append(
            {
                "job": pushing(name, number + 1),
                "displayName": f"go on after work {number}",
                "dependsOn": [pushing(name, number), working(name, number)],
                # whatever became of the work: what has no answer is asked again
                "condition": f"and(not(canceled()), {left_by(job, name, number)})",
                **_limits(job, pipeline),
                "variables": variables,
                "steps": [
                    *preparation(job, pipeline),
                    take_answers(name, number + 1),
                    *work(job, pipeline, name, number + 1),
                ],
            }
        )
    if job.rounds and job.after:
        arrived = ", ".join(outputs(job, name, "arrived"))
        jobs.append(
            {
                "job": f"{name}_after",
                "displayName": "afterwards",
                "dependsOn": [pushing(name, number) for number in range(1, job.rounds + 2)],
                "condition": f"and(not(canceled()), in('true', {arrived}))",
                **_limits(job, pipeline),
                "steps": [*preparation(job, pipeline), *(bound_step(one, pipeline.workflow) for one in job.after)],
            }
        )
    return jobs


def _limits(job: Job, pipeline: Pipeline) -> dict[str, Any]:
    limits: dict[str, Any] = {"timeoutInMinutes": job.minutes, "cancelTimeoutInMinutes": 5}
    if _pool(pipeline, job.id) != _pool(pipeline, None):
        limits["pool"] = _pool(pipeline, job.id)
    return limits


def _job(job: Job, pipeline: Pipeline, names: dict[str, str]) -> dict[str, Any]:
    name = names[job.id]
    limits = _limits(job, pipeline)
    before = [bound_step(one, pipeline.workflow) for one in job.before]
    after = [_after(one, job, pipeline) for one in job.after]
    around = ([], []) if job.rounds else (before, after)
    steps = [*preparation(job, pipeline), *_cache(job), *around[0], *work(job, pipeline, name, 1), *around[1]]
    variables = _handed_over(job, names)
    handed = {"variables": variables} if variables else {}
    if job.kind not in {Kind.PROMOTE, Kind.ROLLBACK}:
        legs = {"strategy": {"matrix": _legs(job)}} if job.matrix else {}
        return {"job": name, "displayName": job.title, **limits, **legs, **handed, "steps": steps}
    if any(one.rounds for one in pipeline.jobs):
        # a deployment job takes every artifact of the run, unless it is told
        steps.insert(0, {"download": "none"})
    environment = "${{ parameters.environment }}" if job.kind is Kind.ROLLBACK else job.environment
    written: dict[str, Any] = {"deployment": name, "displayName": job.title, "environment": environment, **limits}
    written |= handed
    written["strategy"] = {"runOnce": {"deploy": {"steps": steps}}}
    return written


def _after(command: Command, job: Job, pipeline: Pipeline) -> dict[str, Any]:
    step = bound_step(command, pipeline.workflow)
    if job.kind is not Kind.PROMOTE:
        return step
    # a promotion that waits ended well, and nothing is there yet
    return {**step, "condition": "and(succeeded(), eq(variables['promote.arrived'], 'true'))"}


def _handed_over(job: Job, names: dict[str, str]) -> list[dict[str, str]]:
    """Return the variables by which other stages hand over what they made."""
    sources = {}
    if job.kind in {Kind.PLAN, Kind.PROMOTE}:
        sources[DIGEST] = (names["release"], "create")
    if job.plan:
        sources[PLAN] = (names[job.plan], "plan")
    return [
        {"name": name, "value": f"$[ stageDependencies.{stage}.{stage}.outputs['{step}.digest'] ]"}
        for name, (stage, step) in sources.items()
    ]


def _pool(pipeline: Pipeline, job: str | None) -> dict[str, str]:
    pool = pipeline.option("azure", "pool", job=job)
    return {"name": pool} if pool else {"vmImage": pipeline.option("azure", "runner", RUNNER, job=job)}


def _legs(job: Job) -> dict[str, dict[str, str]]:
    """Return every combination of the matrix, each with a name that Azure takes."""
    combinations = [dict(zip(job.matrix, values, strict=True)) for values in itertools.product(*job.matrix.values())]
    return {f"leg_{number}": values for number, values in enumerate(combinations, 1)}


def _cache(job: Job) -> list[dict[str, Any]]:
    if job.cache is None:
        return []
    key = " | ".join([f'"f0ci-{job.id}"', '"$(Agent.OS)"', *job.cache.key])
    return [
        {"task": "Cache@2", "displayName": f"bring {path}", "inputs": {"key": f'{key} | "{path}"', "path": path}}
        for path in job.cache.paths
    ]


def _refuse_macros(pipeline: Pipeline) -> None:
    for job in pipeline.jobs:
        for command in (*job.before, *job.commands, *job.after):
            for text in (command.title, command.run or ""):
                found = _MACRO.search(text) or re.search(r"\$\{\{", text)
                if found is not None:
                    raise InputError(
                        f"{found.group()!r} in {command.title!r} is something that Azure Pipelines would replace",
                        "read it from the environment: BUILD_BUILDID for Build.BuildId",
                        place=pipeline.workflow,
                    )
