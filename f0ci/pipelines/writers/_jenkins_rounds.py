"""Jenkins: within a stage, a step that has the token and one that runs code of the repository take turns.

A stage holds one agent, and whoever runs on it is one user. What runs code of the repository comes after the step that
had the token has ended, and without its credential; where `worker` names other agents, it runs on one of those.
"""

from __future__ import annotations

from f0ci.pipelines.model import Job
from f0ci.pipelines.writers._groovy import indented, quoted, sh
from f0ci.pipelines.writers.base import take_errands

FOLDER = "f0ci-errands"
_HANDED = "f0ci-handed.txt"
# the steps of one loop know which turn it is by these
_ANSWERED, _LAST = "F0CI_ANSWERED", "F0CI_LAST"


def begin() -> str:
    """Return the beginning of a step that pushes: the answers to take are those that this build asked for."""
    clean = f'rm -f {_HANDED}\nANSWERED="${{{_ANSWERED}:-}}"\n'
    return f'{clean}if [ -z "$ANSWERED" ]; then\n  rm -rf {FOLDER}\nfi\n'


def hand_over() -> str:
    """Return a script that ends a step that pushes where it left something, unless it is the last turn."""
    return (
        take_errands(FOLDER)
        + f'if [ -n "$errands" ] && [ "${{{_LAST}:-}}" != true ]; then\n'
        + f"  printf '%s\\n' \"$errands\" > {_HANDED}\n  exit 0\nfi\n"
    )


def by_turns(job: Job, pushing: list[str], work: list[str], worker: str | None) -> list[str]:
    """Return steps that push and work by turns, until nothing is left to be done or the turns are over.

    Args:
        job: the promotion.
        pushing: steps that push.
        work: steps that do what was left.
        worker: label of the agents that these run on, or None for the agent of the stage.
    """
    return [
        "script {",
        f"    env.{_ANSWERED} = ''",
        f"    for (int turn = 0; turn <= {job.rounds}; turn++) {{",
        f"        env.{_LAST} = (turn == {job.rounds}).toString()",
        *indented(pushing, 2),
        f"        if (!fileExists('{_HANDED}')) {{",
        "            break",
        "        }",
        f"        env.{_ANSWERED} = readFile('{_HANDED}').trim()",
        *indented(_elsewhere(work, worker) if worker else work, 2),
        "    }",
        "}",
    ]


def working(job: Job, prepare: str, before: list[str]) -> list[str]:
    """Return steps that do what a step that pushes left, with the secrets of what they run and no token.

    Args:
        job: the promotion.
        prepare: the script that installs f0ci.
        before: further steps of the workflow.
    """
    steps = sh("work", f"{prepare}f0ci errands {FOLDER}\n")
    bound = [f"string(credentialsId: '{name}', variable: '{name}')" for name in job.secrets]
    if not bound:
        return [*before, *steps]
    listed = indented([*(f"{one}," for one in bound[:-1]), bound[-1]])
    return [*before, "withCredentials([", *listed, "]) {", *indented(steps), "}"]


def _elsewhere(work: list[str], worker: str) -> list[str]:
    return [
        f"stash name: '{FOLDER}', includes: '{FOLDER}/**'",
        f"node({quoted(worker)}) {{",
        "    checkout scm",
        f"    unstash '{FOLDER}'",
        *indented(work),
        f"    stash name: '{FOLDER}', includes: '{FOLDER}/**'",
        "}",
        f"unstash '{FOLDER}'",
    ]
