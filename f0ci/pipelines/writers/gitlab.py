"""GitLab CI/CD: `.gitlab-ci.yml`."""

from __future__ import annotations

from typing import Any

from f0ci.core.errors import InputError
from f0ci.pipelines.model import Command, Job, Kind, Pipeline, When
from f0ci.pipelines.writers._gitlab_limits import LIMITS, check_jobs
from f0ci.pipelines.writers._gitlab_rounds import (
    ERRANDS,
    PUSH_ENVIRONMENT,
    TOLD,
    afterwards,
    answered,
    arrived,
    begin,
    first,
    names_of,
    own_variables,
    shared,
    telling,
    unless_handed,
    working,
)
from f0ci.pipelines.writers._gitlab_set_up import PATH, STAGES, set_up
from f0ci.pipelines.writers._limits import check_limits, legs
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
    dump,
    ended,
    header,
    identity,
    install_into,
    job_names,
    promote,
    reminder,
    script,
    sealed,
)

__all__ = ["IMAGE", "PATH", "set_up", "write"]
IMAGE = "python:3.12-bookworm"
_WAITS = 5
# says that a task was left out; a test that ends with 5 has failed
_LEFT_OUT = 113
_MAX_NEEDS = 50
_STAGE = {Kind.VALIDATE: "check", Kind.RELEASE: "release", Kind.CONTINUE: "operate", Kind.ROLLBACK: "operate"}
# words that mean something else at the top of the file
_KEYWORDS = frozenset(
    {
        *("after_script", "before_script", "cache", "default", "image", "include", "pages", "services", "spec"),
        *("stages", "types", "variables", "workflow", "true", "false", "nil"),
    }
)
_BY_HAND = "$CI_PIPELINE_SOURCE =~ /^(web|api|trigger)$/ && $F0CI_ACTION == "
_RULES: dict[When, list[dict[str, str]]] = {
    When.CHANGE: [
        {"if": '$CI_PIPELINE_SOURCE == "schedule"', "when": "never"},
        {"if": _BY_HAND + '"continue"', "when": "never"},
        {"if": _BY_HAND + '"rollback"', "when": "never"},
        {"when": "on_success"},
    ],
    When.DEFAULT_BRANCH: [{"if": '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH'}],
    When.SCHEDULE: [{"if": '$CI_PIPELINE_SOURCE == "schedule"'}, {"if": _BY_HAND + '"continue"'}],
    When.BY_HAND: [{"if": _BY_HAND + '"rollback"'}],
}
_FAULTS = ["runner_system_failure", "api_failure", "scheduler_failure"]
_REPORTS = {"codequality": "f0ci-codequality.json", "junit": "f0ci-junit.xml"}
_VALIDATE = """\
code=0
f0ci validate || code=$?
f0ci validate --format gitlab --output f0ci-codequality.json > /dev/null || true
f0ci validate --format junit --output f0ci-junit.xml > /dev/null || true
[ "$code" -eq 0 ] || exit "$code"
"""
_NOBODY = ("f0ci on GitLab", "f0ci@noreply.invalid")
# the clone's address holds the job's own token, which may not push
_AUTHORIZE = """\
if [ -z "${F0CI_PUSH_TOKEN:-}" ]; then
  echo "the masked variable F0CI_PUSH_TOKEN is not set for this branch" >&2
  exit 3
fi
export F0CI_GIT_TOKEN="$F0CI_PUSH_TOKEN"
unset F0CI_PUSH_TOKEN
git remote set-url origin "$CI_PROJECT_URL.git"
"""
_SUMMARY = "f0ci-summary.md"
_LINKS = "f0ci-links.json"
_DEFAULT = ".f0ci-default"
_WHERE = "of [${CI_COMMIT_SHA:0:10}]($CI_PROJECT_URL/-/commit/$CI_COMMIT_SHA), in [this pipeline](${CI_PIPELINE_URL:-})"
# shown beside the log of the job
_LINK = f"""\
printf '{{"f0ci": [{{"external_link": {{"label": "summary", "url": "%s"}}}}]}}\\n' \\
  "${{CI_JOB_URL:-}}/artifacts/file/{_SUMMARY}" > {_LINKS}
"""


