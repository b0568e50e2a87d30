"""What CI systems take at most, where their makers publish it: more is refused when it is written, not when it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from f0ci.core.errors import InputError
from f0ci.pipelines.model import Job, Pipeline


@dataclass(frozen=True, slots=True)
class Limits:
    """What a system takes at most.

    Attributes:
        system: what it is called in messages.
        size: bytes of the file.
        legs: jobs that one matrix makes.
        source: address of the page that says so.
    """

    system: str
    size: int
    legs: int
    source: str


def check_limits(pipeline: Pipeline, text: str, limits: Limits) -> None:
    """Refuse a file that its system would not run.

    Raises:
        InputError: the file is larger, or a matrix makes more jobs than the system takes.
    """
    for job in pipeline.jobs:
        if legs(job) > limits.legs:
            raise InputError(
                f"the matrix of {job.id!r} makes {legs(job):,} jobs; {limits.system} takes {limits.legs:,}",
                f"give variables fewer values, or make two stages of it; see {limits.source}",
                place=pipeline.workflow,
            )
    size = len(text.encode())
    if size > limits.size:
        raise InputError(
            f"the file for {limits.system} has {size:,} bytes; it takes {limits.size:,}",
            f"move long commands into scripts, or let fewer stages run more tests each; see {limits.source}",
            place=pipeline.workflow,
        )


def legs(job: Job) -> int:
    """Return how many jobs a system makes of one."""
    return math.prod(len(values) for values in job.matrix.values())
