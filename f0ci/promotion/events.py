"""The events a ledger is made of: one immutable JSON file each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from f0ci.core.clock import format_time, parse_time
from f0ci.core.errors import InputError

ENVIRONMENT_EVENTS = "_environment"
WORKFLOW_EVENTS = "_workflow"

# kinds that end a promotion
ENDINGS = frozenset({"succeeded", "refused", "failed", "superseded", "aborted", "expired", "errored"})
# kinds that are not about one promotion
STANDING = frozenset({"policy", "hold", "unhold", "repair", "quarantine", "unquarantine"})
PROMOTION_KINDS = frozenset(
    {
        "requested",
        "replanned",
        "waiting",
        "approved",
        "rejected",
        "evidence",
        "intent",
        "applied",
        "deployed",
        "measured",
    }
    | {"rolled_back", "restored"}
    | ENDINGS
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as it lies in a ledger.

    Attributes:
        kind: what happened.
        promotion: id of the promotion, or `_environment` / `_workflow`.
        sequence: 1 for the first event of the promotion, then rising by 1.
        position: 0 for the first event of the ledger, then rising by 1.
        environment: name of the environment, or `_workflow`.
        time: when the writer says it happened (UTC, whole seconds).
        actor: `Name <email>` of the writer.
        data: what the kind needs.
        month: `yyyy/mm` of the promotion's first event: the folder that holds all of its events.
    """

    kind: str
    promotion: str
    sequence: int
    position: int
    environment: str
    time: datetime
    actor: str
    data: Mapping[str, Any]
    month: str

    @property
    def path(self) -> str:
        """Return the file that holds the event."""
        return f"{self.month}/{self.promotion}/{self.sequence:04d}-{self.kind}.json"

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        record = {
            "version": 1,
            "kind": self.kind,
            "promotion": self.promotion,
            "sequence": self.sequence,
            "position": self.position,
            "environment": self.environment,
            "time": format_time(self.time),
            "actor": self.actor,
            "data": dict(self.data),
        }
        return (json.dumps(record, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that a decision wants written; the ledger gives it its numbers.

    Attributes:
        kind: what happened.
        promotion: id of the promotion, or `_environment` / `_workflow`.
        data: what the kind needs.
    """

    kind: str
    promotion: str
    data: Mapping[str, Any]


def parse_event(path: str, raw: bytes) -> Event:
    """Return the event that a ledger's file holds.

    Raises:
        InputError: the file is not an event of a version that this f0ci reads, or does not lie where it should.
    """
    from f0ci.source.schema import check_schema

    try:
        record = json.loads(raw)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"not an event: {error}", place=path) from error
    problems = check_schema("event", record)
    if problems:
        raise InputError(problems[0].message, "run `f0ci audit verify` to see what else was changed", place=path)
    try:
        time = parse_time(record["time"])
    except ValueError as error:
        raise InputError(str(error), place=path) from error
    event = Event(
        kind=record["kind"],
        promotion=record["promotion"],
        sequence=record["sequence"],
        position=record["position"],
        environment=record["environment"],
        time=time,
        actor=record["actor"],
        data=record["data"],
        month="/".join(path.split("/")[:2]),
    )
    if event.path != path:
        raise InputError(f"the event says it is {event.path!r}", "a ledger's files are never renamed", place=path)
    return event
