"""GitLab: jobs that push and jobs that run code of the repository take turns.

Every job of such a chain is part of the pipeline from its beginning, because rules are judged then; one that has
nothing to do ends before it installs anything. What was left to be done goes on as an artifact, its digest as a
variable of the job that pushes. The push token is a variable of the environments that only jobs that push are in.
"""

from __future__ import annotations

from typing import Any

from f0ci.core.canonical import digest
from f0ci.pipelines.model import Job, Kind, Pipeline
from f0ci.pipelines.writers.base import script, take_errands

PUSH_ENVIRONMENT = "f0ci-push"
CONTINUE_ENVIRONMENT = "f0ci-continue"
ERRANDS, ANSWERS, TOLD = "f0ci-errands", "f0ci-answers", "f0ci-told.env"
_REFUSE_TO_WORK = """\
if [ -n "${F0CI_PUSH_TOKEN:-}" ]; then
  echo "F0CI_PUSH_TOKEN is set where code of the repository runs; give it the scopes of the set-up list" >&2
  exit 3
fi
"""


def names_of(job: Job, name: str) -> tuple[str, ...]:
    """Return what the jobs of a chain are called, in order: those that push, those that work, the one afterwards."""
    if not job.rounds:
        return (name,)
    pairs = [one for k in range(1, job.rounds + 1) for one in (f"{name} work {k}", f"{name} {k + 1}")]
    return (name, *pairs, *((f"{name} after",) if job.after else ()))


def own_variables(job: Job, pipeline: Pipeline) -> dict[str, str]:
    """Return the variables by which one script serves every chain: its number, and what holds the plan's digest."""
    shown = {"F0CI_SHOWN": f"F0CI_PLAN_{pipeline.numbers[job.plan]}"} if job.plan else {}
    return {"F0CI_CHAIN": str(pipeline.numbers[job.id]), **shown}


