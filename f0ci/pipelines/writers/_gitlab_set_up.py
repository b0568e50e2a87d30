"""What GitLab needs to be told once, outside of the files."""

from __future__ import annotations

from f0ci.pipelines.model import Pipeline
from f0ci.pipelines.writers._gitlab_rounds import CONTINUE_ENVIRONMENT, PUSH_ENVIRONMENT
from f0ci.pipelines.writers._limits import legs
from f0ci.pipelines.writers.base import environments_set_up

PATH = ".gitlab-ci.yml"
STAGES = ["check", "build", "release", "deliver", "operate"]
# of GitLab.com's Free, in all pipelines that run
_FREE_JOBS = 500


def set_up(pipeline: Pipeline) -> tuple[str, ...]:
    """Return what GitLab needs to be told once."""
    return (
        *environments_set_up(pipeline, "approval rules (protected environments, Premium)"),
        "who may start the job of an environment that waits for people: those who may push to the default branch, or "
        "the protected environment's deployers",
        "a project access token with 'write_repository' in the masked and protected variable F0CI_PUSH_TOKEN, once "
        f"in each of the scopes {', '.join(map(repr, (PUSH_ENVIRONMENT, *pipeline.environments)))}, so that no job "
        "sees it that runs code of the repository",
        "a protected default branch, so that only its pipelines see that token",
        *(
            f"the masked and protected variable {variable} in the scopes 'f0ci-work/{name}' and "
            f"{CONTINUE_ENVIRONMENT!r}"
            for name, variables in pipeline.secrets.items()
            for variable in variables
        ),
        "an hourly schedule of the default branch, which takes waiting promotions further",
        *_include_set_up(pipeline),
        *_size_set_up(pipeline),
    )


def _include_set_up(pipeline: Pipeline) -> tuple[str, ...]:
    path = pipeline.option("gitlab", "file", PATH)
    stages = ", ".join(STAGES)
    return () if path == PATH else (f"an include of the local file {path!r} in {PATH}, with the stages {stages}",)


def _size_set_up(pipeline: Pipeline) -> tuple[str, ...]:
    """Return what a large pipeline asks of the instance."""
    count = sum(map(legs, pipeline.jobs))
    if count <= _FREE_JOBS:
        return ()
    return (f"a plan that takes {count:,} jobs in pipelines that run (GitLab.com's Free takes {_FREE_JOBS})",)
