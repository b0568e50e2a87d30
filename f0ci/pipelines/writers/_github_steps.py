"""The steps of jobs on GitHub: check out, install f0ci, do the work; every value comes in through the environment."""

from __future__ import annotations

import re
from typing import Any

from f0ci.core.errors import InputError
from f0ci.pipelines.model import Command, Job, Kind, Pipeline, When
from f0ci.pipelines.writers._summaries import PLAN_TITLE, reported, summary
from f0ci.pipelines.writers.base import (
    CONTINUE,
    ROLL_BACK,
    SHOW_PLAN,
    Remarked,
    calls_f0ci,
    install_command,
    label,
    promote,
    script,
)

# commits, each with the release it is
_PINS = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/upload-artifact": ("043fb46d1a93c77aae656e7c1c64a875d1fc6a0a", "v7.0.1"),
    "actions/download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
    "github/codeql-action/upload-sarif": ("2892aa5e19bbd11bc0cff5427e3b750a04d9e3c2", "v4.38.2"),
}
DEFAULT_BRANCH = "github.event.repository.default_branch"
_ROOT_NOTE = "zizmor: ignore[self-repository] $/ needs a path below the root"
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
BOT = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
_PERSON = ("${{ github.actor }}", "${{ github.actor_id }}+${{ github.actor }}@users.noreply.github.com")
_PYTHON = "3.12"
TOKEN = {"F0CI_GIT_TOKEN": "${{ github.token }}"}

_RUN = 'bash -euo pipefail -c "$COMMAND"\n'
_UNSAID = 'echo "::error::$PROBLEM"\nexit 3\n'
_VALIDATE = """\
code=0
f0ci validate --format github || code=$?
f0ci validate --format sarif --output f0ci.sarif > /dev/null || true
exit "$code"
"""
_RELEASE = """\
report=$(mktemp)
f0ci release create --format json | tee "$report"
digest=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["digest"])' < "$report")
echo "digest=$digest" >> "$GITHUB_OUTPUT"
"""
_SHOWN = """\
[ -n "$digest" ]
echo "digest=$digest" >> "$GITHUB_OUTPUT"
"""
_APPROVES = "Whoever approves the next job approves exactly this. "
WHERE = (
    "of [${GITHUB_SHA:0:10}]($GITHUB_SERVER_URL/$GITHUB_REPOSITORY/commit/$GITHUB_SHA), "
    "in [this run]($GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID)"
)
SUMMARY = '"$GITHUB_STEP_SUMMARY"'
# a promotion that waits is no failure of the job; everything else is what the exit code says
ENDED = """\
case "$code" in
  0) {done};;
  5) echo "::notice::waiting, see the summary; the scheduled run takes it further" ;;
  *) exit "$code" ;;
esac
"""


