"""Many questions about which commits led to which, answered from one reading of the history."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import TYPE_CHECKING

from f0ci.git.history import read_log

if TYPE_CHECKING:
    from f0ci.git.objects import CommitInfo
    from f0ci.git.repository import Repository


class CommitGraph:
    """The history of some commits.

    Args:
        repository: where they are.
        tips: ids of commits; what cannot be reached from any of them is not known.
    """

    def __init__(self, repository: Repository, tips: Iterable[str]) -> None:
        commits = read_log(repository, tips)
        self._commits = {commit.oid: commit for commit in commits}
        # children before parents
        self._order = {commit.oid: index for index, commit in enumerate(commits)}

    def knows(self, *oids: str) -> bool:
        """Tell whether all of some commits are known."""
        return all(oid in self._commits for oid in oids)

    def between(self, old: str | None, new: str) -> tuple[CommitInfo, ...]:
        """Return the commits that one leads to and another does not, as `old..new`; all of them without an old one."""
        found: list[CommitInfo] = []
        gone = {old} if old else set()
        queued = {new, *gone}
        queue = sorted((self._order[oid], oid) for oid in queued)
        left = sum(oid not in gone for oid in queued)
        while left:
            _, oid = heapq.heappop(queue)
            is_gone = oid in gone
            if not is_gone:
                left -= 1
                found.append(self._commits[oid])
            for parent in self._commits[oid].parents:
                if parent not in self._commits:
                    continue
                if is_gone and parent in queued and parent not in gone:
                    left -= 1
                if is_gone:
                    gone.add(parent)
                if parent not in queued:
                    queued.add(parent)
                    heapq.heappush(queue, (self._order[parent], parent))
                    left += not is_gone
        return tuple(found)
