"""The steps of jobs on Azure: check out, install f0ci, do the work; every value comes in through the environment."""

from __future__ import annotations

from typing import Any

from f0ci.pipelines.model import Command, Job, Kind, Pipeline
from f0ci.pipelines.writers._azure_rounds import ERRANDS, folder, hand_over, tell_errands
from f0ci.pipelines.writers._summaries import PLAN_TITLE, reported, summary
from f0ci.pipelines.writers.base import (
    CHECK_REASON,
    CONTINUE,
    CREATE_RELEASE,
    ROLL_BACK_TO,
    SHOW_PLAN,
    UNBOUND,
    WAITING,
    apart,
    calls_f0ci,
    identity,
    install_into,
    label,
    promote,
    script,
)

_VENV = "$AGENT_TEMPDIRECTORY/f0ci-venv"
DIGEST = "releaseDigest"
PLAN = "planDigest"
_PERSON = "${BUILD_REQUESTEDFOREMAIL:-f0ci@noreply.invalid}"
_NOBODY = ("f0ci on Azure Pipelines", "f0ci@noreply.invalid")
# a parameter without a value cannot be left empty
_NO_RELEASE = 'if [ "$RELEASE" = latest-good ]; then RELEASE=""; fi\n'
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
DISARM = "2>&1 | sed -u 's/##vso\\[/## vso[/g'"
_NEUTRAL = f"""\
if [ "$code" -eq 0 ]; then
  echo "##vso[task.setvariable variable=arrived;isOutput=true]true"
elif [ "$code" -eq 5 ]; then
  echo "##vso[task.logissue type=warning]{WAITING}"
  echo "##vso[task.complete result=SucceededWithIssues;]waiting"
  code=0
fi
"""


def preparation(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    full = job.pushes or job.kind is Kind.PLAN
    checkout = {"checkout": "self", "persistCredentials": False, "fetchDepth": 0 if full else 1}
    if job.kind is Kind.TASK and not any(map(calls_f0ci, (*job.before, *job.commands, *job.after))):
        return [checkout]
    install = install_into(_VENV, pipeline.install)
    if pipeline.install.kind != "preinstalled":
        install += f'echo "##vso[task.prependpath]{_VENV}/bin"\n'
    # a download that broke off; nothing that changes anything is tried again
    return [checkout, {"bash": script(install), "displayName": "install f0ci", "retryCountOnTaskFailure": 2}]


def work(job: Job, pipeline: Pipeline, name: str, number: int) -> list[dict[str, Any]]:
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
        steps = [bound_step(command, pipeline.workflow) for command in job.commands]
        return steps or [{"bash": "true", "displayName": "nothing to run"}]
    if job.kind is Kind.PLAN:
        env = {**_TOKEN_ENV, "TARGET": job.environment or "", "RELEASE": f"$({DIGEST})"}
        body = script(SHOW_PLAN.replace('cat "$report"\n', f'cat "$report" {DISARM}\n') + _SHOWN)
        return [{"bash": body, "name": "plan", "displayName": job.title, "env": env}]
    # what happens by itself is nobody's request
    is_person = job.kind is Kind.ROLLBACK
    who = identity("$BUILD_REQUESTEDFOR", _PERSON) if is_person else identity(*_NOBODY)
    env = dict(_TOKEN_ENV)
    if job.kind is Kind.RELEASE:
        tell = 'echo "##vso[task.setvariable variable=digest;isOutput=true]$digest"\n'
        body = script(who + CREATE_RELEASE + tell)
        return [{"bash": body, "name": "create", "displayName": job.title, "env": env}]
    command, check = CONTINUE, ""
    if job.kind is Kind.PROMOTE:
        env |= {"TARGET": job.environment or "", "RELEASE": f"$({DIGEST})"}
        if job.plan:
            env["PLAN"] = f"$({PLAN})"
        command = promote(job, "azure")
    elif job.kind is Kind.ROLLBACK:
        env |= {"TARGET": "${{ parameters.environment }}", "RELEASE": _typed("release"), "REASON": _typed("reason")}
        command, check = ROLL_BACK_TO, _NO_RELEASE + CHECK_REASON
    if not job.rounds:
        return [{"bash": script(who + check + _reported(job, command)), **_named(job.title, env)}]
    env |= {"ANSWERED": f"$({ERRANDS})" if number > 1 else ""}
    place, last = folder(name, number), number > job.rounds
    body = who + check + _reported(job, apart(command, place), "" if last else tell_errands(place), again=number > 1)
    pushes = {"bash": script(body), **_named(job.title, env)}
    return [pushes] if last else [pushes, hand_over(name, number)]


def _named(title: str, env: dict[str, str]) -> dict[str, Any]:
    return {"name": "promote", "displayName": title, "env": env}


def only_set(variables: tuple[str, ...]) -> str:
    """Return a script that forgets secrets that do not exist, so that f0ci says which one is missing."""
    if not variables:
        return ""
    # a variable that does not exist arrives as it is written
    names = "".join(f"only_set {variable}\n" for variable in variables)
    return f'only_set() {{ [ "${{!1}}" != "\\$($1)" ] || unset "$1"; }}\n{names}'


def _typed(name: str) -> str:
    """Return what somebody typed; a macro in it would be replaced, even by the token."""
    return f"${{{{ replace(parameters.{name}, '$(', '$ (') }}}}"


def bound_step(command: Command, workflow: str) -> dict[str, Any]:
    if command.run is not None:
        return {"bash": script(command.run), "displayName": label(command.title)}
    env = {"NAME": command.title, "STANZA": command.stanza, "WORKFLOW": workflow}
    return {"bash": script(UNBOUND), "displayName": label(command.title), "env": env}


def _reported(job: Job, command: str, tell: str = "", *, again: bool = False) -> str:
    told = reported(job, command, _WHERE, f'"{_SUMMARY}"', filtered=f" {DISARM}", again=again)
    return f'{told}{_UPLOAD}{tell}{_NEUTRAL}exit "$code"\n'
