"""How often a pipeline hands work from the job that may push to one that may not, and back.

What runs code of the repository or needs its secrets runs in a job without the token: the deploy recipe of each step
and of a way back, commands of gates, metrics that run commands or need secrets. Each is a round; what needs more than
the pipeline has is taken further by the scheduled job.
"""

from __future__ import annotations

from f0ci.analysis.measuring import any_foreign
from f0ci.workflows.model import Workflow, WorkflowEnvironment

MOST_ROUNDS = 5
# gates that look at what the ledgers and Git say; any other may run something
_LOOKING = frozenset({"approval", "artifact", "order", "settled", "signed_commit", "soak", "window"})


def rounds_of(workflow: Workflow, environment: WorkflowEnvironment) -> int:
    """Return how many rounds a promotion into an environment may take that waits for nothing.

        a gate that asks a command                   1
        metrics that run commands or need secrets    1 before the change, and 1 a step where nothing is deployed
        a deploy recipe                              1 a step, and 1 for the way back

    Args:
        workflow: the workflow.
        environment: one of its environments.
    """
    asks = any(gate.kind not in _LOOKING for gate in environment.gates)
    foreign = any_foreign(workflow, environment.checks)
    steps = len(environment.rollout.steps)
    work = steps + 1 if environment.deploy is not None else steps if foreign else 0
    return min(MOST_ROUNDS, asks + foreign + work)
