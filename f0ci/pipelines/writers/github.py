"""GitHub Actions: `.github/workflows/f0ci.yml`."""

from __future__ import annotations

from typing import Any

from f0ci.pipelines.model import Job, Kind, Pipeline, When
from f0ci.pipelines.writers.base import dump, environments_set_up, header, install_command, is_action
from f0ci.pipelines.writers.base import script as _script

PATH = ".github/workflows/f0ci.yml"
RUNNER = "ubuntu-24.04"
PINS = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
}
_ON_DEFAULT_BRANCH = "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"
_BY_HAND = "github.event_name == 'workflow_dispatch' && inputs.action == '{0}' && " + _ON_DEFAULT_BRANCH
_RUN_NAME = (
    "${{ github.event_name == 'workflow_dispatch' && format('{0} {1}', inputs.action, inputs.environment) || '' }}"
)
_RIGHTS = {
    "contents: read": "to check out",
    "contents: write": "to push environments, ledgers and release tags",
}
# the newer spelling is not known to every server
_LOCAL_NOTE = "zizmor: ignore[self-repository] servers that do not know $/ need a path of the checkout"
_IDENTITY = """\
git config user.name "$GITHUB_ACTOR"
git config user.email "$GITHUB_ACTOR@users.noreply.github.com"
"""
# a promotion that waits is no failure of the job; everything else is what the exit code says
_NEUTRAL = """\
if [ "$code" -eq 5 ]; then
  echo "::notice::waiting; the scheduled run takes it further"
  code=0
fi
"""
_SUMMARY = """\
{
  echo '```'
  cat "$RUNNER_TEMP/report"
  f0ci status || true
  echo '```'
} >> "$GITHUB_STEP_SUMMARY"
"""


def write(pipeline: Pipeline) -> dict[str, str]:
    """Return the workflow file."""
    data = {
        "name": f"f0ci {pipeline.name}",
        "run-name": _RUN_NAME,
        "on": _triggers(pipeline),
        "permissions": {},
        "defaults": {"run": {"shell": "bash"}},
        "jobs": {job.id: _job(job, pipeline) for job in pipeline.jobs},
    }
    return {PATH: header(pipeline, "github") + _annotate(dump(data))}


def set_up(pipeline: Pipeline) -> tuple[str, ...]:
    """Return what GitHub needs to be told once."""
    return environments_set_up(pipeline, "required reviewers")


def _triggers(pipeline: Pipeline) -> dict[str, Any]:
    environments = list(pipeline.environments) or ["none"]
    return {
        "push": {"branches": ["main", "master"]},
        "pull_request": {},
        "schedule": [{"cron": "17 * * * *"}],
        "workflow_dispatch": {
            "inputs": {
                "action": {
                    "description": "What to do",
                    "type": "choice",
                    "options": ["continue", "rollback"],
                    "default": "continue",
                },
                "environment": {"description": "Where to roll back", "type": "choice", "options": environments},
                "reason": {"description": "Why to roll back, for the record", "type": "string", "default": ""},
            }
        },
    }


def _job(job: Job, pipeline: Pipeline) -> dict[str, Any]:
    written: dict[str, Any] = {"name": job.title}
    if job.needs:
        written["needs"] = list(job.needs)
    condition = _condition(job)
    if condition:
        written["if"] = condition
    written["runs-on"] = RUNNER
    written["timeout-minutes"] = job.minutes
    written["permissions"] = {"contents": "write" if job.pushes else "read"}
    written["concurrency"] = {"group": _group(job), "cancel-in-progress": job.kind is Kind.VALIDATE}
    if job.environment is not None:
        written["environment"] = {"name": job.environment}
    elif job.kind is Kind.ROLLBACK:
        written["environment"] = {"name": "${{ inputs.environment }}"}
    if job.kind is Kind.RELEASE:
        written["outputs"] = {"release": "${{ steps.release.outputs.release }}"}
    written["steps"] = [*_preparation(job, pipeline), *_work(job, pipeline)]
    return written


def _condition(job: Job) -> str | None:
    if job.when is When.DEFAULT_BRANCH:
        return f"github.event_name == 'push' && {_ON_DEFAULT_BRANCH}"
    if job.when is When.SCHEDULE:
        return f"github.event_name == 'schedule' || ({_BY_HAND.replace('{0}', 'continue', 1)})"
    if job.when is When.BY_HAND:
        return _BY_HAND.replace("{0}", "rollback", 1)
    return "github.event_name == 'push' || github.event_name == 'pull_request'"