def steps(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    """Return the steps of a job.

    Raises:
        InputError: the Action that installs f0ci, or one that a setting needs, is not pinned by commit.
    """
    return [
        _checkout(job, pipeline),
        *installation(job, pipeline),
        *_cache(job, pipeline),
        *(_bound_step(command, pipeline.workflow) for command in job.before),
        *_work(job, pipeline),
        *(_after(command, job, pipeline) for command in job.after),
    ]


def report_steps(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Return the steps of the job that shows findings as alerts; it runs nothing of the repository."""
    return [
        {
            "name": "get the findings",
            "uses": action("actions/download-artifact", pipeline),
            "with": {"name": "f0ci-findings"},
        },
        {
            "name": "show them as alerts",
            "uses": action("github/codeql-action/upload-sarif", pipeline),
            "with": {"sarif_file": "f0ci.sarif", "category": "f0ci"},
        },
    ]


def is_followed(job: Job, pipeline: Pipeline) -> bool:
    """Tell whether something asks whether this promotion's release arrived."""
    if job.kind is not Kind.PROMOTE:
        return False
    return bool(job.after) or any(job.id in other.arrived for other in pipeline.jobs)


def action(name: str, pipeline: Pipeline) -> str:
    """Return an action with its commit, and the release it is in a remark.

    Raises:
        InputError: f0ci knows no commit of it, and the workflow says none.
    """
    own = pipeline.option("github", "pins", {}).get(name)
    if own is not None:
        return f"{name}@{own}"
    if name not in _PINS:
        raise InputError(
            f"no commit of the action {name!r} is known",
            f"say which under spec.pipelines.github.pins: `git ls-remote https://github.com/{name}`",
            place=pipeline.workflow,
        )
    commit, release = _PINS[name]
    return Remarked(f"{name}@{commit}", release)


def _after(command: Command, job: Job, pipeline: Pipeline) -> dict[str, Any]:
    made = _bound_step(command, pipeline.workflow)
    if job.kind is not Kind.PROMOTE:
        return made
    # a promotion that waits ended well, and nothing is there yet
    return {"name": made.pop("name"), "if": "steps.promote.outputs.arrived == 'true'", **made}


def _checkout(job: Job, pipeline: Pipeline) -> dict[str, Any]:
    options: dict[str, Any] = {"persist-credentials": False}
    if job.pushes or job.kind is Kind.PLAN:
        options["fetch-depth"] = 0
    if job.when in {When.BY_HAND, When.SCHEDULE}:
        # whatever branch the run was started from
        options["ref"] = f"${{{{ {DEFAULT_BRANCH} }}}}"
    return {"name": "check out", "uses": action("actions/checkout", pipeline), "with": options}


def installation(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    """Return the steps that bring f0ci to a job, where it needs it.

    Raises:
        InputError: the Action that installs f0ci is not pinned by commit.
    """
    commands = (*job.before, *job.commands, *job.after)
    if job.kind is Kind.TASK and not any(map(calls_f0ci, commands)):
        return []
    install = pipeline.install
    if install.kind == "action":
        uses = _action(install.value, pipeline)
        return [{"name": "install f0ci", "uses": uses, "with": {"command": "install"}}]
    if install.kind == "preinstalled":
        return [step("find f0ci", "f0ci --version")]
    version = pipeline.option("github", "python", _PYTHON)
    uses = action("actions/setup-python", pipeline)
    python = {"name": "set up Python", "uses": uses, "with": {"python-version": version}}
    return [python, step("install f0ci", _RUN, {"COMMAND": install_command(install)})]


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


def _cache(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    if job.cache is None:
        return []
    files = ", ".join(f"'{path}'" for path in job.cache.key)
    key = f"f0ci-{job.id}-${{{{ runner.os }}}}-${{{{ hashFiles({files}) }}}}"
    options = {"path": "\n".join(job.cache.paths) + "\n" * (len(job.cache.paths) > 1), "key": key}
    return [{"name": "bring the cache", "uses": action("actions/cache", pipeline), "with": options}]


def _work(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    if job.kind is Kind.VALIDATE:
        return _validation(pipeline)
    if job.kind is Kind.TASK:
        return [_bound_step(command, pipeline.workflow) for command in job.commands]
    release = {"TARGET": str(job.environment), "RELEASE": "${{ needs.release.outputs.digest }}"}
    if job.kind is Kind.PLAN:
        # the token of this job can read and nothing else
        return [
            step(
                job.title,
                SHOW_PLAN + _SHOWN + summary(PLAN_TITLE, f"{_APPROVES}It is {WHERE}", SUMMARY),
                {**TOKEN, **release},
                id="plan",
            )
        ]
    env = {**TOKEN, **_identity(job)}
    if job.kind is Kind.RELEASE:
        return [step(job.title, _RELEASE + summary("Release ${digest:0:12}", WHERE, SUMMARY), env, id="release")]
    command = CONTINUE
    if job.kind is Kind.PROMOTE:
        env |= release
        if job.plan:
            env["PLAN"] = f"${{{{ needs.{job.plan}.outputs.digest }}}}"
        command = promote(job, "github")
    elif job.kind is Kind.ROLLBACK:
        env |= {name.upper(): f"${{{{ inputs.{name} }}}}" for name in ("environment", "release", "reason")}
        env["TARGET"] = env.pop("ENVIRONMENT")
        command = f'{ROLL_BACK} ${{RELEASE:+--to "$RELEASE"}}'
    done = 'echo "arrived=true" >> "$GITHUB_OUTPUT" ' if is_followed(job, pipeline) else ""
    body = reported(job, command, WHERE, SUMMARY) + ENDED.replace("{done}", done)
    return [step(job.title, body, env, id="promote")]


def _validation(pipeline: Pipeline) -> list[dict[str, Any]]:
    upload = {
        "name": "hand over the findings",
        "if": "always() && hashFiles('f0ci.sarif') != ''",
        "uses": action("actions/upload-artifact", pipeline),
        "with": {
            "name": "f0ci-findings",
            "path": "f0ci.sarif",
            "if-no-files-found": "error",
            "retention-days": 30,
            "overwrite": True,
        },
    }
    return [
        step("validate", _VALIDATE),
        *([upload] if shows_alerts(pipeline) else []),
        step("check this file", "f0ci generate github --check\n"),
    ]


def shows_alerts(pipeline: Pipeline) -> bool:
    """Tell whether findings are uploaded as code scanning alerts."""
    return bool(pipeline.option("github", "code_scanning", default=True))


def _identity(job: Job) -> dict[str, str]:
    # what a person starts is theirs on record; what happens by itself is nobody's request
    name, email = _PERSON if job.when is When.BY_HAND else BOT
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }


def _bound_step(command: Command, workflow: str) -> dict[str, Any]:
    if command.run is not None:
        return step(label(command.title), _RUN, {"COMMAND": command.run})
    problem = f"{workflow} does not say what {command.title} runs; add {command.stanza}"
    return step(label(command.title), _UNSAID, {"PROBLEM": " ".join(problem.split())})


def step(name: str, body: str, env: dict[str, str] | None = None, *, id: str | None = None) -> dict[str, Any]:  # noqa: A002 - GitHub's word
    """Return a step that runs a script, its variables in the environment."""
    made: dict[str, Any] = {"name": name}
    if id is not None:
        made["id"] = id
    if env:
        made["env"] = env
    made["run"] = script(body)
    return made
