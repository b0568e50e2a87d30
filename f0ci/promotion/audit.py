"""Checking a history from a clone, offline: everything that a ledger promises is looked at again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from f0ci.core.canonical import digest
from f0ci.core.errors import F0ciError, InputError
from f0ci.promotion.events import STANDING, Event, parse_event
from f0ci.promotion.names import short
from f0ci.promotion.policy import policy_at
from f0ci.promotion.site import Site
from f0ci.promotion.state import IllegalEvent, Promotion, advance
from f0ci.promotion.statements import verify_statement


@dataclass(frozen=True, slots=True)
class Tampering:
    """Something in a history that cannot have come about by itself.

    Attributes:
        kind: stable name, such as `history-rewritten`.
        place: ref, and event or commit.
        message: what is wrong.
    """

    kind: str
    place: str
    message: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a verification found.

    Attributes:
        findings: what is wrong.
        ledgers: events checked, by ref.
        commits: environment commits checked.
        approvals: signatures checked.
        anchor: what the answer is measured against.
    """

    findings: tuple[Tampering, ...]
    ledgers: dict[str, int]
    commits: int
    approvals: int
    anchor: str


def verify_history(site: Site) -> AuditReport:
    """Check every ledger and every environment's branch, as they lie in this clone."""
    findings: list[Tampering] = []
    ledgers: dict[str, tuple[Event, ...]] = {}
    commits = approvals = 0
    for name in site.store.environment_names():
        ref = site.names.ledger(name)
        tip = site.refs.read(ref)
        events = _check_ledger(site, ref, tip, findings)
        ledgers[ref] = events
        promotions = _check_order(ref, events, findings)
        commits += _check_branch(site, name, events, findings)
        for promotion in promotions:
            approvals += _check_promotion(site, ref, promotion, findings)
    ref = site.names.workflow_ledger
    ledgers[ref] = _check_ledger(site, ref, site.refs.read(ref), findings)
    findings.extend(_check_quotes(site, ledgers))
    counts = {ref: len(events) for ref, events in ledgers.items()}
    return AuditReport(
        tuple(findings),
        counts,
        commits,
        approvals,
        "the tips that other ledgers quote; a truncation that none of them quotes is not detectable",
    )


def _check_ledger(site: Site, ref: str, tip: str | None, findings: list[Tampering]) -> tuple[Event, ...]:
    """Check that a ledger's history is linear, that commits only add files, and that every file is an event."""
    if tip is None:
        return ()
    history = list(reversed(site.repository.log(tip)))
    seen: dict[str, str] = {}
    for commit in history:
        place = f"{ref}@{commit.oid[:10]}"
        if len(commit.parents) > 1:
            findings.append(
                Tampering("history-not-linear", place, "a merge; ledgers are appended to one commit at a time")
            )
        files = {entry.path: entry.oid for entry in site.repository.list_files(commit.oid)}
        for path, oid in seen.items():
            if path not in files:
                findings.append(Tampering("event-deleted", place, f"{path} was deleted"))
            elif files[path] != oid:
                findings.append(Tampering("event-edited", place, f"{path} was edited"))
        seen = files
    blobs = site.repository.read_blobs(seen.values())
    events = []
    for path, oid in sorted(seen.items()):
        try:
            events.append(parse_event(path, blobs[oid]))
        except InputError as error:
            findings.append(Tampering("event-invalid", f"{ref}:{path}", error.message))
    return tuple(sorted(events, key=lambda event: event.position))


def _check_order(ref: str, events: tuple[Event, ...], findings: list[Tampering]) -> tuple[Promotion, ...]:
    """Check that positions are gapless and that the state machine allows every event."""
    promotions: dict[str, Promotion] = {}
    for index, event in enumerate(events):
        if event.position != index:
            findings.append(
                Tampering(
                    "event-missing",
                    f"{ref}:{event.path}",
                    f"position {event.position} stands where {index} is due",
                )
            )
            break
    for event in events:
        if event.kind in STANDING:
            continue
        try:
            promotions[event.promotion] = advance(promotions.get(event.promotion), event)
        except IllegalEvent as error:
            findings.append(Tampering("event-not-allowed", f"{ref}:{event.path}", error.message))
    return tuple(promotions.values())


