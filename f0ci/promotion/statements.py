"""Approvals, rejections and the like: canonical statements with a detached signature.

The statement names what was agreed to, not where it lies, so a race re-parents it without signing again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from f0ci.core.canonical import canonical_json
from f0ci.core.clock import format_time, parse_time
from f0ci.promotion.approvers import Approvers
from f0ci.promotion.events import Event

if TYPE_CHECKING:
    from f0ci.git.repository import Repository

NAMESPACE = "f0ci-approval"
# what the statement of each kind of event decides
DECISIONS = {"approved": "approve", "rejected": "reject", "revoked": "revoke", "overridden": "override"}
# the same of what lets things go on that somebody stopped
RIGHTS = {
    "hold": "shorten",
    "unhold": "unhold",
    "requested": "pass_hold",
    "resumed": "resume",
    "unquarantine": "lift",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """What an approver signs.

    Attributes:
        promotion: id of the promotion.
        digest: digest of the plan, or of the event that it answers.
        environment: its environment.
        approver: short name of the person.
        decision: `approve`, `reject`, `revoke` (what the person said before), `override` (a gate), or one of `RIGHTS`.
        time: when it was signed.
        expires: when it stops to count, or None.
        reason: in the approver's words, or empty.
        gate: kind of the gate that is overridden, or empty.
        ledger: tip of the environment's ledger that the person saw, or None; anchors the history before it.
    """

    promotion: str
    digest: str
    environment: str
    approver: str
    decision: str
    time: datetime
    expires: datetime | None = None
    reason: str = ""
    gate: str = ""
    ledger: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the statement as data."""
        more = {"gate": self.gate} if self.gate else {}
        if self.ledger:
            more["ledger"] = self.ledger
        return {
            "type": "f0ci/approval/v1",
            "promotion": self.promotion,
            "digest": self.digest,
            "environment": self.environment,
            "approver": self.approver,
            "decision": self.decision,
            "time": format_time(self.time),
            "expires": format_time(self.expires) if self.expires else None,
            "reason": self.reason,
            **more,
        }

    def payload(self) -> bytes:
        """Return the bytes that are signed."""
        return canonical_json(self.to_json())


@dataclass(frozen=True, slots=True)
class VerifiedStatement:
    """A statement with the answer to "who really signed it?".

    Attributes:
        statement: what was signed.
        signer: short name of the person whose key signed it, or None.
        problem: why it does not count, or None.
    """

    statement: Statement
    signer: str | None
    problem: str | None


def parse_statement(data: Mapping[str, Any]) -> Statement:
    """Return the statement that data holds.

    Raises:
        ValueError: a field is missing or malformed.
    """
    try:
        if data["type"] != "f0ci/approval/v1":
            raise ValueError(f"unknown statement type {data['type']!r}")
        return Statement(
            promotion=str(data["promotion"]),
            digest=str(data["digest"]),
            environment=str(data["environment"]),
            approver=str(data["approver"]),
            decision=str(data["decision"]),
            time=parse_time(str(data["time"])),
            expires=parse_time(str(data["expires"])) if data.get("expires") else None,
            reason=str(data.get("reason", "")),
            gate=str(data.get("gate", "")),
            ledger=str(data["ledger"]) if data.get("ledger") else None,
        )
    except KeyError as error:
        raise ValueError(f"the statement lacks {error.args[0]!r}") from error


def standing(statements: Iterable[VerifiedStatement]) -> tuple[VerifiedStatement, ...]:
    """Return the statements that nobody took back, in order; pure.

    A valid revocation takes back everything that the same person said before it. A statement counts where it was first
    recorded: whoever records it again after it was taken back brings nothing back.
    """
    kept: list[VerifiedStatement] = []
    seen: set[Statement] = set()
    for verified in statements:
        who = verified.statement.approver
        if verified.statement in seen:
            continue
        if verified.problem is None:
            seen.add(verified.statement)
        if verified.statement.decision == "revoke" and verified.problem is None:
            kept = [one for one in kept if one.statement.approver != who]
        else:
            kept.append(verified)
    return tuple(kept)


def verify_statement(event: Event, approvers: Approvers) -> VerifiedStatement:
    """Check one event of `DECISIONS` or `RIGHTS`: signature, signer, and that event and statement agree.

    Raises:
        GitError: the program that checks signatures is missing.
    """
    try:
        statement = parse_statement(event.data["statement"])
    except ValueError as error:
        unreadable = Statement(event.promotion, "", event.environment, "nobody", "", event.time)
        return VerifiedStatement(unreadable, None, str(error))
    signature = event.data["signature"]
    signer = _signer(
        canonical_json(event.data["statement"]),
        str(signature.get("armored", "")),
        str(signature.get("format", "ssh")),
        tuple((name, tuple(keys)) for name, keys in approvers.keys().items()),
    )
    return VerifiedStatement(statement, signer, _problem(event, statement, signer))


@lru_cache(maxsize=20_000)
def _signer(payload: bytes, armored: str, kind: str, keys: tuple[tuple[str, tuple[str, ...]], ...]) -> str | None:
    """Return whose key signed some bytes; the same question always has the same answer."""
    from f0ci.git.signatures import verify

    return verify(payload, armored, kind, dict(keys), namespace=NAMESPACE)


def _problem(event: Event, statement: Statement, signer: str | None) -> str | None:
    wanted = DECISIONS.get(event.kind) or RIGHTS[event.kind]
    if statement.decision != wanted:
        return f"the event says {event.kind!r}, the statement {statement.decision!r}"
    if (statement.promotion, statement.environment) != (event.promotion, event.environment):
        return f"the statement is about {statement.promotion!r} in {statement.environment!r}"
    if signer is None:
        return f"no key of {statement.approver!r} or anybody else in the approvers file signed it"
    if signer != statement.approver:
        return f"it names {statement.approver!r} but {signer!r} signed it"
    return None


def sign_statement(statement: Statement, repository: Repository) -> dict[str, Any]:
    """Return the data of the statement's event, signed with the user's key.

    Raises:
        GitError: Git knows no signing key, or signing fails.
    """
    from f0ci.git.signatures import sign

    signature = sign(statement.payload(), repository=repository, namespace=NAMESPACE)
    return {
        "statement": statement.to_json(),
        "signature": {"format": signature.format, "armored": signature.armored, "key": signature.key},
    }
