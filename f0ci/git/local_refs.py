"""Changing refs of this repository in one transaction, where there is no remote."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from f0ci.core.errors import GitError
from f0ci.git.answers import in_the_way
from f0ci.git.process import git_says
from f0ci.git.updates import PushOutcome, RefUpdate

if TYPE_CHECKING:
    from f0ci.git.repository import Repository

_ATTEMPTS = 5
_IN_THE_WAY = re.compile(r"exists; cannot create", re.IGNORECASE)
_RACE = re.compile(
    r"cannot lock ref|reference already exists|but expected|unable to resolve|file exists", re.IGNORECASE
)


def update_refs(repository: Repository, changes: Sequence[RefUpdate], pause: Callable[[int], None]) -> PushOutcome:
    """Change refs if each is still what its update says, all of them or none.

    Args:
        repository: whose refs.
        changes: what is to change.
        pause: waits before the numbered next attempt, where another process held a lock.

    Raises:
        GitError: a branch is checked out, another one is in the way, or the refs cannot be written.
    """
    content = "".join(f"{line}\n" for line in ("start", *map(_command, changes), "prepare", "commit")).encode()
    failure: GitError | None = None
    for attempt in range(1, _ATTEMPTS + 1):
        _check_not_checked_out(repository, changes)
        answer = repository.run(
            "-c", f"core.hooksPath={os.devnull}", "update-ref", "-m", "f0ci", "--stdin", input=content, check=False
        )
        if answer.code == 0:
            return PushOutcome.APPLIED
        if _IN_THE_WAY.search(answer.err):
            raise in_the_way(changes[0].ref, git_says(answer.err), "this repository")
        failure = GitError(
            f"git cannot change the refs: {git_says(answer.err)}", "check the repository with `git fsck`"
        )
        now = _read(repository, changes)
        if any(now.get(change.ref) != change.old for change in changes):
            return PushOutcome.LOST_RACE
        if not _RACE.search(answer.err):
            break
        # nobody moved the refs: another process only held a lock
        pause(attempt)
    raise failure or GitError("git cannot change the refs")


def _command(change: RefUpdate) -> str:
    if change.old == change.new:
        # verify without a value means that the ref must not exist
        return f"verify {change.ref} {change.old or ''}".rstrip()
    if change.new is None:
        return f"delete {change.ref} {change.old}"
    if change.old is None:
        return f"create {change.ref} {change.new}"
    return f"update {change.ref} {change.new} {change.old}"


def _read(repository: Repository, changes: Sequence[RefUpdate]) -> dict[str, str]:
    names = [change.ref for change in changes]
    listed = repository.run("for-each-ref", "--format=%(refname) %(objectname)", *names).text
    return dict(line.split(" ", 1) for line in listed.splitlines())


def _check_not_checked_out(repository: Repository, changes: Sequence[RefUpdate]) -> None:
    names = [change.ref for change in changes if change.ref.startswith("refs/heads/")]
    if not names:
        return
    listed = repository.run("for-each-ref", "--format=%(refname)%00%(worktreepath)", *names).text
    for line in listed.splitlines():
        ref, _, folder = line.partition("\0")
        if folder and ref in names:
            branch = ref.removeprefix("refs/heads/")
            raise GitError(f"branch {branch!r} is checked out in {folder!r}", "switch to another branch there")
