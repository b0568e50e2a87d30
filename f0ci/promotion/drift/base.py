"""What an observer is: one file that looks at one place where an environment's state shows.

An observer's file offers `observe(expected, settings, root) -> Observation`. Not being able to look is an answer of its
own, never `in_sync`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Sync(StrEnum):
    """What an observer found."""

    IN_SYNC = "in_sync"
    DRIFTED = "drifted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Expected:
    """What an environment should be, as its ledger says.

    Attributes:
        environment: its name.
        release: digest of the release it runs.
        files: content of every file it holds, by path.
    """

    environment: str
    release: str
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Observation:
    """What one observer found at one place.

    Attributes:
        kind: the observer's name, such as `directory`.
        where: the place, for people.
        sync: whether it is what it should be.
        details: what differs, or why it cannot be told.
    """

    kind: str
    where: str
    sync: Sync
    details: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the observation as data."""
        return {"kind": self.kind, "where": self.where, "state": str(self.sync), "details": list(self.details)}
