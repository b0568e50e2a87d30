"""Checking a history from a clone, offline: everything that a ledger promises is looked at again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from f0ci.core.errors import CannotWork, InputError
from f0ci.promotion.audit.anchors import Anchors, holds
from f0ci.promotion.audit.branches import check_branch
from f0ci.promotion.audit.decisions import check_decisions
from f0ci.promotion.audit.findings import Tampering
from f0ci.promotion.audit.freshness import check_fresh
from f0ci.promotion.audit.lifts import check_lifts
from f0ci.promotion.audit.plans import Whole
from f0ci.promotion.audit.reading_ahead import read_ahead
from f0ci.promotion.audit.releases import check_releases
from f0ci.promotion.audit.timelines import Timeline
from f0ci.promotion.events import WORKFLOW_EVENTS, Event, misplaced, parse_event
from f0ci.promotion.folding import IllegalEvent
from f0ci.promotion.names import short
from f0ci.promotion.site import Site

if TYPE_CHECKING:
    from f0ci.git.repository import CommitInfo

__all__ = ["AuditReport", "Tampering", "verify_history"]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a verification found.

    Attributes:
        findings: what is wrong.
        ledgers: events checked, by ref.
        commits: environment commits checked.
        approvals: signatures checked.
        anchor: what the answer is measured against.
        unanchored: newest events of each ledger that nothing else knows of, by ref, where there are any: cutting them
            off would leave no trace.
    """

    findings: tuple[Tampering, ...]
    ledgers: Mapping[str, int]
    commits: int
    approvals: int
    anchor: str
    unanchored: Mapping[str, int] = field(default_factory=dict)


def verify_history(site: Site, *, online: bool, since: Sequence[str] = ()) -> AuditReport:
    """Check every ledger, every environment's branch and every release, as they lie in this clone.

    Args:
        site: the repository.
        online: what is missing may be fetched, and the default branch be asked for.
        since: ids of ledger tips that are known from elsewhere.

    Raises:
        CannotWork: the clone is shallow and nothing may be fetched.
    """
    if site.repository.is_shallow():
        if not online:
            raise CannotWork(
                "this clone is shallow: what it lacks cannot be verified",
                f"git fetch --unshallow {site.refs.remote or ''}".rstrip() + ", or leave out --offline",
            )
        site.refs.complete_history()
    default = site.store.default_tip() if online or site.refs.remote is None else None
    findings: list[Tampering] = list(check_releases(site))
    ledgers: dict[str, tuple[Event, ...]] = {}
    commits = approvals = 0
    anchored: dict[str, int] = {}
    counts: dict[str, dict[str, int]] = {}
    timelines: dict[str, Timeline] = {}
    names = site.store.environment_names()
    for name in (*names, WORKFLOW_EVENTS):
        ref = site.names.workflow_ledger if name == WORKFLOW_EVENTS else site.names.ledger(name)
        before = len(findings)
        ledgers[ref], counts[ref] = _check_ledger(site, ref, name, findings)
        if len(findings) > before:
            # only what is sound is what its tip says at each of its commits
            counts[ref] = {}
        elif name != WORKFLOW_EVENTS:
            with suppress(IllegalEvent):
                timelines[name] = Timeline(name, ledgers[ref], counts[ref])
    read_ahead(site, {name: ledgers[site.names.ledger(name)] for name in names})
    whole = Whole(frozenset((release.digest, release.commit) for release in site.releases()), timelines)
    for name in names:
        ref = site.names.ledger(name)
        promotions, checked = check_decisions(site, ref, name, ledgers[ref], default, whole, findings)
        approvals += checked
        count, anchored[ref] = check_branch(site, name, ledgers[ref], promotions, findings)
        commits += count
    stopped = site.names.workflow_ledger
    for event in ledgers[stopped]:
        approvals += "signature" in event.data
    findings.extend(check_fresh(ledgers, counts))
    findings.extend(check_lifts(site, stopped, ledgers[stopped], default, whole))
    for finding, ref, held in _check_quotes(site, ledgers, counts):
        findings.extend(finding)
        anchored[ref] = max(anchored.get(ref, 0), held)
    anchors = Anchors(site, counts)
    for finding, ref, held in anchors.check(since):
        findings.extend(finding)
        anchored[ref] = max(anchored.get(ref, 0), held)
    described = anchors.described(since)
    if not findings:
        anchors.keep()
    sizes = {ref: len(events) for ref, events in ledgers.items()}
    return AuditReport(
        tuple(dict.fromkeys(findings)),
        sizes,
        commits,
        approvals,
        described,
        {ref: count - anchored.get(ref, 0) for ref, count in sizes.items() if count > anchored.get(ref, 0)},
    )


