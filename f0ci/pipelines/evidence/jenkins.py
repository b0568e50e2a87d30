"""Jenkins: the `input` step hands on who answered; nothing has to be asked."""

from __future__ import annotations

from collections.abc import Mapping

from f0ci.pipelines.evidence.base import Assertion, variable

KIND = "jenkins"


def read(_environment: str, environ: Mapping[str, str]) -> tuple[Assertion, ...]:
    """Return who answered the question before this stage; nobody where nobody was asked.

    Args:
        _environment: the environment; the answer is handed on for this very stage.
        environ: the stage's environment variables.

    Raises:
        UsageError: this is no build of Jenkins.
    """
    url, job = variable(environ, "BUILD_URL", "Jenkins"), environ.get("STAGE_NAME", "")
    who = environ.get("F0CI_REVIEWER", "")
    return (Assertion(KIND, url, job, who, "answered the input step (submitterParameter)"),) if who else ()
