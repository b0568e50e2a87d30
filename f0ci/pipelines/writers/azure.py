"""Azure Pipelines: `azure-pipelines.yml`."""

from __future__ import annotations

import re
from typing import Any

from f0ci.core.errors import InputError
from f0ci.pipelines.model import Job, Kind, Pipeline, When
from f0ci.pipelines.writers.base import (
    CHECK_REASON,
    CONTINUE,
    CREATE_RELEASE,
    PROMOTE,
    ROLL_BACK_TO,
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
    script,
    sealed,
)

PATH = "azure-pipelines.yml"
RUNNER = "ubuntu-24.04"
_BRANCHES = ["main", "master"]
_VENV = "$AGENT_TEMPDIRECTORY/f0ci-venv"
_DIGEST = "releaseDigest"
# names of this system's own variables, which it pastes into any text before a shell reads it
_MACRO = re.compile(
    r"\$\(\s*((?:agent|build|checks|environment|pipeline|release|resources|strategy|system)\.[^)]*|"
    + _DIGEST
    + r")\s*\)",
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
        InputError: two names would become one, or Azure would replace a part of a user's text.
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
        "pool": {"vmImage": RUNNER},
        "stages": [_stage(job, pipeline, names) for job in pipeline.jobs],
    }
    return {PATH: sealed(header(pipeline, "azure"), dump(data))}


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
    limits = {"timeoutInMinutes": job.minutes, "cancelTimeoutInMinutes": 5}
    steps = [*_preparation(job, pipeline), *_work(job, pipeline)]
    environment = "${{ parameters.environment }}" if job.kind is Kind.ROLLBACK else job.environment
    if environment is None:
        return {"job": name, "displayName": job.title, **limits, "steps": steps}
    written: dict[str, Any] = {"deployment": name, "displayName": job.title, "environment": environment, **limits}
    if job.kind is Kind.PROMOTE:
        release = names["release"]
        path = f"stageDependencies.{release}.{release}.outputs['create.digest']"
        written["variables"] = [{"name": _DIGEST, "value": f"$[ {path} ]"}]
    written["strategy"] = {"runOnce": {"deploy": {"steps": steps}}}
    return written


def _preparation(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    checkout = {"checkout": "self", "persistCredentials": False, "fetchDepth": 0 if job.pushes else 1}
    if job.kind is Kind.TASK and not any(map(calls_f0ci, job.commands)):
        return [checkout]
    install = install_into(_VENV, pipeline.install) + f'echo "##vso[task.prependpath]{_VENV}/bin"\n'
    return [checkout, {"bash": script(install), "displayName": "install f0ci"}]


def _work(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    if job.kind is Kind.VALIDATE:
        return [
            {"bash": script("f0ci validate"), "displayName": "validate"},
            {"bash": script("f0ci generate azure --check"), "displayName": "check this file"},
        ]
    if job.kind is Kind.TASK:
        return [
            _bound_step(command.title, command.run, command.stanza, pipeline.workflow) for command in job.commands
        ] or [{"bash": "true", "displayName": "nothing to run"}]
    # what happens by itself is nobody's request
    is_person = job.kind is Kind.ROLLBACK
    who = identity("$BUILD_REQUESTEDFOR", _PERSON) if is_person else identity(*_NOBODY)
    env = {"F0CI_GIT_TOKEN": "$(System.AccessToken)"}
    if job.kind is Kind.RELEASE:
        tell = 'echo "##vso[task.setvariable variable=digest;isOutput=true]$digest"\n'
        body = script(who + CREATE_RELEASE + tell)
        return [{"bash": body, "name": "create", "displayName": job.title, "env": env}]
    env |= {variable: f"$({variable})" for variable in job.secrets}
    command, check = CONTINUE, ""
    if job.kind is Kind.PROMOTE:
        env |= {"TARGET": job.environment or "", "RELEASE": f"$({_DIGEST})"}
        command = PROMOTE
    elif job.kind is Kind.ROLLBACK:
        env |= {"TARGET": "${{ parameters.environment }}", "RELEASE": _typed("release"), "REASON": _typed("reason")}
        command, check = ROLL_BACK_TO, _NO_RELEASE + CHECK_REASON
    secrets = _ONLY_SET_SECRETS if job.secrets else ""
    body = script(who + secrets + check + _reported(command))
    return [{"bash": body, "name": "promote", "displayName": job.title, "env": env}]


def _typed(name: str) -> str:
    """Return what somebody typed; a macro in it would be replaced, even by the token."""
    return f"${{{{ replace(parameters.{name}, '$(', '$ (') }}}}"


def _bound_step(title: str, run: str | None, stanza: str, workflow: str) -> dict[str, Any]:
    if run is not None:
        return {"bash": script(run), "displayName": label(title)}
    env = {"NAME": title, "STANZA": stanza, "WORKFLOW": workflow}
    return {"bash": script(UNBOUND), "displayName": label(title), "env": env}


def _reported(command: str) -> str:
    status = f"{{ f0ci status --offline || true; }} {_DISARM}\n"
    return f'code=0\n{command} {_DISARM} || code=$?\n{status}{_NEUTRAL}exit "$code"\n'


def _refuse_macros(pipeline: Pipeline) -> None:
    for job in pipeline.jobs:
        for command in job.commands:
            for text in (command.title, command.run or ""):
                found = _MACRO.search(text) or re.search(r"\$\{\{", text)
                if found is not None:
                    raise InputError(
                        f"{found.group()!r} in {command.title!r} is something that Azure Pipelines would replace",
                        "read it from the environment: BUILD_BUILDID for Build.BuildId",
                        place=pipeline.workflow,
                    )