def _check_ledger(
    site: Site, ref: str, environment: str, findings: list[Tampering]
) -> tuple[tuple[Event, ...], dict[str, int]]:
    """Check that a ledger's history is linear, that commits only add files, and that every file is an event.

    Returns:
        Its events in order, and how many of them each of its commits holds.
    """
    tip = site.refs.read(ref)
    if tip is None:
        return (), {}
    counts: dict[str, int] = {}
    history = tuple(reversed(site.repository.log(tip)))
    changes = _changes(site, history)
    entries = site.repository.list_files(tip)
    blobs = site.repository.read_blobs(entry.oid for entry in entries if entry.is_file)
    events: dict[str, Event] = {}
    for entry in entries:
        try:
            event = parse_event(entry.path, blobs.get(entry.oid, b""), mode=entry.mode)
        except InputError as error:
            findings.append(Tampering("event-invalid", f"{ref}:{entry.path}", error.message))
            continue
        events[entry.path] = event
        stray = misplaced(event, environment)
        if stray is not None:
            findings.append(Tampering("event-misplaced", f"{ref}:{entry.path}", stray))
    due = 0
    for commit in history:
        findings.extend(_check_commit(ref, commit, changes[commit.oid], events, due))
        due += sum(status == "A" for status, _ in changes[commit.oid])
        counts[commit.oid] = due
    ordered = tuple(sorted(events.values(), key=lambda event: event.position))
    findings.extend(_check_positions(ref, ordered))
    return ordered, counts


def _check_commit(
    ref: str, commit: CommitInfo, changes: Sequence[tuple[str, str]], events: Mapping[str, Event], due: int
) -> Iterator[Tampering]:
    """Check one commit of a ledger: it adds events, the next ones, of the one who commits, and does nothing else."""
    place = f"{ref}@{commit.oid[:10]}"
    if len(commit.parents) > 1:
        yield Tampering("history-not-linear", place, "a merge; ledgers are appended to one commit at a time")
    added = sorted((events[path] for status, path in changes if status == "A" and path in events), key=_position)
    for status, path in changes:
        if status == "D":
            yield Tampering("event-deleted", place, f"{path} was deleted by {commit.committer}")
        elif status != "A":
            yield Tampering("event-edited", place, f"{path} was edited by {commit.committer}")
    if not changes:
        yield Tampering("commit-foreign", place, f"{commit.committer} committed without adding an event")
    for position, event in enumerate(added, start=due):
        if event.position < position:
            yield Tampering(
                "event-inserted",
                place,
                f"{event.path} has position {event.position}, although {position} events were there before it",
            )
    for event in added:
        if event.actor != str(commit.committer):
            yield Tampering("actor-forged", place, f"{event.path} names {event.actor}, committed by {commit.committer}")


def _changes(site: Site, history: Sequence[CommitInfo]) -> dict[str, list[tuple[str, str]]]:
    """Return what each commit does to files, as (`A`, `M`, `T` or `D`, path), read in one call."""
    changes: dict[str, list[tuple[str, str]]] = {commit.oid: [] for commit in history}
    asked = "".join(f"{oid}\n" for oid in changes).encode()
    options = ("--stdin", "--root", "-r", "-m", "--first-parent", "--no-renames", "--raw")
    current: list[tuple[str, str]] = []
    for line in site.repository.run("-c", "core.quotePath=false", "diff-tree", *options, input=asked).text.splitlines():
        if not line.startswith(":"):
            current = changes[line.split(" ")[0]]
            continue
        head, _, path = line.partition("\t")
        current.append((head.rsplit(" ", 1)[1][0], path))
    return changes


def _check_positions(ref: str, events: Sequence[Event]) -> Iterator[Tampering]:
    for index, event in enumerate(events):
        if event.position != index:
            what = "stands twice" if event.position < index else f"stands where {index} is due"
            yield Tampering("event-missing", f"{ref}:{event.path}", f"position {event.position} {what}")
            return


def _check_quotes(
    site: Site, ledgers: Mapping[str, Sequence[Event]], counts: Mapping[str, Mapping[str, int]]
) -> Iterator[tuple[tuple[Tampering, ...], str, int]]:
    """Check that every ledger still holds the tips that decisions in others quote, and say how much of it they prove.

    Yields:
        Findings, the ref of a ledger that is quoted, and how many of its events the quoted tip holds.
    """
    sizes: dict[str, int] = {}
    for ref, events in ledgers.items():
        for event in events:
            for name, quoted in _quotes(event):
                if quoted is None:
                    continue
                other = _ledger_named(site, name)
                signed = "signature" in event.data
                if other is not None and quoted in counts.get(other, {}):
                    if other != ref or signed:
                        # what a person signed cannot be made to fit a ledger that was cut off before it
                        yield (), other, counts[other][quoted]
                    continue
                now = site.refs.read(other) if other else None
                if other is None or now is None or not holds(site, quoted, now):
                    yield (_rewritten(other or name, quoted, event),), other or name, 0
                elif other != ref:
                    if quoted not in sizes:
                        sizes[quoted] = len(site.repository.list_files(quoted))
                    yield (), other, sizes[quoted]


def _quotes(event: Event) -> Iterator[tuple[str, str | None]]:
    """Yield which ledgers an event quotes, at which tips: a decision all that it read, an approver what they saw."""
    yield from (event.data.get("ledgers") or {}).items()
    statement = event.data.get("statement")
    if isinstance(statement, Mapping) and statement.get("ledger"):
        yield event.environment, str(statement["ledger"])


def _ledger_named(site: Site, name: str) -> str | None:
    try:
        return site.names.workflow_ledger if name == WORKFLOW_EVENTS else site.names.ledger(name)
    except InputError:
        return None


def _rewritten(ref: str, quoted: str, event: Event) -> Tampering:
    message = f"{event.path} of {event.environment!r} saw this tip, which the ledger no longer holds"
    return Tampering("history-rewritten", f"{ref}@{short(quoted)}", message)


def _position(event: Event) -> int:
    return event.position
