"""Checking an environment's branch against its ledger: every commit has its event, every event its commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from f0ci.promotion.audit.findings import Tampering
from f0ci.promotion.audit.repairs import check_repairs, is_change
from f0ci.promotion.events import Event
from f0ci.promotion.site import Site
from f0ci.promotion.state import Promotion

if TYPE_CHECKING:
    from f0ci.git.repository import CommitInfo


def check_branch(
    site: Site,
    environment: str,
    events: Sequence[Event],
    promotions: Mapping[str, Promotion],
    findings: list[Tampering],
) -> tuple[int, int]:
    """Check an environment's branch.

    Returns:
        How many commits were checked, and how many events of the ledger the branch proves.
    """
    ref = site.names.environment(environment)
    tip = site.refs.read(ref)
    history = tuple(site.repository.log(tip)) if tip else ()
    changes = [event for event in events if is_change(event)]
    explained = {str(event.data["commit"]): event for event in changes}
    undone = {oid for event in changes for oid in event.data.get("undoes", ())}
    findings.extend(check_repairs(site, ref, events, tip))
    announced = {
        str(intent["commit"]): promotion
        for promotion in promotions.values()
        if promotion.is_active
        for intent in promotion.intents
    }
    for commit in history:
        event = explained.get(commit.oid)
        if event is not None:
            findings.extend(_check_commit(ref, commit, event, promotions))
        elif commit.oid not in announced and commit.oid not in undone:
            who = f"no event explains this commit by {commit.committer}"
            findings.append(Tampering("environment-edited", f"{ref}@{commit.oid[:10]}", who))
    present = {commit.oid for commit in history}
    for oid, event in explained.items():
        if oid not in present:
            gone = f"the commit of {event.path} is no longer on the branch"
            findings.append(Tampering("environment-rewritten", f"{ref}@{oid[:10]}", gone))
    if changes and history and history[0].oid in explained and history[0].oid != changes[-1].data["commit"]:
        differs = f"the branch ends at {history[0].oid[:10]}, the ledger at {changes[-1].data['commit'][:10]}"
        findings.append(Tampering("environment-rewritten", ref, differs))
    proven = [event.position + 1 for oid, event in explained.items() if oid in present]
    return len(history), max(proven, default=0)


def _check_commit(
    ref: str,
    commit: CommitInfo,
    event: Event,
    promotions: Mapping[str, Promotion],
) -> Iterator[Tampering]:
    """Check that a commit of the branch is what its event says."""
    place = f"{ref}@{commit.oid[:10]}"
    if event.data["tree"] != commit.tree:
        yield Tampering("tree-differs", place, f"{event.path} names another tree")
    parents = (event.data["parent"],) if event.data.get("parent") else ()
    if commit.parents != (tuple(event.data["parents"]) if event.kind == "repair" else parents):
        yield Tampering("parent-differs", place, f"{event.path} names another parent")
    if event.kind == "repair":
        return
    promotion = promotions.get(event.promotion)
    if promotion is None:
        return
    # the plan in force then: a plan may be made again until the first change
    planned = [
        one for one in promotion.events if one.position < event.position and one.kind in {"requested", "replanned"}
    ]
    said = dict(commit.trailers)
    wanted = {
        "F0-Promotion": event.promotion,
        "F0-Release": str(event.data.get("to", promotion.release)),
        "F0-Plan": str(planned[-1].data["digest"]) if planned else "",
    }
    for trailer, value in wanted.items():
        if said.get(trailer) != value:
            yield Tampering(
                "plan-edited",
                place,
                f"the commit was made with {trailer} {str(said.get(trailer))[:12]!r}, the ledger says {value[:12]!r}",
            )
