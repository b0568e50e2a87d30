"""Jenkins: a Declarative `Jenkinsfile` for a multibranch job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from f0ci.core.errors import InputError
from f0ci.pipelines.model import Command, Job, Kind, Pipeline, When
from f0ci.pipelines.writers._groovy import choice, indented, quoted, sh, without_when
from f0ci.pipelines.writers._jenkins_rounds import FOLDER, begin, by_turns, hand_over, working
from f0ci.pipelines.writers._jenkins_set_up import credentials, set_up
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
    header,
    install_into,
    job_names,
    promote,
    reminder,
    sealed,
)

PATH = "Jenkinsfile"
_VENV = "${WORKSPACE_TMP:-$WORKSPACE@tmp}/f0ci-venv"
_WORK_VENV = "${WORKSPACE_TMP:-$WORKSPACE@tmp}/f0ci-work-venv"
_HAND_OVER = "f0ci-release.txt"
_MARK = "f0ci-arrived.txt"
_SHOWN = "f0ci-plan.txt"
_WHERE = "of $(git rev-parse --short=10 HEAD), in [this build](${BUILD_URL:-})"
_APPROVAL_HOURS = 24
# Jenkins compiles the file into methods and constants of limited size
_MAX_STAGES = 80
_MAX_COMMANDS = 60
# what the agent's Git says about itself wins
_IDENTITY = """\
git config user.name > /dev/null || git config user.name "f0ci on Jenkins"
git config user.email > /dev/null || git config user.email "f0ci@noreply.invalid"
"""
_VALIDATE = """\
code=0
f0ci validate || code=$?
f0ci validate --format junit --output f0ci-junit.xml > /dev/null || true
f0ci validate --format sarif --output f0ci.sarif > /dev/null || true
[ "$code" -eq 0 ] || exit "$code"
f0ci generate jenkins --check
"""
_PRIMARY = "environment name: 'BRANCH_IS_PRIMARY', value: 'true'"
_NOT_BY_TIMER = "not { triggeredBy 'TimerTrigger' }"
_CHECK = "not { expression { params.F0CI_ACTION in ['continue', 'rollback'] } }"
_WHEN = {
    When.CHANGE: [_NOT_BY_TIMER, _CHECK],
    When.DEFAULT_BRANCH: [_PRIMARY, _NOT_BY_TIMER, _CHECK, "not { triggeredBy 'UserIdCause' }"],
    When.SCHEDULE: [
        _PRIMARY,
        "anyOf {",
        "    triggeredBy 'TimerTrigger'",
        "    expression { params.F0CI_ACTION == 'continue' }",
        "}",
    ],
    When.BY_HAND: [_PRIMARY, _NOT_BY_TIMER, "expression { params.F0CI_ACTION == 'rollback' }"],
}


def write(pipeline: Pipeline) -> dict[str, str]:
    """Return the Jenkinsfile.

    Raises:
        InputError: it would be more than Jenkins can compile.
    """
    job_names(pipeline, "Jenkins", str)
    jobs = _merged(_in_order(pipeline), pipeline)
    count = sum(2 if job.plan else 1 for job in jobs)
    if count > _MAX_STAGES:
        raise InputError(
            f"{count} stages; a Jenkinsfile takes at most {_MAX_STAGES}",
            "split the workflow, or let promotions follow each other without tasks in between",
            place=pipeline.workflow,
        )
    environments = list(pipeline.environments) or ["none"]
    stages = [line for job in jobs for line in _stages(job, pipeline)]
    lines = [
        "pipeline {",
        "    agent none",
        "    options {",
        "        buildDiscarder(logRotator(numToKeepStr: '100'))",
        "        preserveStashes(buildCount: 10)",
        "        skipDefaultCheckout()",
        f"        timeout(time: {_hours(pipeline)}, unit: 'HOURS')",
        "    }",
        "    parameters {",
        choice("F0CI_ACTION", ["check", "continue", "rollback"], "What to do"),
        choice("F0CI_TARGET", environments, "Where to roll back"),
        "        string(name: 'F0CI_TO', description: 'Release to go back to; the last good one by default')",
        "        string(name: 'F0CI_REASON', defaultValue: 'by hand', description: 'Why to roll back, for the record')",
        "    }",
        "    triggers {",
        "        cron(env.BRANCH_IS_PRIMARY == 'true' ? 'H * * * *' : '')",
        "    }",
        "    stages {",
        *indented(stages, 2),
        "    }",
        "}",
    ]
    body = reminder(pipeline, set_up(pipeline), "// ") + "\n".join(lines) + "\n"
    return {PATH: sealed(header(pipeline, "jenkins", "// "), body, "// ")}


def _merged(jobs: Iterable[Job], pipeline: Pipeline) -> list[Job]:
    """Return jobs, tasks that follow each other made one where there would be more stages than Jenkins compiles.

    Jenkins runs stages one after the other in any case; each command stays a step of its own, under its name.
    """
    written = list(jobs)
    if sum(2 if job.plan else 1 for job in written) <= _MAX_STAGES:
        return written
    merged: list[Job] = []
    for job in written:
        last = merged[-1] if merged else None
        if last is not None and _fit(last, job, pipeline):
            first = last.id.partition(" to ")[0]
            commands = (*last.commands, *job.before, *job.commands, *job.after)
            minutes = last.minutes + job.minutes
            merged[-1] = replace(last, id=f"{first} to {job.id}", commands=commands, minutes=minutes)
        else:
            merged.append(job)
    return merged


def _fit(last: Job, job: Job, pipeline: Pipeline) -> bool:
    """Tell whether a task can be a part of the stage before it."""
    plain = all(one.kind is Kind.TASK and not one.matrix and not one.after for one in (last, job))
    everywhere = _agent(replace(job, id=""), pipeline)
    plain = plain and _agent(last, pipeline) == _agent(job, pipeline) == everywhere
    same = _when(last, pipeline) == _when(job, pipeline)
    return plain and same and len(last.commands) + len(job.commands) <= _MAX_COMMANDS


def _in_order(pipeline: Pipeline) -> list[Job]:
    """Return every job after those it needs, otherwise as written: stages run one after the other."""
    jobs = {job.id: job for job in pipeline.jobs}
    ordered: dict[str, Job] = {}
    waiting = list(reversed(pipeline.jobs))
    while waiting:
        job = waiting[-1]
        missing = [name for name in job.needs if name not in ordered]
        if missing and job.id not in ordered:
            waiting += [jobs[name] for name in reversed(missing)]
            continue
        ordered.setdefault(waiting.pop().id, job)
    return list(ordered.values())


def _hours(pipeline: Pipeline) -> int:
    """Return how long a build may take: what its stages may take, and a day for each answer."""
    return sum(job.minutes for job in pipeline.jobs) // 60 + 1 + _APPROVAL_HOURS * len(pipeline.approvals)


def _stages(job: Job, pipeline: Pipeline) -> list[str]:
    gate = _gate(job, pipeline) if job.plan else []
    if job.matrix:
        return [*gate, *_matrix(job, pipeline)]
    options = [f"timeout(time: {job.minutes}, unit: 'MINUTES')"]
    if job.pushes:
        options.insert(0, f"lock(resource: {quoted(f'f0ci-{job.environment or job.id}')})")
    return [
        *gate,
        f"stage({quoted(job.id)}) {{",
        *indented(["when {", *indented(["beforeOptions true", *_when(job, pipeline)]), "}"]),
        f"    {_agent(job, pipeline)}",
        *indented(["options {", *indented(options), "}"]),
        "    steps {",
        "        checkout scm",
        *indented(_steps(job, pipeline), 2),
        "    }",
        *indented(_shown(job, pipeline)),
        "}",
    ]


def _matrix(job: Job, pipeline: Pipeline) -> list[str]:
    """Return a stage that runs once for each combination of variables, which steps see in their environment."""
    axes = [
        ["axis {", f"    name {quoted(name)}", f"    values {', '.join(map(quoted, values))}", "}"]
        for name, values in job.matrix.items()
    ]
    leg = _stages(replace(job, id=f"{job.id} leg", matrix={}), pipeline)
    # what a stage asks before it runs stands on the outer one
    asked = ["when {", *indented(["beforeOptions true", *_when(job, pipeline)]), "}"]
    return [
        f"stage({quoted(job.id)}) {{",
        *indented(asked),
        "    matrix {",
        *indented(["axes {", *indented([line for axis in axes for line in axis]), "}"], 2),
        *indented(["stages {", *indented(without_when(leg)), "}"], 2),
        "    }",
        "}",
    ]


def _agent(job: Job, pipeline: Pipeline) -> str:
    runner = pipeline.option("jenkins", "runner", job=job.id.removesuffix(" leg"))
    return f"agent {{ label {quoted(runner)} }}" if runner else "agent any"


def _shown(job: Job, pipeline: Pipeline) -> list[str]:
    """Return what shows findings where Jenkins shows those of tests and tools, and keeps what there is to read."""
    if job.kind in {Kind.PLAN, Kind.PROMOTE, Kind.CONTINUE, Kind.ROLLBACK}:
        kept = f"archiveArtifacts artifacts: '{_summary(job)}', allowEmptyArchive: true"
        return ["post {", "    always {", f"        {kept}", "    }", "}"]
    if job.kind is not Kind.VALIDATE:
        return []
    warns = pipeline.option("jenkins", "warnings", default=False)
    return [
        "post {",
        "    always {",
        "        junit testResults: 'f0ci-junit.xml', allowEmptyResults: true",
        *(["        recordIssues tools: [sarif(id: 'f0ci', name: 'f0ci', pattern: 'f0ci.sarif')]"] if warns else []),
        "    }",
        "}",
    ]


def _summary(job: Job) -> str:
    return f"f0ci-{job.id}.md"


def _gate(job: Job, pipeline: Pipeline) -> list[str]:
    """Return a stage that asks, on no agent; whoever answers no ends the build before anything changed.

    It names the plan that was shown, and remembers who answered.
    """
    plan = _digest_of(job.plan, pipeline)
    submitter = pipeline.option("jenkins", "submitter")
    return [
        f"stage({quoted(f'approve {job.id}')}) {{",
        *indented(["when {", *indented(["beforeOptions true", "beforeInput true", *_when(job, pipeline)]), "}"]),
        *indented(["options {", f"    timeout(time: {_APPROVAL_HOURS}, unit: 'HOURS')", "}"]),
        "    input {",
        # the digest is all that is put in; nobody can write it
        f'        message "Promote to {job.environment}? Plan ${{env.{plan}}}"',
        f"        id {quoted(f'promote-{job.id}')}",
        "        ok 'Promote'",
        *([f"        submitter {quoted(submitter)}"] if submitter else []),
        "        submitterParameter 'F0CI_REVIEWER'",
        "    }",
        "    steps {",
        "        script {",
        f"            env.{_reviewer_of(job.plan, pipeline)} = env.F0CI_REVIEWER",
        "        }",
        "    }",
        "}",
    ]


def _digest_of(plan: str, pipeline: Pipeline) -> str:
    """Return the variable that hands on the digest of the plan that was shown."""
    return f"F0CI_PLAN_{pipeline.numbers[plan]}"


def _reviewer_of(plan: str, pipeline: Pipeline) -> str:
    """Return the variable that hands on who answered."""
    return f"F0CI_REVIEWER_{pipeline.numbers[plan]}"


def _steps(job: Job, pipeline: Pipeline) -> list[str]:
    before = [line for command in job.before for line in _command(command, pipeline)] if not job.rounds else []
    after = [line for command in job.after for line in _command(command, pipeline, arrived=job.kind is Kind.PROMOTE)]
    return [*before, *_work(job, pipeline), *after]


def _work(job: Job, pipeline: Pipeline) -> list[str]:
    if job.kind is Kind.TASK:
        steps = [line for command in job.commands for line in _command(command, pipeline)]
        return steps or ["echo 'nothing to run'"]
    prepare = install_into(_VENV, pipeline.install)
    if job.kind is Kind.VALIDATE:
        return sh(job.title, prepare + _VALIDATE)
    if job.kind is Kind.PLAN:
        return _plan(job, pipeline, prepare)
    prepare += _IDENTITY
    if job.kind is Kind.RELEASE:
        body = f"{prepare}{CREATE_RELEASE}printf '%s\\n' \"$digest\" > {_HAND_OVER}\n"
        return [
            *_with_credentials(pipeline, sh(job.title, body)),
            f"stash name: 'f0ci-release', includes: '{_HAND_OVER}'",
            *["script {", f"    currentBuild.description = 'release ' + readFile('{_HAND_OVER}').trim()", "}"],
        ]
    if job.kind is Kind.PROMOTE:
        return _promotion(job, pipeline, prepare)
    if job.kind is Kind.CONTINUE:
        return _pushing(job, pipeline, prepare, CONTINUE)
    taken = 'TARGET="$F0CI_TARGET"\nRELEASE="${F0CI_TO:-}"\nREASON="${F0CI_REASON:-}"\n'
    return _pushing(job, pipeline, prepare + taken + CHECK_REASON, ROLL_BACK_TO)


def _pushing(
    job: Job, pipeline: Pipeline, prepare: str, command: str, tell: str = "", target: str | None = None
) -> list[str]:
    """Return the steps of what promotes, continues or rolls back; where it hands work over, by turns."""
    if not job.rounds:
        body = prepare + _reported(job, command, tell)
    else:
        body = prepare + begin() + _reported(job, apart(command, FOLDER), hand_over() + tell)
    steps = sh(job.title, body)
    if target is not None:
        steps = [f"withEnv([{quoted(f'TARGET={target}')}]) {{", *indented(steps), "}"]
    steps = _with_credentials(pipeline, steps)
    if target is not None:
        # each time as it was handed over, whatever ran on the agent meanwhile
        steps = ["unstash 'f0ci-release'", *steps]
    if not job.rounds:
        return steps
    before = [line for one in job.before for line in _command(one, pipeline)]
    work = working(job, install_into(_WORK_VENV, pipeline.install), before)
    return by_turns(job, steps, work, pipeline.option("jenkins", "worker"))


def _plan(job: Job, pipeline: Pipeline, prepare: str) -> list[str]:
    """Return steps that show a plan and keep its digest for the question and the promotion."""
    taken = f"RELEASE=$(cat {_HAND_OVER})\n"
    told = summary(PLAN_TITLE, _WHERE, _summary(job))
    body = f"{prepare}{taken}{SHOW_PLAN}{told}printf '%s\\n' \"$digest\" > {_SHOWN}\n"
    target = [f"withEnv([{quoted(f'TARGET={job.environment}')}]) {{", *indented(sh(job.title, body)), "}"]
    return [
        "unstash 'f0ci-release'",
        *_with_credentials(pipeline, target),
        "script {",
        f"    env.{_digest_of(job.id, pipeline)} = readFile('{_SHOWN}').trim()",
        "}",
    ]


def _promotion(job: Job, pipeline: Pipeline, prepare: str) -> list[str]:
    is_followed = bool(job.after) or job.id in pipeline.telling
    tell = f'if [ "$code" -eq 0 ]; then\n  : > {_MARK}\nfi\n' if is_followed else ""
    # by turns it is read more than once
    clean = f"RELEASE=$(cat {_HAND_OVER})\nrm -f {_MARK if job.rounds else f'{_HAND_OVER} {_MARK}'}\n"
    if job.plan:
        clean += f'PLAN="${{{_digest_of(job.plan, pipeline)}:-}}"\n'
        clean += f'export F0CI_REVIEWER="${{{_reviewer_of(job.plan, pipeline)}:-}}"\n'
    steps = _pushing(job, pipeline, prepare + clean, promote(job, "jenkins"), tell, job.environment)
    if is_followed:
        steps += ["script {", f"    env.{_arrived(job.id, pipeline)} = fileExists('{_MARK}').toString()", "}"]
    return steps


def _arrived(name: str, pipeline: Pipeline) -> str:
    """Return the variable that says that a promotion's release arrived; numbers, because names have hyphens."""
    return f"F0CI_ARRIVED_{pipeline.numbers[name]}"


