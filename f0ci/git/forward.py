"""Branches only move forward."""

from __future__ import annotations

from collections.abc import Iterable

from f0ci.core.errors import GitError
from f0ci.git.repository import Repository
from f0ci.git.updates import RefUpdate


def check_forward(repository: Repository, changes: Iterable[RefUpdate]) -> None:
    """Check that no branch would be rewritten.

    Raises:
        GitError: one would.
    """
    for change in changes:
        if change.old is None or change.new in {None, change.old} or not change.ref.startswith("refs/heads/"):
            continue
        if not repository.is_ancestor(change.old, change.new or ""):
            raise GitError(
                f"{change.ref!r} would be rewritten: {str(change.new)[:12]} does not build on {change.old[:12]}",
                "make the commit on the branch's tip",
            )


def has_landed(repository: Repository, change: RefUpdate, now: str | None) -> bool:
    """Tell whether a change is there, or somebody built on it before anyone could look.

    Args:
        repository: where the objects are.
        change: what was asked for.
        now: what the ref is.
    """
    if now == change.new:
        return True
    if now is None or change.new is None or not change.ref.startswith("refs/heads/"):
        return False
    return repository.is_ancestor(change.new, now)
