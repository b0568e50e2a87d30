"""Checking repairs: each brings back the tree that was recorded before it, and undoes only what came before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from f0ci.promotion.audit.findings import Tampering
from f0ci.promotion.events import Event
from f0ci.promotion.site import Site

_CHANGES = frozenset({"applied", "rolled_back"})


def is_change(event: Event) -> bool:
    """Tell whether an event brought a commit onto the environment's branch."""
    return event.kind in _CHANGES or (event.kind == "repair" and "parents" in event.data)


def check_repairs(site: Site, ref: str, events: Sequence[Event], tip: str | None) -> Iterator[Tampering]:
    """Yield every repair that brings in something new, or excuses what it did not undo.

    Args:
        site: the repository.
        ref: the environment's branch.
        events: the environment's events, in order.
        tip: the branch's newest commit, or None.
    """
    before: Event | None = None
    for event in events:
        if event.kind == "repair":
            yield from _check(site, ref, event, before, tip)
        if is_change(event):
            before = event


def _check(site: Site, ref: str, event: Event, before: Event | None, tip: str | None) -> Iterator[Tampering]:
    place = f"{ref}@{event.data['commit'][:10]}"
    if before is None or event.data["tree"] != before.data["tree"]:
        yield Tampering("repair-differs", place, f"{event.path} brings a tree that the ledger did not have before it")
        return
    if not is_change(event):
        if event.data["commit"] != before.data["commit"]:
            yield Tampering("repair-differs", place, f"{event.path} names a commit that the ledger did not have")
        return
    commit = str(event.data["commit"])
    if site.repository.commit_of(commit) is None or tip is None:
        # that the commit is gone is said of the branch
        return
    for oid in event.data["undoes"]:
        if site.repository.commit_of(oid) is None or not site.repository.is_ancestor(oid, commit):
            yield Tampering("repair-differs", place, f"{event.path} excuses {oid[:10]}, which it did not undo")
