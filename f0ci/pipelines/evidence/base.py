"""What a CI system asserts about its own approval: evidence, never a signed approval.

A system is one file beside this one, named as `--evidence` and a gate's `accept:` name it, with a function
`read(environment, environ) -> tuple[Assertion, ...]`: what the job's own variables say, and at most a small question to
the system's API where they do not say who approved. None at all means that nobody was asked; a reviewer who cannot be
told is None in the evidence, and counts for nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f0ci.core.errors import UsageError

if TYPE_CHECKING:
    from f0ci.http.session import Session

# seconds that a question may take; a promotion does not fail because nobody answers it
_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Assertion:
    """Who let a job run, as its CI system says; recorded with the plan it is about, it becomes evidence.

    Attributes:
        kind: name of the system, as gates accept it.
        url: where people see the run.
        job: what the job is called.
        reviewer: account on the system, or None where it could not be told.
        how: how that is known, in words.
    """

    kind: str
    url: str
    job: str
    reviewer: str | None
    how: str


def variable(environ: Mapping[str, str], name: str, system: str) -> str:
    """Return a variable that a job of the system has.

    Raises:
        UsageError: there is none, so this is no such job.
    """
    value = environ.get(name, "")
    if not value:
        raise UsageError(
            f"this is no job of {system}: {name} is not set",
            "leave out --evidence; `f0ci approve` signs an approval anywhere",
        )
    return value


def token(environ: Mapping[str, str]) -> str | None:
    """Return the token that the job reads the system's API with, or None."""
    return environ.get("F0CI_API_TOKEN") or environ.get("F0CI_GIT_TOKEN") or None


@contextmanager
def api(headers: Mapping[str, str], **credentials: str | None) -> Iterator[Session]:
    """Yield a session that asks the system's API, briefly."""
    from f0ci.http.session import open_session

    with open_session(headers=headers, timeout=_PATIENCE, **credentials) as session:  # type: ignore[arg-type]
        yield session
