"""GitLab CI/CD: whoever starts a manual job is named in the job's own variables; nothing has to be asked."""

from __future__ import annotations

from collections.abc import Mapping

from f0ci.pipelines.evidence.base import Assertion, variable

KIND = "gitlab"


def read(_environment: str, environ: Mapping[str, str]) -> tuple[Assertion, ...]:
    """Return who started this manual job; nobody where it started by itself.

    Args:
        _environment: the environment; GitLab's variables are about this very job.
        environ: the job's environment variables.

    Raises:
        UsageError: this is no job of GitLab.
    """
    url, job = variable(environ, "CI_JOB_URL", "GitLab"), variable(environ, "CI_JOB_NAME", "GitLab")
    if environ.get("CI_JOB_MANUAL") != "true":
        return ()
    who = environ.get("GITLAB_USER_LOGIN") or None
    return (Assertion(KIND, url, job, who, "started the manual job (GITLAB_USER_LOGIN)"),)
