"""Which branch is a repository's default one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from f0ci.git.repository import Repository


def default_branch(repository: Repository, remote: str | None) -> str | None:
    """Return the default branch as a full ref name that can be read here, None when it is not known."""
    if remote is None:
        return _local(repository)
    name = _head_name(repository, remote)
    if name is None:
        return None
    candidates = (f"refs/f0ci/{remote}/heads/{name}", f"refs/remotes/{remote}/{name}")
    return next((ref for ref in candidates if repository.commit_of(ref)), None)


def _head_name(repository: Repository, remote: str) -> str | None:
    """Return the short name of a remote's default branch: as this clone remembers it, else as the remote says."""
    known = repository.run("symbolic-ref", "--quiet", f"refs/remotes/{remote}/HEAD", check=False)
    if known.code == 0:
        return known.text.removeprefix(f"refs/remotes/{remote}/")
    from f0ci.git.refs import RefStore

    return RefStore(repository, remote).default_branch_name()


def _local(repository: Repository) -> str | None:
    head = repository.run("symbolic-ref", "--quiet", "HEAD", check=False)
    names = [repository.config("init.defaultBranch"), "main", "master"]
    candidates = [f"refs/heads/{name}" for name in names if name]
    if head.code == 0:
        candidates.append(head.text)
    return next((ref for ref in candidates if repository.commit_of(ref)), None)
