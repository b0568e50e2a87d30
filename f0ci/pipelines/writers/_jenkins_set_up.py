"""What Jenkins needs to be told once, outside of the file."""

from __future__ import annotations

from f0ci.pipelines.model import Pipeline

_TOKEN = "f0ci-git-token"  # noqa: S105 - the name of a credential, not its value


def credentials(pipeline: Pipeline) -> str:
    """Return the id of the credential that may push."""
    return str(pipeline.option("jenkins", "credentials", _TOKEN))


def set_up(pipeline: Pipeline) -> tuple[str, ...]:
    """Return what Jenkins needs to be told once."""
    return (
        "a multibranch pipeline job on this file, over HTTPS, whose branch source tells the default branch",
        "the plugins pipeline-model-definition, git, credentials-binding, lockable-resources, pipeline-input-step "
        f"and junit{', warnings-ng besides' if pipeline.option('jenkins', 'warnings') else ''}",
        f"a credential of the kind 'secret text' called {credentials(pipeline)!r}: a token that may push",
        *(
            f"a credential of the kind 'secret text' called {variable!r}; its value is the same for every environment"
            for variable in sorted({one for variables in pipeline.secrets.values() for one in variables})
        ),
        "agents with Bash, Git and Python 3.11 or newer with venv",
        *(
            (
                "agents of their own for what runs code of the repository, named by spec.pipelines.jenkins.worker; "
                "else it runs after the step with the token, on the same agent as the same user",
            )
            if any(job.rounds for job in pipeline.jobs) and not pipeline.option("jenkins", "worker")
            else ()
        ),
        *(
            f"who may build the job, for they may answer the question before {name!r}; signed approvals bind besides"
            for name in pipeline.approvals
        ),
    )
