"""Evidence for auditors: each event of the ledgers as a row, with the controls that it serves."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from f0ci.core.clock import format_time
from f0ci.promotion.events import SIGNED_KINDS, Event
from f0ci.promotion.state import EnvironmentState, Promotion

# SOC 2 trust services criteria (2017, revised 2022) and controls of ISO/IEC 27001:2022 annex A that a kind serves
CONTROLS: Mapping[str, tuple[str, str, str]] = {
    "requested": ("CC8.1", "A.8.32", "a change was asked for, planned and documented"),
    "replanned": ("CC8.1", "A.8.32", "the plan changed; earlier approvals are void"),
    "waiting": ("CC8.1", "A.8.32", "the change was held back by its gates"),
    "approved": ("CC8.1, CC5.1", "A.8.32, A.5.3", "the change was authorized by another person"),
    "rejected": ("CC8.1, CC5.1", "A.8.32, A.5.3", "the change was turned down"),
    "revoked": ("CC8.1, CC5.1", "A.8.32, A.5.3", "an authorization was taken back"),
    "overridden": ("CC8.1, CC5.1", "A.8.32, A.5.3", "an emergency change was authorized by a second person"),
    "evidence": ("CC8.1", "A.8.32", "a CI system asserts an authorization"),
    "intent": ("CC8.1", "A.8.32", "the change was announced"),
    "applied": ("CC8.1, CC6.8", "A.8.32, A.8.19, A.8.31", "the authorized content was installed"),
    "deployed": ("CC8.1", "A.8.32, A.8.29", "the deployment ran"),
    "measured": ("CC8.1, CC7.2", "A.8.29, A.8.16", "the change was monitored and judged"),
    "resumed": ("CC8.1, CC5.1", "A.8.32, A.5.3", "a person let the rollout go on"),
    "succeeded": ("CC8.1", "A.8.29, A.8.32", "the change was accepted"),
    "rolled_back": ("CC7.4, CC7.5", "A.5.26, A.8.32", "the change failed, and what was good before was restored"),
    "restored": ("CC7.5", "A.5.26", "what was good before runs again"),
    "refused": ("CC8.1", "A.8.32", "the change was refused"),
    "failed": ("CC7.4", "A.5.26", "the change failed, and a person was needed"),
    "superseded": ("CC8.1", "A.8.32", "a newer change took its place"),
    "aborted": ("CC8.1", "A.8.32", "the change was called off"),
    "expired": ("CC8.1", "A.8.32", "nobody authorized the change in time"),
    "errored": ("CC8.1", "A.8.32", "the change could not be carried out"),
    "policy": ("CC5.3, CC8.1", "A.5.3, A.8.32", "who may authorize changes, and how"),
    "hold": ("CC7.4", "A.5.26", "changes were suspended"),
    "unhold": ("CC7.4", "A.5.26", "changes were allowed again"),
    "repair": ("CC7.5", "A.8.32", "the environment was repaired"),
    "quarantine": ("CC7.4", "A.5.26, A.8.19", "a release was kept out of every environment"),
    "unquarantine": ("CC7.4", "A.5.26, A.8.19", "a release was let in again"),
}
# a way back that the event calls `aborted`
CALLED_OFF = ("CC8.1", "A.8.32", "the change was called off, and what was good before was restored")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Row:
    """One piece of evidence.

    Attributes:
        time: when, in UTC.
        environment: where.
        promotion: id, or `_environment` or `_workflow`.
        event: what happened.
        release: digest of the release, or empty.
        actor: who wrote the event.
        person: who signed, or whom a platform names, or empty.
        requested_by: who asked for the promotion, or empty.
        what: the event in words, with its reasons.
        soc2: criteria it serves.
        iso27001: controls it serves.
        meaning: why it serves them.
        reference: ref and file that hold it.
    """

    time: str
    environment: str
    promotion: str
    event: str
    release: str
    actor: str
    person: str
    requested_by: str
    what: str
    soc2: str
    iso27001: str
    meaning: str
    reference: str

    def to_json(self) -> dict[str, str]:
        """Return the row as data."""
        return {name: getattr(self, name) for name in self.__slots__}


def rows_of(ref: str, state: EnvironmentState, start: datetime | None, end: datetime | None) -> Iterator[Row]:
    """Yield the evidence that an environment's ledger holds, in order.

    Args:
        ref: the ledger.
        state: the environment, all events read.
        start: only what happened then or later, or None.
        end: only what happened before then, or None.
    """
    promotions = {promotion.id: promotion for promotion in state.promotions}
    for event in state.events:
        if (start is None or event.time >= start) and (end is None or event.time < end):
            yield row_of(ref, event, promotions.get(event.promotion))


def row_of(ref: str, event: Event, promotion: Promotion | None) -> Row:
    """Return the evidence that an event is."""
    soc2, iso27001, meaning = CONTROLS[event.kind]
    data = event.data
    if event.kind == "rolled_back" and data.get("aborted"):
        # nobody said that the change failed
        soc2, iso27001, meaning = CALLED_OFF
    statement: Mapping[str, Any] = data.get("statement") or {}
    reasons = [str(text) for text in data.get("reasons", ())] or [
        str(statement.get("reason") or data.get("reason", ""))
    ]
    return Row(
        format_time(event.time),
        event.environment,
        event.promotion,
        event.kind,
        promotion.release if promotion else str(data.get("release", "")),
        event.actor,
        str(statement.get("approver") or data.get("reviewer") or ""),
        promotion.requested_by if promotion else "",
        "; ".join(text for text in (_detail(event), *reasons) if text),
        soc2,
        iso27001,
        meaning,
        f"{ref}:{event.path}",
    )


def _detail(event: Event) -> str:
    data = event.data
    if event.kind in {"requested", "replanned"}:
        return f"plan {data['digest']}, source {data['plan']['source_commit']}"
    if event.kind in {"applied", "rolled_back", "intent"}:
        return f"commit {data['commit']}, tree {data['tree']}"
    if event.kind in SIGNED_KINDS:
        return f"plan {data['statement']['digest']}, key {data['signature'].get('key', '')}"
    if "statement" in data and event.kind != "requested":
        return f"of {data['statement']['digest']}, key {data['signature'].get('key', '')}"
    if event.kind == "evidence":
        return f"{data['kind']}: {data['how']}, {data['url']}"
    if event.kind == "succeeded":
        return f"verification {data['verification']}"
    return str(data.get("outcome", ""))


def to_csv(rows: list[Row]) -> str:
    """Return rows as CSV (RFC 4180); a text that a spreadsheet would take for a formula is marked as text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(Row.__slots__)
    for row in rows:
        cells = (getattr(row, name) for name in Row.__slots__)
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return out.getvalue()
