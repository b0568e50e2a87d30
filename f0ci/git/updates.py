"""Changes of refs, as values."""

from __future__ import annotations

from enum import Enum

from f0ci.core.errors import GitError
from f0ci.core.values import dataclass


class PushOutcome(Enum):
    """What became of a push that the remote judged."""

    APPLIED = "applied"
    LOST_RACE = "lost race"


class AtomicUnsupported(GitError):
    """The remote cannot change several refs together."""


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """A ref that is to change.

    Attributes:
        ref: its full name.
        old: what it must be now; None when it must not exist.
        new: what it shall be; None when it shall be deleted.
    """

    ref: str
    old: str | None
    new: str | None
