"""Which branch is a repository's default one, and which are f0ci's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f0ci.core.errors import CannotWork

if TYPE_CHECKING:
    from f0ci.git.repository import Repository

# branches that f0ci writes begin so, see "What lies in Git" in docs/architecture.md
OWN_BRANCHES = ("env/", "f0ci/ledger/")


def refuse_own_branch(repository: Repository) -> None:
    """Refuse to work where a branch is checked out that f0ci writes itself: what people write is on others.

    Raises:
        CannotWork: one is.
    """
    answer = repository.run("symbolic-ref", "--short", "--quiet", "HEAD", check=False)
    branch = answer.text.strip()
    if answer.code == 0 and branch.startswith(OWN_BRANCHES):
        raise CannotWork(
            f"the branch {branch!r} is checked out, which f0ci writes and people only read",
            "go back to one of yours first, such as `git switch main`",
        )


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
