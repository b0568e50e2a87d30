"""GitHub: the workflow that promotions call, in which jobs that may push and jobs that may not take turns.

A job that pushes runs nothing of the repository; what has to be run it leaves to the next job, whose token can read
and nothing else. The digest of what was left goes from one job that pushes to the next by its outputs, which nobody
else writes to.
"""

from __future__ import annotations

import json
from typing import Any

from f0ci.pipelines.model import Command, Job, Kind, Pipeline, When
from f0ci.pipelines.writers._github_steps import (
    BOT,
    DEFAULT_BRANCH,
    ENDED,
    SUMMARY,
    TOKEN,
    WHERE,
    action,
    installation,
    step,
)
from f0ci.pipelines.writers._summaries import summary
from f0ci.pipelines.writers.base import TURN, Bare, Remarked, dump, header, label, script, sealed

PATH = ".github/workflows/f0ci-promote.yml"
# what a job is in that needs nobody's approval and none of an environment's secrets
NEUTRAL = "f0ci-continue"
_WORK_ENVIRONMENT = "f0ci-work-"
_FOLDER = "$RUNNER_TEMP/f0ci"
_ARTIFACTS = "${{ runner.temp }}/f0ci"
_RUN_BEFORE = 'bash -euo pipefail -c "$STEPS"\n'
_INPUTS: tuple[tuple[str, str, Any, str], ...] = (
    ("id", "string", None, "the stage, which names what is handed over"),
    ("action", "string", None, "promote, continue or rollback"),
    ("environment", "string", "", "where to"),
    ("release", "string", "", "digest of the release"),
    ("asks", "boolean", False, "whether people are asked, about the plan that they were shown"),
    ("plan", "string", "", "digest of that plan"),
    ("reason", "string", "", "why to roll back"),
    ("wait", "string", "", "how long to stay with a promotion that waits"),
    ("gate", "string", NEUTRAL, "the environment whose rules the first job waits for"),
    ("work", "string", NEUTRAL, "the environment whose secrets the jobs get that run recipes"),
    ("runner", "string", None, "labels of the runner, as JSON"),
    ("minutes", "number", None, "how long each job may take"),
    ("before", "string", "", "what runs before each work, without the token"),
    ("after", "string", "", "what runs once the release has arrived, without the token"),
)


def rounds_in(pipeline: Pipeline) -> int:
    """Return how many rounds the called workflow has; 0 where nothing calls it."""
    return max((job.rounds for job in pipeline.jobs), default=0)


def write_called(pipeline: Pipeline) -> dict[str, str]:
    """Return the workflow that promotions call, or nothing where none hands work over."""
    rounds = rounds_in(pipeline)
    if not rounds:
        return {}
    arrived = " || ".join(f"jobs.promote-{number}.outputs.arrived" for number in range(1, rounds + 2))
    jobs: dict[str, Any] = {}
    for number in range(1, rounds + 2):
        jobs[f"promote-{number}"] = _promoting(pipeline, number, rounds)
        if number <= rounds:
            jobs[f"work-{number}"] = _working(pipeline, number)
    jobs["after"] = _afterwards(pipeline, rounds)
    data = {
        "name": label(f"f0ci {pipeline.name}: promote"),
        Bare("on"): {
            "workflow_call": {
                "inputs": {name: _input(kind, default, text) for name, kind, default, text in _INPUTS},
                "outputs": {
                    "arrived": {"description": "whether the release arrived", "value": f"${{{{ {arrived} }}}}"}
                },
            }
        },
        "permissions": {},
        "defaults": {"run": {"shell": "bash"}},
        "jobs": jobs,
    }
    return {PATH: sealed(header(pipeline, "github"), "#\n\n" + dump(data, spaced="jobs"))}


def calling(job: Job, pipeline: Pipeline, runner: Any) -> dict[str, Any]:
    """Return the part of a job that calls the workflow.

    Args:
        job: what promotes, continues or rolls back.
        pipeline: whose job.
        runner: labels of its runner.
    """
    rights = {
        "contents": Remarked("write", "for the jobs in it that push environments and ledgers"),
        "actions": Remarked("read", "for those that record who approved"),
    }
    given: dict[str, Any] = {"id": job.id, "action": str(job.kind)}
    if job.kind is Kind.PROMOTE:
        given |= {"environment": job.environment, "release": "${{ needs.release.outputs.digest }}"}
        given["gate"] = job.environment
    if job.plan:
        given["asks"] = True
        given["plan"] = f"${{{{ needs.{job.plan}.outputs.digest }}}}"
    if job.when is When.BY_HAND:
        given |= {name: f"${{{{ inputs.{name} }}}}" for name in ("environment", "release", "reason")}
    if job.wait:
        given["wait"] = job.wait
    work = _work_environment(job, pipeline)
    if work is not None:
        given["work"] = work
    given["runner"] = json.dumps(runner)
    given["minutes"] = job.minutes
    for name, commands in (("before", job.before), ("after", job.after)):
        if commands:
            given[name] = _together(commands)
    secrets = {"secrets": _INHERITED} if job.secrets else {}
    return {"permissions": rights, "uses": Remarked(f"./{PATH}", _CALLED), "with": given, **secrets}


