"""The steps of jobs on GitHub: check out, install f0ci, do the work; every value comes in through the environment."""

from __future__ import annotations

import re
from typing import Any

from f0ci.core.errors import InputError
from f0ci.pipelines.model import Command, Job, Kind, Pipeline, When
from f0ci.pipelines.writers.base import (
    CONTINUE,
    PROMOTE,
    ROLL_BACK,
    Remarked,
    install_command,
    is_action,
    label,
    script,
)

# commits, each with the release it is
CHECKOUT = Remarked("actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1")
SETUP_PYTHON = Remarked("actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0")
DEFAULT_BRANCH = "github.event.repository.default_branch"
_ROOT_NOTE = "zizmor: ignore[self-repository] $/ needs a path below the root"
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_BOT = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
_PERSON = ("${{ github.actor }}", "${{ github.actor_id }}+${{ github.actor }}@users.noreply.github.com")

_RUN = 'bash -euo pipefail -c "$COMMAND"\n'
_UNSAID = 'echo "::error::$PROBLEM"\nexit 3\n'
_RELEASE = """\
f0ci release create --format json | tee "$RUNNER_TEMP/release.json"
digest=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["digest"])' < "$RUNNER_TEMP/release.json")
echo "digest=$digest" >> "$GITHUB_OUTPUT"
sed 's/^/    /' "$RUNNER_TEMP/release.json" >> "$GITHUB_STEP_SUMMARY"
"""
_ONLY_SET_SECRETS = """\
# a secret that does not exist arrives empty; without it f0ci says which one is missing
for name in "${!F0CI_SECRET_@}"; do
  [ -n "${!name}" ] || unset "$name"
done
"""
# a promotion that waits is no failure of the job; everything else is what the exit code says
_REPORTED = """\
code=0
{command} | tee "$RUNNER_TEMP/report" || code=$?
f0ci status --offline >> "$RUNNER_TEMP/report" || true
sed 's/^/    /' "$RUNNER_TEMP/report" >> "$GITHUB_STEP_SUMMARY"
case "$code" in
  0) {done};;
  5) echo "::notice::waiting, see the summary; the scheduled run takes it further" ;;
  *) exit "$code" ;;
esac
"""


def steps(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    """Return the steps of a job.

    Raises:
        InputError: the Action that installs f0ci is not pinned by commit.
    """
    return [_checkout(job), *_installation(job, pipeline), *_work(job, pipeline)]


def is_followed(job: Job, pipeline: Pipeline) -> bool:
    """Tell whether another job asks whether this one's release arrived."""
    return any(job.id in other.arrived for other in pipeline.jobs)


def _checkout(job: Job) -> dict[str, Any]:
    options: dict[str, Any] = {"persist-credentials": False}
    if job.pushes:
        options["fetch-depth"] = 0
    if job.when in {When.BY_HAND, When.SCHEDULE}:
        # whatever branch the run was started from
        options["ref"] = f"${{{{ {DEFAULT_BRANCH} }}}}"
    return {"name": "check out", "uses": CHECKOUT, "with": options}


def _installation(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    if job.kind is Kind.TASK and not any(re.search(r"\bf0ci\b", command.run or "") for command in job.commands):
        return []
    install = pipeline.install
    if is_action(install):
        return [{"name": "install f0ci", "uses": _action(install, pipeline), "with": {"command": "install"}}]
    python = {"name": "set up Python", "uses": SETUP_PYTHON, "with": {"python-version": "3.12"}}
    return [python, _step("install f0ci", _RUN, {"COMMAND": install_command(install)})]


def _action(install: str, pipeline: Pipeline) -> str:
    if install.startswith("./"):
        path = install.removeprefix("./")
        return f"$/{path}" if path else Remarked(install, _ROOT_NOTE)
    if not _COMMIT.match(install.rpartition("@")[2]):
        raise InputError(
            f"'install' names the Action {install!r} by what can be moved",
            f"write the full commit: `git ls-remote https://github.com/{install.replace('@', ' ', 1)}`",
            place=pipeline.workflow,
        )
    return install


def _work(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    if job.kind is Kind.VALIDATE:
        return [
            _step("validate", "f0ci validate --format github\n"),
            _step("check this file", "f0ci generate github --check\n"),
        ]
    if job.kind is Kind.TASK:
        return [_bound_step(command, pipeline.workflow) for command in job.commands]
    env = {"F0CI_GIT_TOKEN": "${{ github.token }}", **_identity(job)}
    if job.kind is Kind.RELEASE:
        return [_step(job.title, _RELEASE, env, id="release")]
    env |= {variable: f"${{{{ secrets.{variable} }}}}" for variable in job.secrets}
    command = CONTINUE
    if job.kind is Kind.PROMOTE:
        env |= {"TARGET": str(job.environment), "RELEASE": "${{ needs.release.outputs.digest }}"}
        command = PROMOTE
    elif job.kind is Kind.ROLLBACK:
        env |= {name.upper(): f"${{{{ inputs.{name} }}}}" for name in ("environment", "release", "reason")}
        env["TARGET"] = env.pop("ENVIRONMENT")
        command = f'{ROLL_BACK} ${{RELEASE:+--to "$RELEASE"}}'
    done = 'echo "arrived=true" >> "$GITHUB_OUTPUT" ' if is_followed(job, pipeline) else ""
    body = _REPORTED.replace("{command}", command).replace("{done}", done)
    body = _ONLY_SET_SECRETS + body if job.secrets else body
    return [_step(job.title, body, env, id="promote")]


def _identity(job: Job) -> dict[str, str]:
    # what a person starts is theirs on record; what happens by itself is nobody's request
    name, email = _PERSON if job.when is When.BY_HAND else _BOT
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }


def _bound_step(command: Command, workflow: str) -> dict[str, Any]:
    if command.run is not None:
        return _step(label(command.title), _RUN, {"COMMAND": command.run})
    problem = f"{workflow} does not say what {command.title} runs; add {command.stanza}"
    return _step(label(command.title), _UNSAID, {"PROBLEM": " ".join(problem.split())})


def _step(name: str, body: str, env: dict[str, str] | None = None, *, id: str | None = None) -> dict[str, Any]:  # noqa: A002 - GitHub's word
    step: dict[str, Any] = {"name": name}
    if id is not None:
        step["id"] = id
    if env:
        step["env"] = env
    step["run"] = script(body)
    return step