def _check_branch(site: Site, name: str, events: tuple[Event, ...], findings: list[Tampering]) -> int:
    """Check that every commit of an environment's branch is explained by an event, and every event by a commit."""
    ref = site.names.environment(name)
    tip = site.refs.read(ref)
    changes = [event for event in events if event.kind in {"applied", "rolled_back", "repair"}]
    explained = {str(event.data["commit"]): event for event in changes}
    history = list(site.repository.log(tip)) if tip else []
    for commit in history:
        event = explained.get(commit.oid)
        place = f"{ref}@{commit.oid[:10]}"
        if event is None:
            findings.append(Tampering("environment-edited", place, f"no event explains this commit by {commit.author}"))
        elif event.data["tree"] != commit.tree:
            findings.append(Tampering("tree-differs", place, f"{event.path} names another tree"))
        elif (event.data.get("parent") or None) != (commit.parents[0] if commit.parents else None):
            findings.append(Tampering("parent-differs", place, f"{event.path} names another parent"))
    present = {commit.oid for commit in history}
    for oid, event in explained.items():
        if oid not in present:
            findings.append(
                Tampering(
                    "environment-rewritten",
                    f"{ref}@{oid[:10]}",
                    f"the commit of {event.path} is no longer on the branch",
                )
            )
    if changes and history and history[0].oid != changes[-1].data["commit"] and history[0].oid in explained:
        findings.append(
            Tampering(
                "environment-rewritten",
                ref,
                f"the branch ends at {history[0].oid[:10]}, the ledger at {changes[-1].data['commit'][:10]}",
            )
        )
    return len(history)


def _check_promotion(site: Site, ref: str, promotion: Promotion, findings: list[Tampering]) -> int:
    """Check a promotion's plan digests, signatures, and that its gates stood where they had to."""
    place = f"{ref}:{promotion.id}"
    findings.extend(
        Tampering("plan-edited", f"{ref}:{event.path}", "the plan does not have the digest that is recorded")
        for event in promotion.events
        if event.kind in {"requested", "replanned"} and digest(event.data["plan"]) != event.data["digest"]
    )
    for change in promotion.applied:
        steps: list[dict[str, Any]] = promotion.plan["steps"]
        if change.step >= 0 and (change.step >= len(steps) or steps[change.step]["tree"] != change.tree):
            findings.append(
                Tampering("tree-not-planned", place, f"step {change.step} holds a tree that was not planned")
            )
    if not promotion.plan["gates"] and not promotion.statements:
        return 0
    try:
        policy = policy_at(site, str(promotion.plan["policy"]["commit"]), promotion.environment)
    except F0ciError as error:
        findings.append(
            Tampering("policy-missing", place, f"the policy it was judged by cannot be read: {error.message}")
        )
        return 0
    for path, oid in promotion.plan["policy"]["blobs"].items():
        if policy.blobs.get(path) != oid:
            findings.append(
                Tampering("policy-smuggled", place, f"the plan names a {path} that its policy commit does not hold")
            )
    checked = 0
    approved: set[str] = set()
    for event in promotion.statements:
        checked += 1
        try:
            verified = verify_statement(event, policy.approvers)
        except ValueError as error:
            findings.append(Tampering("approval-forged", f"{ref}:{event.path}", str(error)))
            continue
        if verified.problem is not None:
            findings.append(Tampering("approval-forged", f"{ref}:{event.path}", verified.problem))
        elif event.kind == "approved" and verified.statement.digest == promotion.digest:
            approved.add(verified.statement.approver)
    if promotion.applied:
        findings.extend(_check_quorum(site, place, promotion, policy, approved))
    return checked


def _check_quorum(site: Site, place: str, promotion: Promotion, policy: Any, approved: set[str]) -> Iterator[Tampering]:
    from f0ci.promotion.judging import authors_of
    from f0ci.promotion.promoting import running_commit
    from f0ci.promotion.state import EnvironmentState

    bound = [(gate["kind"], gate["settings"]) for gate in promotion.plan["gates"]]
    if promotion.purpose == "promote" and bound != [(gate.kind, dict(gate.settings)) for gate in policy.gates]:
        yield Tampering("policy-smuggled", place, "the plan's gates are not those of its policy")
    for kind, settings in bound:
        if kind != "approval":
            continue
        counted = approved & policy.approvers.members(tuple(settings.get("groups", ())))
        if settings.get("not_author", True):
            authors = authors_of(
                site,
                promotion,
                running_commit(site, EnvironmentState(promotion.environment, promotions=(promotion,)), promotion),
            )
            counted -= {person for person in map(policy.approvers.person_of, authors) if person}
        wanted = int(settings.get("count", 1))
        if len(counted) < wanted:
            yield Tampering(
                "quorum-not-met",
                place,
                f"{len(counted)} of {wanted} valid approvals of plan {short(promotion.digest)}, yet it was applied",
            )


def _check_quotes(site: Site, ledgers: dict[str, tuple[Event, ...]]) -> Iterator[Tampering]:
    """Check that every ledger still holds the tips that decisions in other ledgers quote."""
    for events in ledgers.values():
        for event in events:
            for name, quoted in (event.data.get("ledgers") or {}).items():
                other = site.names.workflow_ledger if name == "_workflow" else site.names.ledger(name)
                if quoted is None:
                    continue
                now = site.refs.read(other)
                if now is None or not site.repository.is_ancestor(quoted, now):
                    yield Tampering(
                        "history-rewritten",
                        f"{other}@{quoted[:10]}",
                        f"{event.path} saw this tip, which the ledger no longer holds",
                    )