_CALLED = "zizmor: ignore[self-repository] the same commit either way; older servers know no $/"
_INHERITED = Remarked(
    "inherit", "zizmor: ignore[secrets-inherit] secrets of environments reach a called workflow only so"
)


def environment_with_secrets(name: str) -> str:
    """Return the environment of GitHub that holds the secrets of what is run for an environment."""
    return f"{_WORK_ENVIRONMENT}{name}"


def _work_environment(job: Job, pipeline: Pipeline) -> str | None:
    if not job.secrets or job.kind is Kind.CONTINUE:
        return None
    if job.when is When.BY_HAND:
        return f"{_WORK_ENVIRONMENT}${{{{ inputs.environment }}}}"
    return environment_with_secrets(str(job.environment)) if pipeline.secrets.get(str(job.environment)) else None


def _together(commands: tuple[Command, ...]) -> str:
    """Return commands as one script, each in a shell of its own."""
    return "".join(f"(\n{script(command.run or '')})\n" for command in commands)


def _input(kind: str, default: Any, text: str) -> dict[str, Any]:
    return {"description": text, "type": kind, **({"required": True} if default is None else {"default": default})}


def _job(name: str, conditions: dict[str, Any], rights: dict[str, Remarked]) -> dict[str, Any]:
    return {
        "name": name,
        **conditions,
        "runs-on": "${{ fromJSON(inputs.runner) }}",
        "timeout-minutes": "${{ inputs.minutes }}",
        "permissions": rights,
    }


def _promoting(pipeline: Pipeline, number: int, rounds: int) -> dict[str, Any]:
    first, last = number == 1, number > rounds
    conditions: dict[str, Any] = {}
    if not first:
        conditions["needs"] = [f"promote-{number - 1}", f"work-{number - 1}"]
        # whatever became of the work: what has no answer is asked again
        conditions["if"] = f"!cancelled() && needs.promote-{number - 1}.outputs.errands != ''"
    rights = {
        "contents": Remarked("write", "to push environments and ledgers"),
        "actions": Remarked("read", "to record who approved"),
    }
    job = _job("promote" if first else f"go on after work {number - 1}", conditions, rights)
    # without a queue, a third run silently takes the place of the second
    group = f"f0ci-${{{{ inputs.action }}}}-${{{{ inputs.environment }}}}{'' if first else f'-{number}'}"
    job["concurrency"] = {"group": group, "cancel-in-progress": False, "queue": "max"}
    if first:
        # no deployment of GitHub's own: it would call a promotion that waits a success
        job["environment"] = {"name": "${{ inputs.gate }}", "deployment": False}
    job["outputs"] = {"arrived": "${{ steps.promote.outputs.arrived }}"}
    if not last:
        job["outputs"]["errands"] = "${{ steps.promote.outputs.errands }}"
    env = {**TOKEN, **_identity(), "ACTION": "${{ inputs.action }}", "TARGET": "${{ inputs.environment }}"}
    env |= {name.upper(): f"${{{{ inputs.{name} }}}}" for name in ("release", "asks", "plan", "reason", "wait")}
    if not first:
        env["ANSWERED"] = f"${{{{ needs.promote-{number - 1}.outputs.errands }}}}"
    taken = [] if first else [_download(pipeline, "answers", number - 1, missing=True)]
    job["steps"] = [
        _checkout(pipeline),
        *installation(_ANY, pipeline),
        *taken,
        step("promote", _script(first=first, last=last), env, id="promote"),
        *([] if last else [_upload(pipeline, "errands", number, "steps.promote.outputs.errands != ''")]),
    ]
    return job


def _working(pipeline: Pipeline, number: int) -> dict[str, Any]:
    # success() would also look at work that broke off before
    conditions = {"needs": [f"promote-{number}"], "if": f"!cancelled() && needs.promote-{number}.outputs.errands != ''"}
    job = _job(
        f"work {number}", conditions, {"contents": Remarked("read", "to check out; nothing is pushed from here")}
    )
    secrets = tuple(sorted({variable for variables in pipeline.secrets.values() for variable in variables}))
    if secrets:
        job["environment"] = {"name": "${{ inputs.work }}", "deployment": False}
    env = {variable: f"${{{{ secrets.{variable} }}}}" for variable in secrets}
    job["steps"] = [
        _checkout(pipeline),
        *installation(_ANY, pipeline),
        _download(pipeline, "errands", number),
        _steps_of("before"),
        step("work", only_set(secrets) + f'f0ci errands "{_FOLDER}"\n', env),
        _upload(pipeline, "answers", number, "!cancelled()"),
    ]
    return job