def _group(job: Job) -> str:
    if job.kind is Kind.ROLLBACK:
        return "f0ci-rollback-${{ inputs.environment }}"
    if job.environment is not None:
        return f"f0ci-{job.environment}"
    if job.pushes:
        return f"f0ci-{job.id}"
    return f"f0ci-{job.id}-${{{{ github.ref }}}}"


def _preparation(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    checkout: dict[str, Any] = {
        "name": "check out",
        "uses": _pinned("actions/checkout"),
        "with": {"persist-credentials": False, **({"fetch-depth": 0} if job.pushes else {})},
    }
    if job.kind is Kind.TASK and all(command.run is not None for command in job.commands):
        return [checkout]
    return [checkout, *_install(pipeline.install)]


def _install(install: str) -> list[dict[str, Any]]:
    if is_action(install):
        return [{"name": "install f0ci", "uses": install, "with": {"command": "install"}}]
    python = {"name": "set up Python", "uses": _pinned("actions/setup-python"), "with": {"python-version": "3.12"}}
    return [python, {"name": "install f0ci", "run": _script(install_command(install))}]


def _work(job: Job, pipeline: Pipeline) -> list[dict[str, Any]]:
    token = {"F0CI_GIT_TOKEN": "${{ github.token }}"}
    if job.kind is Kind.VALIDATE:
        return [
            {"name": "validate", "run": _script("f0ci validate --format github\n")},
            {"name": "check this file", "run": _script("f0ci generate github --check\n")},
        ]
    if job.kind is Kind.TASK:
        return [_bound_step(command.title, command.run, command.stanza, pipeline.workflow) for command in job.commands]
    if job.kind is Kind.RELEASE:
        script = (
            f'{_IDENTITY}f0ci release create --format json > "$RUNNER_TEMP/release.json"\n'
            'cat "$RUNNER_TEMP/release.json"\n'
            "read_digest=\"import json, sys; print(json.load(sys.stdin)['digest'])\"\n"
            'digest=$(python3 -c "$read_digest" < "$RUNNER_TEMP/release.json")\n'
            'echo "release=$digest" >> "$GITHUB_OUTPUT"\n'
        )
        return [{"name": "create the release", "id": "release", "env": token, "run": _script(script)}]
    if job.kind is Kind.PROMOTE:
        env = {**token, "TARGET": job.environment, "RELEASE": "${{ needs.release.outputs.release }}"}
        command = 'f0ci promote "$TARGET" --release "$RELEASE"'
        return [{"name": job.title, "env": env, "run": _script(_IDENTITY + _reported(command))}]
    if job.kind is Kind.CONTINUE:
        return [{"name": job.title, "env": token, "run": _script(_IDENTITY + _reported("f0ci promote --continue"))}]
    env = {**token, "TARGET": "${{ inputs.environment }}", "REASON": "${{ inputs.reason }}"}
    command = 'f0ci rollback "$TARGET" --reason "${REASON:-by hand}"'
    return [{"name": job.title, "env": env, "run": _script(_IDENTITY + _reported(command))}]


def _bound_step(title: str, run: str | None, stanza: str, workflow: str) -> dict[str, Any]:
    if run is not None:
        return {"name": title, "run": _script(run)}
    env = {"NAME": title, "STANZA": stanza, "WORKFLOW": workflow}
    script = 'echo "::error::$WORKFLOW does not say what $NAME runs; add $STANZA"\nexit 3\n'
    return {"name": title, "env": env, "run": _script(script)}


def _reported(command: str) -> str:
    return f'code=0\n{command} | tee "$RUNNER_TEMP/report" || code=$?\n{_NEUTRAL}{_SUMMARY}exit "$code"\n'


def _pinned(action: str) -> str:
    return f"{action}@{PINS[action][0]}"


def _annotate(text: str) -> str:
    """Add what data cannot carry: release names beside pins, and the reason beside each right."""
    releases = {_pinned(action): release for action, (_, release) in PINS.items()}
    lines = []
    in_rights = False
    for line in text.splitlines():
        words = line.strip()
        note = _RIGHTS.get(words, "") if in_rights else ""
        if words.startswith("uses: "):
            note = releases.get(words[6:], _LOCAL_NOTE if words[6:].startswith("./") else "")
        in_rights = words == "permissions:"
        written = "on:" if line == "'on':" else line
        lines.append(f"{written} # {note}" if note else written)
    return "\n".join(lines) + "\n"
