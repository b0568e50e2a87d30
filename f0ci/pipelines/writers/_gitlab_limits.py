"""What GitLab takes at most."""

from __future__ import annotations

from f0ci.core.errors import InputError
from f0ci.pipelines.model import Kind, Pipeline
from f0ci.pipelines.writers._limits import Limits

_MAX_DEPLOYMENTS = 500
_MAX_NAME = 255
# the memory of the file when it is read, several times its size, must stay below 2 MiB, or what an instance says
LIMITS = Limits(
    "GitLab", size=2 * 1024 * 1024, legs=200, source="https://docs.gitlab.com/administration/instance_limits"
)


def check_jobs(pipeline: Pipeline, names: dict[str, str]) -> None:
    """Refuse what GitLab would not make a pipeline of, some of it without a word.

    Args:
        pipeline: what is written.
        names: what each job is called, by its id.

    Raises:
        InputError: there are too many deployments, or names of jobs are too long.
    """
    deployments = sum(job.kind is Kind.PROMOTE for job in pipeline.jobs)
    if deployments > _MAX_DEPLOYMENTS:
        raise InputError(
            f"{deployments} promotions; a pipeline of GitLab takes {_MAX_DEPLOYMENTS} deployments",
            f"split the workflow; see {LIMITS.source}",
            place=pipeline.workflow,
        )
    for job in pipeline.jobs:
        # a leg is called like its job and the longest combination of values
        longest = f"{names[job.id]}: [{', '.join(max(values, key=len) for values in job.matrix.values())}]"
        if job.matrix and len(longest) > _MAX_NAME:
            raise InputError(
                f"the matrix of {job.id!r} makes names of {len(longest)} characters; GitLab takes {_MAX_NAME}",
                "shorten its values",
                place=pipeline.workflow,
            )