def write(pipeline: Pipeline) -> dict[str, str]:
    """Return the pipeline file.

    Raises:
        InputError: it is more than GitLab takes: needs of a job, jobs of a matrix, deployments, the file itself.
    """
    names = job_names(pipeline, "GitLab", lambda name: f"stage-{name}" if name in _KEYWORDS else name)
    prepare = _prepare(pipeline)
    jobs = {name: written for job in pipeline.jobs for name, written in _jobs(job, pipeline, names).items()}
    path = pipeline.option("gitlab", "file", PATH)
    data: dict[str, Any] = {
        "workflow": {
            "rules": [
                {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'},
                # env/*, f0ci/* and release tags are written by the pipeline itself
                {"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"},
                {"when": "never"},
            ]
        },
        "stages": STAGES,
        # a file that others include has no say over their jobs
        "default" if path == PATH else _DEFAULT: {
            "image": "$F0CI_IMAGE",
            **_tags(pipeline.option("gitlab", "runner")),
            "interruptible": False,
            # what the infrastructure did wrong, never what a script says
            "retry": {"max": 2, "when": _FAULTS},
        },
        "variables": _variables(pipeline),
        ".f0ci": {"before_script": [prepare]},
        ".f0ci-push": {"variables": {"GIT_DEPTH": "0"}, "before_script": [prepare + _AUTHORIZE]},
        **shared(jobs),
        **jobs,
    }
    if path != PATH:
        for name in jobs:
            extended = data[name].get("extends")
            data[name] = {"stage": data[name]["stage"], "extends": None, **data[name]}
            listed = extended if isinstance(extended, list) else [extended] if extended else []
            data[name]["extends"] = [_DEFAULT, *listed] if listed else _DEFAULT
    body = reminder(pipeline, set_up(pipeline)) + dump(data)
    text = sealed(header(pipeline, "gitlab"), body)
    check_jobs(pipeline, names)
    check_limits(pipeline, text, LIMITS)
    return {path: text}


def _prepare(pipeline: Pipeline) -> str:
    return script(install_into("$CI_PROJECT_DIR.tmp/f0ci-venv", pipeline.install))


def _variables(pipeline: Pipeline) -> dict[str, Any]:
    environments = list(pipeline.environments) or ["none"]
    return {
        "F0CI_IMAGE": pipeline.option("gitlab", "image", IMAGE),
        "F0CI_ACTION": {
            "description": "What a pipeline started by hand does",
            "value": "check",
            "options": ["check", "continue", "rollback"],
        },
        "F0CI_TARGET": {"description": "Where to roll back", "value": environments[0], "options": environments},
        "F0CI_TO": {"description": "Release to go back to; the last good one by default", "value": ""},
        "F0CI_REASON": {"description": "Why to roll back, for the record", "value": "by hand"},
    }


def _jobs(job: Job, pipeline: Pipeline, names: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return a job by its name, and the further ones of its chain where it hands work over."""
    chain = names_of(job, names[job.id])
    begun = _job(job, pipeline, names)
    kept = ("stage", "extends", "image", "tags", "rules", "timeout")
    same: dict[str, Any] = {key: begun[key] for key in kept if key in begun}
    written = {chain[0]: begun}
    prepare = _prepare(pipeline)
    for number in range(1, job.rounds + 1):
        plain = {**same, "extends": ".f0ci"}
        written[chain[2 * number - 1]] = {**plain, **working(job, pipeline, chain, number, prepare)}
        work = _work(job, pipeline, number + 1)
        handed = [chain[2 * number - 1], chain[2 * number - 2]]
        handed += [names["release"]] if job.kind is Kind.PROMOTE else []
        handed += [names[job.plan]] if job.plan else []
        written[chain[2 * number]] = {
            **same,
            "needs": [{"job": name, "artifacts": True} for name in handed],
            "environment": {"name": PUSH_ENVIRONMENT, "action": "access"},
            "allow_failure": {"exit_codes": [_WAITS]},
            "before_script": [first(unless_handed(number), prepare + _AUTHORIZE)],
            **work,
        }
    if job.rounds and job.after:
        written[chain[-1]] = {**same, "extends": ".f0ci", **afterwards(job, pipeline, chain, prepare)}
    return written


def _job(job: Job, pipeline: Pipeline, names: dict[str, str]) -> dict[str, Any]:
    written: dict[str, Any] = {"stage": _stage(job)}
    if job.kind is not Kind.TASK or any(map(calls_f0ci, job.commands)):
        written["extends"] = ".f0ci-push" if job.pushes else ".f0ci"
    image = pipeline.option("gitlab", "image", job=job.id)
    if image != pipeline.option("gitlab", "image"):
        written["image"] = image
    runner = pipeline.option("gitlab", "runner", job=job.id)
    if runner != pipeline.option("gitlab", "runner"):
        written |= _tags(runner)
    if job.kind is not Kind.RELEASE:
        # the release waits for all stages before its own, however many jobs they have
        written["needs"] = _needs(job, pipeline, names)
    written["rules"] = _RULES[job.when]
    if job.kind is Kind.PROMOTE and job.environment in pipeline.approvals:
        written["when"] = "manual"
        written["manual_confirmation"] = f"Promote to {job.environment}?"
    if job.kind is Kind.VALIDATE:
        written["interruptible"] = True
    if job.pushes:
        written["resource_group"] = _group(job)
    written["timeout"] = f"{job.minutes} minutes"
    if job.kind is Kind.TASK and pipeline.awaited[job.id]:
        written["allow_failure"] = {"exit_codes": [_LEFT_OUT]}
    elif job.kind in {Kind.PROMOTE, Kind.CONTINUE}:
        # with exit codes a manual job blocks what needs it, as with `false`; said in a rule, it would lose the codes
        written["allow_failure"] = {"exit_codes": [_WAITS]}
    if job.matrix:
        written["parallel"] = {"matrix": [{name: list(values) for name, values in job.matrix.items()}]}
    if job.cache is not None:
        written["cache"] = {"key": {"files": list(job.cache.key), "prefix": job.id}, "paths": list(job.cache.paths)}
    if job.kind in {Kind.PROMOTE, Kind.ROLLBACK}:
        written["environment"] = {"name": job.environment or "$F0CI_TARGET", "action": "start"}
    elif job.pushes:
        # for the variables of that scope; nothing is deployed there
        written["environment"] = {"name": PUSH_ENVIRONMENT, "action": "access"}
    work = _work(job, pipeline)
    before, after = ([], []) if job.rounds else (_extra(job.before), _extra(job.after))
    return {**written, **work, "script": [*before, *work["script"], *after]}


def _extra(commands: tuple[Command, ...]) -> list[str]:
    """Return further steps, each in a shell of its own that does not know the token."""
    return [f"(\nunset F0CI_GIT_TOKEN F0CI_PUSH_TOKEN\n{script(command.run or '')}\n)\n" for command in commands]


def _tags(runner: str | list[str] | None) -> dict[str, Any]:
    return {"tags": [runner] if isinstance(runner, str) else list(runner)} if runner else {}


def _stage(job: Job) -> str:
    if job.kind is Kind.TASK:
        return "build" if job.when is When.CHANGE else "deliver"
    return _STAGE.get(job.kind, "deliver")


def _needs(job: Job, pipeline: Pipeline, names: dict[str, str]) -> list[Any]:
    """Return what a job waits for; digest and arrivals come over with the jobs that tell them."""
    digests = ["release"] if job.kind in {Kind.PLAN, Kind.PROMOTE} else []
    telling = [*pipeline.awaited[job.id], *digests, *([job.plan] if job.plan else [])]
    jobs = {one.id: one for one in pipeline.jobs}
    # the release waits for everything that a change starts; each leg of a matrix would count
    told = {one.id for one in pipeline.jobs if one.when is When.CHANGE} if "release" in job.needs else set()
    ids = [name for name in dict.fromkeys((*job.needs, *telling)) if name not in told]
    ends = {name: names_of(jobs[name], names[name])[-1] for name in ids}
    count = sum(legs(jobs[name]) for name in ids)
    if count > _MAX_NEEDS:
        raise InputError(
            f"the stage {job.id!r} waits for {count} others; GitLab allows {_MAX_NEEDS}",
            "put a stage in between",
            place=pipeline.workflow,
        )
    return [{"job": ends[name], "artifacts": True} if name in telling else ends[name] for name in ids]


def _plan(name: str, pipeline: Pipeline) -> str:
    """Return the variable that hands on the digest of the plan that was shown."""
    return f"F0CI_PLAN_{pipeline.numbers[name]}"


def _unless_arrived(job: Job, pipeline: Pipeline, code: int) -> str:
    """Return the beginning of a script that ends where a release has not arrived."""
    jobs = {one.id: one for one in pipeline.jobs}
    variables = [arrived(jobs[name], pipeline) for name in pipeline.awaited[job.id]]
    missing = " || ".join(f'[ -z "${{{variable}:-}}" ]' for variable in variables)
    if not missing:
        return ""
    return (
        f'if {missing}; then\n  echo "left out: the release is still waiting before an earlier stage"\n'
        f"  exit {code}\nfi\n"
    )


def _group(job: Job) -> str:
    if job.kind is Kind.ROLLBACK:
        return "f0ci-rollback-$F0CI_TARGET"
    return f"f0ci-{job.environment or job.id}"


def _work(job: Job, pipeline: Pipeline, number: int = 1) -> dict[str, Any]:
    if job.kind is Kind.VALIDATE:
        return {
            "artifacts": {"when": "always", "expire_in": "30 days", "reports": _REPORTS},
            "script": [_VALIDATE, "f0ci generate gitlab --check"],
        }
    if job.kind is Kind.PLAN:
        tell = f"printf '{_plan(job.id, pipeline)}=%s\\n' \"$digest\" > f0ci-plan.env\n"
        return {
            "variables": {"TARGET": job.environment},
            "artifacts": _summarised({"dotenv": "f0ci-plan.env"}),
            "script": [
                _unless_arrived(job, pipeline, 0)
                + 'RELEASE="$F0CI_DIGEST"\n'
                + SHOW_PLAN
                + summary(PLAN_TITLE, _WHERE, _SUMMARY)
                + _LINK
                + tell
            ],
        }
    if job.kind is Kind.TASK:
        return _task(job, pipeline)
    if job.kind is Kind.RELEASE:
        hand_over = "printf 'F0CI_DIGEST=%s\\n' \"$digest\" > f0ci-release.env\n"
        return {
            "artifacts": {"expire_in": "30 days", "reports": {"dotenv": "f0ci-release.env"}},
            "script": [identity(*_NOBODY) + CREATE_RELEASE + hand_over],
        }
    # what happens by itself is nobody's request
    is_person = (job.kind is Kind.ROLLBACK or bool(job.plan)) and number == 1
    who = identity("$GITLAB_USER_NAME", "$GITLAB_USER_EMAIL") if is_person else identity(*_NOBODY)
    written: dict[str, Any] = {"variables": own_variables(job, pipeline), "artifacts": _summarised()}
    taken, command = "", CONTINUE
    if job.kind is Kind.PROMOTE:
        shown = 'PLAN="${!F0CI_SHOWN:-}"\n' if job.plan else ""
        missing = _unless_arrived(job, pipeline, _WAITS) if number == 1 else ""
        written["variables"]["TARGET"] = job.environment
        taken, command = f'{missing}RELEASE="$F0CI_DIGEST"\n{shown}', promote(job, "gitlab")
    elif job.kind is Kind.ROLLBACK:
        taken = 'TARGET="$F0CI_TARGET"\nRELEASE="$F0CI_TO"\nREASON="$F0CI_REASON"\n' + CHECK_REASON
        command = ROLL_BACK_TO
    if job.rounds:
        written["artifacts"] = _summarised({"dotenv": TOLD})
        written["artifacts"]["paths"].append(f"{ERRANDS}/")
        body = taken + who + begin(number) + answered(job, number)
        told = telling(job, number)
        return {**written, "script": [body + _reported(job, apart(command, ERRANDS), told, again=number > 1)]}
    if job.id not in pipeline.telling:
        return {**written, "script": [taken + who + _reported(job, command)]}
    written["artifacts"] = _summarised({"dotenv": TOLD})
    return {**written, "script": [taken + who + _reported(job, command, telling(job, number))]}


def _summarised(reports: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the artifacts of a job that leaves something to read, and a link to it; also where it fails."""
    return {
        "when": "always",
        "expire_in": "30 days",
        "paths": [_SUMMARY],
        "reports": {**(reports or {}), "annotations": _LINKS},
    }


def _task(job: Job, pipeline: Pipeline) -> dict[str, Any]:
    variables: dict[str, Any] = {}
    left_out = _unless_arrived(job, pipeline, _LEFT_OUT)
    items = [left_out] if left_out else []
    for number, command in enumerate(job.commands, 1):
        body = command.run
        if body is None:
            variables["WORKFLOW"] = _unexpanded(pipeline.workflow)
            variables[f"NAME_{number}"] = _unexpanded(command.title)
            variables[f"STANZA_{number}"] = _unexpanded(command.stanza)
            body = UNBOUND.replace("$NAME", f"$NAME_{number}").replace("$STANZA", f"$STANZA_{number}")
        # a shell of its own: `exit 0` or `cd` in one command says nothing about the next
        items.append(f"(\n{script(body)}\n)\n")
    return {**({"variables": variables} if variables else {}), "script": items or ["true"]}


def _unexpanded(value: str) -> str | dict[str, Any]:
    """Return a variable's value; GitLab replaces `$name` and `%name%` unless it is told not to."""
    return {"value": value, "expand": False} if "$" in value or "%" in value else value


def _reported(job: Job, command: str, tell: str = "", *, again: bool = False) -> str:
    return ended(
        f'{reported(job, command, _WHERE, _SUMMARY, again=again)}{_LINK}{tell}if [ "$code" -eq {_WAITS} ]; then\n'
        f'  echo "{WAITING}"\nfi\n[ "$code" -eq 0 ] || exit "$code"'
    )
