"""The events a ledger is made of: one immutable JSON file each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from f0ci.core.canonical import sha256_hex
from f0ci.core.clock import format_time, parse_time
from f0ci.core.errors import InputError

ENVIRONMENT_EVENTS = "_environment"
WORKFLOW_EVENTS = "_workflow"

# kinds that end a promotion
ENDINGS = frozenset({"succeeded", "refused", "failed", "superseded", "aborted", "expired", "errored"})
# kinds that carry what a person signed
SIGNED_KINDS = frozenset({"approved", "rejected", "revoked", "overridden"})
# kinds about an environment, not about one promotion
ENVIRONMENT_KINDS = frozenset({"policy", "hold", "unhold", "repair"})
# kinds about all environments
WORKFLOW_KINDS = frozenset({"policy", "quarantine", "unquarantine"})
STANDING = ENVIRONMENT_KINDS | WORKFLOW_KINDS
_MONTH = re.compile(r"[0-9]{4}/[0-9]{2}\Z")
_REGULAR_FILE = "100644"
_SEE_AUDIT = "run `f0ci audit verify` to see what was changed"


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

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the event's file, by which what answers it names it."""
        return sha256_hex(self.to_bytes())

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


def parse_event(path: str, raw: bytes, *, ledger: str = "", mode: str = _REGULAR_FILE) -> Event:
    """Return the event that a ledger's file holds.

    Args:
        path: the file, from the ledger's root.
        raw: its content.
        ledger: ref of the ledger, for messages.
        mode: the file's mode in Git; an event is a plain file.

    Raises:
        InputError: the file is not an event of a version that this f0ci reads, or does not lie where it should.
    """
    from f0ci.source.schema import check_schema

    place = f"{ledger}:{path}" if ledger else path
    if mode != _REGULAR_FILE:
        raise InputError("not an event: no plain file", _SEE_AUDIT, place=place)
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not an event: {error}", _SEE_AUDIT, place=place) from error
    for problem in check_schema("event", record):
        where = ".".join(map(str, problem.path))
        said = f"{where}: {problem.message}" if where else problem.message
        raise InputError(f"not an event: {said}", _SEE_AUDIT, place=place)
    try:
        time = parse_time(record["time"])
        if record["data"].get("next_check_at"):
            parse_time(record["data"]["next_check_at"])
    except ValueError as error:
        raise InputError(f"not an event: {error}", _SEE_AUDIT, place=place) from error
    event = Event(
        kind=record["kind"],
        promotion=record["promotion"],
        sequence=int(record["sequence"]),
        position=int(record["position"]),
        environment=record["environment"],
        time=time,
        actor=record["actor"],
        data=record["data"],
        month="/".join(path.split("/")[:2]),
    )
    if event.path != path or not _MONTH.match(event.month):
        raise InputError(f"the event says it is {event.path!r}", "a ledger's files are never renamed", place=place)
    return event


def misplaced(event: Event, environment: str) -> str | None:
    """Return why an event cannot stand in a ledger, or None; pure.

    Args:
        event: the event.
        environment: whose ledger it is; `_workflow` for the one that concerns all environments.
    """
    if event.environment != environment:
        return f"the event is about {event.environment!r}, the ledger about {environment!r}"
    if environment == WORKFLOW_EVENTS:
        fits = event.kind in WORKFLOW_KINDS and event.promotion == WORKFLOW_EVENTS
    elif event.kind in STANDING:
        fits = event.kind in ENVIRONMENT_KINDS and event.promotion == ENVIRONMENT_EVENTS
    else:
        name, _, count = event.promotion.rpartition("-")
        fits = name == environment and count.isdecimal()
    return None if fits else f"{event.kind!r} of {event.promotion!r} does not belong into the ledger of {environment!r}"
