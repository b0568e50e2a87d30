"""Azure Pipelines: `azure-pipelines.yml`."""

from __future__ import annotations

import itertools
import re
from typing import Any

from f0ci.core.errors import InputError
from f0ci.pipelines.model import Command, Job, Kind, Pipeline, When
from f0ci.pipelines.writers._limits import Limits, check_limits
from f0ci.pipelines.writers._summaries import PLAN_TITLE, reported, summary
from f0ci.pipelines.writers.base import (
    CHECK_REASON,
    CONTINUE,
    CREATE_RELEASE,
    ROLL_BACK_TO,
    SHOW_PLAN,
    UNBOUND,
    WAITING,
    calls_f0ci,
    dump,
    environments_set_up,
    header,
    identity,
    install_into,
    job_names,
    label,
    promote,
    reminder,
    script,
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
_VENV = "$AGENT_TEMPDIRECTORY/f0ci-venv"
_DIGEST = "releaseDigest"
_PLAN = "planDigest"
# names of this system's own variables, which it pastes into any text before a shell reads it
_MACRO = re.compile(
    r"\$\(\s*((?:agent|build|checks|environment|pipeline|release|resources|strategy|system)\.[^)]*|"
    rf"{_DIGEST}|{_PLAN}"
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
_PERSON = "${BUILD_REQUESTEDFOREMAIL:-f0ci@noreply.invalid}"
_NOBODY = ("f0ci on Azure Pipelines", "f0ci@noreply.invalid")
# a parameter without a value cannot be left empty
_NO_RELEASE = 'if [ "$RELEASE" = latest-good ]; then RELEASE=""; fi\n'
_ONLY_SET_SECRETS = """\
# a variable that does not exist arrives as it is written; without it f0ci says which one is missing
for name in "${!F0CI_SECRET_@}"; do
  [ "${!name}" != "\\$($name)" ] || unset "$name"
done
"""
_TOKEN_ENV = {"F0CI_GIT_TOKEN": "$(System.AccessToken)"}
_VALIDATE = """\
code=0
f0ci validate || code=$?
f0ci validate --format junit --output f0ci-junit.xml > /dev/null || true
if [ "$code" -eq 1 ]; then
  echo "##vso[task.logissue type=error]f0ci validate found something, see the log and the tests"
fi
exit "$code"
"""
_SUMMARY = "$AGENT_TEMPDIRECTORY/f0ci-summary.md"
_PROJECT = "${SYSTEM_COLLECTIONURI:-}${SYSTEM_TEAMPROJECT:+${SYSTEM_TEAMPROJECT// /%20}}"
_RUN = f"{_PROJECT}/_build/results?buildId=${{BUILD_BUILDID:-}}"
_WHERE = (
    "of [${BUILD_SOURCEVERSION:0:10}](${BUILD_REPOSITORY_URI:-}/commit/$BUILD_SOURCEVERSION), "
    f"in [this run]({_RUN})"
)
_UPLOAD = f'echo "##vso[task.uploadsummary]{_SUMMARY}"\n'
_SHOWN = (
    '[ -n "$digest" ]\n'
    + summary(PLAN_TITLE, _WHERE, f'"{_SUMMARY}"')
    + _UPLOAD
    + 'echo "##vso[task.setvariable variable=digest;isOutput=true]$digest"\n'
)
# what is printed may hold texts of users, and the agent obeys lines that hold its mark
_DISARM = "2>&1 | sed -u 's/##vso\\[/## vso[/g'"
_NEUTRAL = f"""\
if [ "$code" -eq 0 ]; then
  echo "##vso[task.setvariable variable=arrived;isOutput=true]true"
elif [ "$code" -eq 5 ]; then
  echo "##vso[task.logissue type=warning]{WAITING}"
  echo "##vso[task.complete result=SucceededWithIssues;]waiting"
  code=0
fi
"""


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
        "condition": _condition(job, names),
        "jobs": [_job(job, pipeline, names)],
    }


def _condition(job: Job, names: dict[str, str]) -> str:
    """Return when a stage runs; an output of a deployment job is called after its job, or twice."""
    outputs = [f"dependencies.{names[name]}.outputs['{names[name]}.%spromote.arrived']" for name in job.arrived]
    twice = [f"{names[name]}." for name in job.arrived]
    arrived = [f"in('true', {one % ''}, {one % again})" for one, again in zip(outputs, twice, strict=True)]
    condition = _CONDITIONS[job.when]
    return f"and({condition}, {', '.join(arrived)})" if arrived else condition


def _job(job: Job, pipeline: Pipeline, names: dict[str, str]) -> dict[str, Any]:
    name = names[job.id]
    limits: dict[str, Any] = {"timeoutInMinutes": job.minutes, "cancelTimeoutInMinutes": 5}
    if _pool(pipeline, job.id) != _pool(pipeline, None):
        limits["pool"] = _pool(pipeline, job.id)
    steps = [
        *_preparation(job, pipeline),
        *_cache(job),
        *(_bound_step(one, pipeline.workflow) for one in job.before),
        *_work(job, pipeline),
        *(_after(one, job, pipeline) for one in job.after),
    ]
    handed = _handed_over(job, names)
    if job.kind not in {Kind.PROMOTE, Kind.ROLLBACK}:
        legs = {"strategy": {"matrix": _legs(job)}} if job.matrix else {}
        return {"job": name, "displayName": job.title, **limits, **legs, **handed, "steps": steps}
    environment = "${{ parameters.environment }}" if job.kind is Kind.ROLLBACK else job.environment
    written: dict[str, Any] = {"deployment": name, "displayName": job.title, "environment": environment, **limits}
    written |= handed
    written["strategy"] = {"runOnce": {"deploy": {"steps": steps}}}
    return written


def _after(command: Command, job: Job, pipeline: Pipeline) -> dict[str, Any]:
    step = _bound_step(command, pipeline.workflow)
    if job.kind is not Kind.PROMOTE:
        return step
    # a promotion that waits ended well, and nothing is there yet
    return {**step, "condition": "and(succeeded(), eq(variables['promote.arrived'], 'true'))"}


def _handed_over(job: Job, names: dict[str, str]) -> dict[str, Any]:
    """Return the variables by which other stages hand over what they made."""
    sources = {}
    if job.kind in {Kind.PLAN, Kind.PROMOTE}:
        sources[_DIGEST] = (names["release"], "create")
    if job.plan:
        sources[_PLAN] = (names[job.plan], "plan")
    return (
        {
            "variables": [
                {"name": name, "value": f"$[ stageDependencies.{stage}.{stage}.outputs['{step}.digest'] ]"}
                for name, (stage, step) in sources.items()
            ]
        }
        if sources
        else {}
    )


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


def _preparation(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    full = job.pushes or job.kind is Kind.PLAN
    checkout = {"checkout": "self", "persistCredentials": False, "fetchDepth": 0 if full else 1}
    if job.kind is Kind.TASK and not any(map(calls_f0ci, (*job.before, *job.commands, *job.after))):
        return [checkout]
    install = install_into(_VENV, pipeline.install)
    if pipeline.install.kind != "preinstalled":
        install += f'echo "##vso[task.prependpath]{_VENV}/bin"\n'
    # a download that broke off; nothing that changes anything is tried again
    return [checkout, {"bash": script(install), "displayName": "install f0ci", "retryCountOnTaskFailure": 2}]


def _work(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    if job.kind is Kind.VALIDATE:
        return [
            {"bash": script(_VALIDATE), "displayName": "validate"},
            {
                "task": "PublishTestResults@2",
                "displayName": "show findings",
                "condition": "succeededOrFailed()",
                "inputs": {
                    "testResultsFormat": "JUnit",
                    "testResultsFiles": "f0ci-junit.xml",
                    "testRunTitle": "f0ci validate",
                },
            },
            {"bash": script("f0ci generate azure --check"), "displayName": "check this file"},
        ]
    if job.kind is Kind.TASK:
        steps = [_bound_step(command, pipeline.workflow) for command in job.commands]
        return steps or [{"bash": "true", "displayName": "nothing to run"}]
    if job.kind is Kind.PLAN:
        env = {**_TOKEN_ENV, "TARGET": job.environment or "", "RELEASE": f"$({_DIGEST})"}
        body = script(SHOW_PLAN.replace('cat "$report"\n', f'cat "$report" {_DISARM}\n') + _SHOWN)
        return [{"bash": body, "name": "plan", "displayName": job.title, "env": env}]
    # what happens by itself is nobody's request
    is_person = job.kind is Kind.ROLLBACK
    who = identity("$BUILD_REQUESTEDFOR", _PERSON) if is_person else identity(*_NOBODY)
    env = dict(_TOKEN_ENV)
    if job.kind is Kind.RELEASE:
        tell = 'echo "##vso[task.setvariable variable=digest;isOutput=true]$digest"\n'
        body = script(who + CREATE_RELEASE + tell)
        return [{"bash": body, "name": "create", "displayName": job.title, "env": env}]
    env |= {variable: f"$({variable})" for variable in job.secrets}
    command, check = CONTINUE, ""
    if job.kind is Kind.PROMOTE:
        env |= {"TARGET": job.environment or "", "RELEASE": f"$({_DIGEST})"}
        if job.plan:
            env["PLAN"] = f"$({_PLAN})"
        command = promote(job, "azure")
    elif job.kind is Kind.ROLLBACK:
        env |= {"TARGET": "${{ parameters.environment }}", "RELEASE": _typed("release"), "REASON": _typed("reason")}
        command, check = ROLL_BACK_TO, _NO_RELEASE + CHECK_REASON
    secrets = _ONLY_SET_SECRETS if job.secrets else ""
    body = script(who + secrets + check + _reported(job, command))
    return [{"bash": body, "name": "promote", "displayName": job.title, "env": env}]


def _typed(name: str) -> str:
    """Return what somebody typed; a macro in it would be replaced, even by the token."""
    return f"${{{{ replace(parameters.{name}, '$(', '$ (') }}}}"


def _bound_step(command: Command, workflow: str) -> dict[str, Any]:
    if command.run is not None:
        return {"bash": script(command.run), "displayName": label(command.title)}
    env = {"NAME": command.title, "STANZA": command.stanza, "WORKFLOW": workflow}
    return {"bash": script(UNBOUND), "displayName": label(command.title), "env": env}


def _reported(job: Job, command: str) -> str:
    told = reported(job, command, _WHERE, f'"{_SUMMARY}"', filtered=f" {_DISARM}")
    return f'{told}{_UPLOAD}{_NEUTRAL}exit "$code"\n'


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