def _when(job: Job, pipeline: Pipeline) -> list[str]:
    # a merged stage, and a leg of a matrix, begins with the id of its job
    arrived = (_arrived(name, pipeline) for name in pipeline.awaited[job.id.partition(" ")[0]])
    return [*_WHEN[job.when], *(f"environment name: '{variable}', value: 'true'" for variable in arrived)]


def _command(command: Command, pipeline: Pipeline, *, arrived: bool = False) -> list[str]:
    """Return the step of a command; where it follows a promotion, it runs only once the release arrived."""
    if command.run is not None and arrived:
        return sh(command.title, f"[ -e {_MARK} ] || exit 0\n{command.run}")
    if command.run is not None:
        # every step is a shell of its own, so f0ci has to be put on the path of each that names it
        install = install_into(_VENV, pipeline.install) if calls_f0ci(command) else ""
        return sh(command.title, install + command.run)
    said = (f"NAME={command.title}", f"STANZA={command.stanza}", f"WORKFLOW={pipeline.workflow}")
    # withEnv replaces variables in its values, and takes $$ for $
    values = ", ".join(quoted(text.replace("$", "$$")) for text in said)
    return [f"withEnv([{values}]) {{", *indented(sh(command.title, UNBOUND)), "}"]


def _with_credentials(pipeline: Pipeline, steps: list[str]) -> list[str]:
    """Return steps that have the token."""
    binding = f"string(credentialsId: '{credentials(pipeline)}', variable: 'F0CI_GIT_TOKEN')"
    return [f"withCredentials([{binding}]) {{", *indented(steps), "}"]


def _reported(job: Job, command: str, tell: str = "") -> str:
    return (
        f'{reported(job, command, _WHERE, _summary(job))}{tell}if [ "$code" -eq 5 ]; then\n'
        f'  echo "{WAITING}"\n  code=0\nfi\nexit "$code"\n'
    )