def shared(written: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return templates for what jobs of different chains have in common, and let these jobs extend them.

    Args:
        written: the jobs, by name; those of which several do the same are changed.
    """
    kept = ("before_script", "artifacts", "allow_failure", "script")
    alike: dict[str, list[dict[str, Any]]] = {}
    for job in written.values():
        if "F0CI_CHAIN" in job.get("variables", {}):
            alike.setdefault(digest({key: job[key] for key in kept if key in job}), []).append(job)
    templates: dict[str, dict[str, Any]] = {}
    for jobs in alike.values():
        if len(jobs) == 1:
            continue
        name = f".f0ci-turn-{len(templates) + 1}"
        templates[name] = {key: jobs[0][key] for key in kept if key in jobs[0]}
        for job in jobs:
            for key in templates[name]:
                del job[key]
            job["extends"] = [job["extends"], name]
    return templates


def arrived(job: Job, pipeline: Pipeline) -> str:
    """Return the variable that says that a promotion's release arrived; numbers, because names have hyphens."""
    return f"F0CI_ARRIVED_{pipeline.numbers[job.id]}"


# the same in scripts that serve every chain
_ARRIVED, _REVIEWER = "F0CI_ARRIVED_$F0CI_CHAIN", "F0CI_REVIEWER_$F0CI_CHAIN"


def work_environment(job: Job) -> str:
    """Return the environment whose variables the jobs see that run what a promotion leaves to be done."""
    if job.kind is Kind.CONTINUE:
        return CONTINUE_ENVIRONMENT
    return f"f0ci-work/{job.environment or '$F0CI_TARGET'}"


def telling(job: Job, number: int) -> str:
    """Return a script that hands on what a job that pushes left, or that the release arrived.

    Args:
        job: the promotion.
        number: which of the jobs that push it is, from 1.
    """
    left = ""
    if number <= job.rounds:
        # whoever answered is known to the job alone that was started by hand
        login = f'  echo "{_REVIEWER}=${{GITLAB_USER_LOGIN:-}}" >> {TOLD}\n' if job.plan else ""
        left = take_errands(ERRANDS) + (
            f'if [ -n "$errands" ]; then\n  echo "{_handed(number)}=$errands" > {TOLD}\n{login}  exit 0\nfi\n'
        )
    return f'{left}if [ "$code" -eq 0 ]; then\n  echo "{_ARRIVED}=true" > {TOLD}\nfi\n'


def begin(number: int) -> str:
    """Return the beginning of a job that pushes: the answers lie where errands are left."""
    if number == 1:
        return f'rm -rf {ERRANDS}\nANSWERED=""\n'
    return f"rm -rf {ERRANDS}\nif [ -d {ANSWERS} ]; then\n  mv {ANSWERS} {ERRANDS}\nfi\n"


def answered(job: Job, number: int) -> str:
    """Return the lines that take the digest of what the job before left, and who started the first one."""
    if number == 1:
        return ""
    person = ""
    if job.plan:
        person = f'reviewer="{_REVIEWER}"\nexport CI_JOB_MANUAL=true GITLAB_USER_LOGIN="${{!reviewer:-}}"\n'
    return f'handed="{_handed(number - 1)}"\nANSWERED="${{!handed:-}}"\n{person}'


def unless_handed(number: int, *, works: bool = False) -> str:
    """Return the beginning of a job that ends at once where the one before left nothing; an arrival is told again."""
    told = ""
    if not works:
        again = f'  if [ -n "${{!arrived:-}}" ]; then\n    echo "$arrived=true" > {TOLD}\n  fi\n'
        again = f'  if [ -n "${{!arrived:-}}" ]; then\n    echo "$arrived=true" > {TOLD}\n  fi\n'
        told = f'  arrived="{_ARRIVED}"\n{again}'
    return (
        f'handed="{_handed(number)}"\nif [ -z "${{!handed:-}}" ]; then\n{told}'
        '  echo "nothing is left to do here"\n  exit 0\nfi\n'
    )


def first(check: str, prepare: str) -> str:
    """Return a script that may end before anything is installed.

    Args:
        check: what may end it.
        prepare: the script that installs f0ci.
    """
    return script(check + prepare.removeprefix(script("").removesuffix("\n")))


def working(job: Job, pipeline: Pipeline, names: tuple[str, ...], number: int, prepare: str) -> dict[str, Any]:
    """Return what runs what a job that pushes left to be done.

    Args:
        job: the promotion.
        pipeline: whose job.
        names: what the jobs of the chain are called.
        number: which of the jobs that work it is, from 1.
        prepare: the script that installs f0ci.
    """
    extra = "".join(f"(\n{script(command.run or '')})\n" for command in job.before)
    body = f"rm -rf {ANSWERS}\ncp -R {ERRANDS} {ANSWERS}\n{extra}f0ci errands {ANSWERS}\n"
    return {
        "needs": [{"job": names[2 * number - 2], "artifacts": True}],
        "environment": {"name": work_environment(job), "action": "access"},
        "before_script": [first(unless_handed(number, works=True) + _REFUSE_TO_WORK, prepare)],
        "artifacts": {"when": "always", "expire_in": "1 day", "paths": [f"{ANSWERS}/"]},
        # a way back runs a recipe of long ago
        "variables": {"GIT_DEPTH": "0", **own_variables(job, pipeline)},
        "script": [body],
    }


def afterwards(job: Job, pipeline: Pipeline, names: tuple[str, ...], prepare: str) -> dict[str, Any]:
    """Return what runs once the release has arrived; it tells so on."""
    said = '  echo "left out: the release has not arrived"\n  exit 0\n'
    missing = f'arrived="{_ARRIVED}"\nif [ -z "${{!arrived:-}}" ]; then\n{said}fi\n'
    extra = [f"(\n{script(command.run or '')})\n" for command in job.after]
    return {
        "needs": [{"job": names[-2], "artifacts": True}],
        "environment": {"name": work_environment(job), "action": "access"},
        "before_script": [first(missing + _REFUSE_TO_WORK, prepare)],
        "artifacts": {"expire_in": "1 day", "reports": {"dotenv": TOLD}},
        "variables": own_variables(job, pipeline),
        "script": [*extra, f'echo "$arrived=true" > {TOLD}\n'],
    }


def _handed(number: int) -> str:
    """Return the variable that holds the digest of what a job that pushes left, in scripts that serve every chain."""
    return f"F0CI_ERRANDS_${{F0CI_CHAIN}}_{number}"