def _afterwards(pipeline: Pipeline, rounds: int) -> dict[str, Any]:
    names = [f"promote-{number}" for number in range(1, rounds + 2)]
    arrived = " || ".join(f"needs.{name}.outputs.arrived == 'true'" for name in names)
    conditions = {"needs": names, "if": f"!cancelled() && inputs.after != '' && ({arrived})"}
    job = _job("afterwards", conditions, {"contents": Remarked("read", "to check out")})
    job["steps"] = [_checkout(pipeline), *installation(_ANY, pipeline), _steps_of("after")]
    return job


# what is installed does not depend on which job of the called workflow it is for
_ANY = Job("promote", "promote", Kind.PROMOTE, When.DEFAULT_BRANCH)


def only_set(variables: tuple[str, ...]) -> str:
    """Return a script that forgets secrets that do not exist, so that f0ci says which one is missing."""
    if not variables:
        return ""
    # a secret that does not exist arrives empty
    names = "".join(f"only_set {variable}\n" for variable in variables)
    return f'only_set() {{ [ -n "${{!1}}" ] || unset "$1"; }}\n{names}'


def _script(*, first: bool, last: bool) -> str:
    shown = (
        '    else\n      f0ci plan "$TARGET" --release "$RELEASE" --apart > "$report" 2> /dev/null || true\n'
        if first
        else ""
    )
    answered = "" if first else ' ${ANSWERED:+--answered "$ANSWERED"}'
    left = f"""\
if [ -s "{_FOLDER}/errands.json" ]; then
  echo "errands=$(sha256sum < "{_FOLDER}/errands.json" | cut -c 1-64)" >> "$GITHUB_OUTPUT"
  exit 0
fi
"""
    return f"""\
report=$(mktemp)
case "$ACTION" in
  promote)
    title="Release ${{RELEASE:0:12}} into $TARGET"
    set -- promote "$TARGET" --release "$RELEASE" --turn {TURN}
    if [ "$ASKS" = true ]; then
      set -- "$@" --digest "$PLAN" --evidence github
{shown}    fi
    ;;
  continue)
    title="Waiting promotions"
    set -- promote --continue
    ;;
  rollback)
    title="Rollback of $TARGET"
    set -- rollback "$TARGET" --reason "${{REASON:-by hand}}" ${{RELEASE:+--to "$RELEASE"}}
    ;;
esac
code=0
f0ci "$@" ${{WAIT:+--wait "$WAIT"}} --apart "{_FOLDER}"{answered} | tee -a "$report" || code=$?
{{ f0ci status --offline || true; }} | tee -a "$report"
{summary("$title", WHERE, SUMMARY)}{"" if last else left}{ENDED.replace("{done}", ARRIVED)}"""


ARRIVED = 'echo "arrived=true" >> "$GITHUB_OUTPUT" '


def _identity() -> dict[str, str]:
    # what a person starts is theirs on record; what happens by itself is nobody's request
    name, email = BOT
    person = "github.actor"
    address = "format('{0}+{1}@users.noreply.github.com', github.actor_id, github.actor)"
    who = {
        "NAME": f"${{{{ inputs.action == 'rollback' && {person} || '{name}' }}}}",
        "EMAIL": f"${{{{ inputs.action == 'rollback' && {address} || '{email}' }}}}",
    }
    return {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in who.items()}


def _checkout(pipeline: Pipeline) -> dict[str, Any]:
    options = {
        "persist-credentials": False,
        "fetch-depth": 0,
        # a promotion is of the commit that was pushed; all else of the default branch, wherever it was started
        "ref": f"${{{{ inputs.action == 'promote' && github.sha || {DEFAULT_BRANCH} }}}}",
    }
    return {"name": "check out", "uses": action("actions/checkout", pipeline), "with": options}


def _steps_of(name: str) -> dict[str, Any]:
    made = step(f"steps {name} it", _RUN_BEFORE, {"STEPS": f"${{{{ inputs.{name} }}}}"})
    return {"name": made.pop("name"), "if": f"inputs.{name} != ''", **made}


def _artifact(what: str, number: int) -> str:
    return f"f0ci-{what}-${{{{ inputs.id }}}}-{number}"


def _upload(pipeline: Pipeline, what: str, number: int, condition: str) -> dict[str, Any]:
    return {
        "name": f"hand over the {what}",
        "if": condition,
        "uses": action("actions/upload-artifact", pipeline),
        "with": {
            "name": _artifact(what, number),
            "path": _ARTIFACTS,
            "if-no-files-found": "error",
            "retention-days": 1,
            "overwrite": True,
        },
    }


def _download(pipeline: Pipeline, what: str, number: int, *, missing: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {"name": f"take the {what}"}
    if missing:
        # work that broke off left none
        made["continue-on-error"] = True
    made["uses"] = action("actions/download-artifact", pipeline)
    made["with"] = {"name": _artifact(what, number), "path": _ARTIFACTS}
    return made
