"""Azure Pipelines: within a stage, jobs that push and jobs that run code of the repository take turns.

The stage holds the environment's lock and asks its checks once, for all of its jobs. The token is mapped into the steps
that push, and into no other. What was left to be done goes on as an artifact, its digest as an output of the job that
pushes.
"""

from __future__ import annotations

from typing import Any

from f0ci.pipelines.model import Job, Kind
from f0ci.pipelines.writers.base import script

ERRANDS = "errandsDigest"
_WORKSPACE = "$PIPELINE_WORKSPACE"


def pushing(name: str, number: int) -> str:
    """Return what one of a stage's jobs that push is called, from 1; the first is called like the stage."""
    return name if number == 1 else f"{name}_{number}"


def working(name: str, number: int) -> str:
    """Return what one of a stage's jobs that work is called, from 1."""
    return f"{name}_work_{number}"


def outputs(job: Job, name: str, variable: str, *, before: str = "") -> list[str]:
    """Return the expressions for an output of any of a stage's jobs that push; of a deployment job it has two names.

    Args:
        job: what promotes.
        name: what the stage is called.
        variable: the output.
        before: what stands before the name of the job where another stage asks, such as `dependencies.a.outputs`.
    """
    found = []
    for number in range(1, job.rounds + 2):
        one = pushing(name, number)
        found += _names(one, f"promote.{variable}", twice=number == 1 and job.kind is not Kind.CONTINUE, before=before)
    return found


def left_by(job: Job, name: str, number: int) -> str:
    """Return the condition that a job that pushes left something to be done."""
    one = pushing(name, number)
    twice = number == 1 and job.kind is not Kind.CONTINUE
    return f"in('true', {', '.join(_names(one, 'promote.left', twice=twice))})"


def digest_of(job: Job, name: str, number: int) -> dict[str, str]:
    """Return the variable that holds the digest of what a job that pushes left."""
    one = pushing(name, number)
    twice = number == 1 and job.kind is not Kind.CONTINUE
    found = _names(one, "promote.errands", twice=twice)
    value = f"coalesce({', '.join(found)})" if twice else found[0]
    return {"name": ERRANDS, "value": f"$[ {value} ]"}


def folder(name: str, number: int) -> str:
    """Return the shell's words for where a job that pushes takes answers from and leaves errands."""
    return f"{_WORKSPACE}/{_artifact('answers', name, number - 1) if number > 1 else 'f0ci-errands'}"


def hand_over(name: str, number: int) -> dict[str, Any]:
    """Return the step that hands over what a job that pushes left."""
    return {
        "publish": folder(name, number).replace(_WORKSPACE, "$(Pipeline.Workspace)"),
        "artifact": _artifact("errands", name, number),
        "displayName": "hand over the errands",
        "condition": "and(succeeded(), eq(variables['promote.left'], 'true'))",
    }


def take_answers(name: str, number: int) -> dict[str, Any]:
    """Return the step that takes the answers; work that broke off left none."""
    return {
        "download": "current",
        "artifact": _artifact("answers", name, number - 1),
        "displayName": "take the answers",
        "continueOnError": True,
    }


def work_steps(
    name: str, number: int, before: list[dict[str, Any]], forget: str, env: dict[str, str], filtered: str
) -> list[Any]:
    """Return the steps of a job that works, after its preparation.

    Args:
        name: what the stage is called.
        number: which of its jobs that work, from 1.
        before: further steps of the workflow.
        forget: a script that forgets secrets which do not exist.
        env: the secrets that it gets.
        filtered: what takes the mark that the agent obeys out of what is printed.
    """
    errands = _artifact("errands", name, number)
    body = f'{forget}f0ci errands "{_WORKSPACE}/{errands}" {filtered}\n'
    return [
        {"download": "current", "artifact": errands, "displayName": "take the errands"},
        *before,
        {"bash": script(body), "displayName": "work", **({"env": env} if env else {})},
        {
            "publish": f"$(Pipeline.Workspace)/{errands}",
            "artifact": _artifact("answers", name, number),
            "displayName": "hand over the answers",
            "condition": "succeededOrFailed()",
        },
    ]


def tell_errands(place: str) -> str:
    """Return a script that tells the digest of what was left to be done, and ends."""
    return (
        f'if [ -s "{place}/errands.json" ]; then\n'
        f'  errands=$(sha256sum < "{place}/errands.json" | cut -c 1-64)\n'
        '  echo "##vso[task.setvariable variable=errands;isOutput=true]$errands"\n'
        '  echo "##vso[task.setvariable variable=left;isOutput=true]true"\n'
        "  exit 0\nfi\n"
    )


def _artifact(what: str, name: str, number: int) -> str:
    # a stage that is run again may not publish under a name that is there
    return f"f0ci-{what}-{name}-{number}"


def _names(job: str, output: str, *, twice: bool, before: str = "") -> list[str]:
    if before:
        return [f"{before}['{job}.{one}{output}']" for one in (["", f"{job}."] if twice else [""])]
    of = f"dependencies.{job}.outputs"
    return [f"{of}['{one}{output}']" for one in (["", f"{job}."] if twice else [""])]
