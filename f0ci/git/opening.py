"""Finding the repository that a folder belongs to."""

from __future__ import annotations

from pathlib import Path

from f0ci.core.errors import GitError
from f0ci.git.process import git_says, run_git


def locate(path: Path) -> tuple[Path, Path | None]:
    """Return a repository's Git folder and the top of its work tree, None where it is bare.

    Raises:
        GitError: there is no repository, Git does not trust it, or there is no git executable.
    """
    if not path.is_dir():
        raise GitError(f"there is no folder {str(path)!r}", "name a folder inside a Git repository")
    asked = ("--absolute-git-dir", "--is-bare-repository", "--is-inside-work-tree", "--show-cdup")
    answer = run_git(["rev-parse", *asked], folder=path)
    if answer.code != 0:
        raise _cannot_open(path, answer.err)
    git_dir, bare, inside_work_tree, *way_up = answer.text.split("\n")
    if inside_work_tree == "true":
        return Path(git_dir), (path / "".join(way_up)).resolve()
    if bare != "true":
        raise GitError(f"{str(path)!r} lies inside a '.git' folder", "run the command in the repository's work tree")
    return Path(git_dir), None


def _cannot_open(path: Path, err: str) -> GitError:
    if "dubious ownership" in err:
        return GitError(
            f"git does not trust the repository at {str(path)!r}, which belongs to somebody else",
            f"git config --global --add safe.directory {path.resolve()}",
        )
    if "not a git repository" in err:
        return GitError(
            f"{str(path)!r} is not in a Git repository", "make one with `git init`, or run the command in one"
        )
    return GitError(f"git cannot open {str(path)!r}: {git_says(err)}", "look at it with `git status` and `git fsck`")
