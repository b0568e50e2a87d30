"""Reading which commits led to which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from f0ci.core.errors import GitError
from f0ci.git.objects import LOG_FORMAT, CommitInfo, parse_log
from f0ci.git.process import failed

if TYPE_CHECKING:
    from f0ci.git.repository import Repository

# what the user's settings would add to the output or follow beyond a path
_PLAIN = ("-c", "log.showSignature=false", "-c", "log.follow=false")
_SHAPE = ("-z", "--topo-order", "--no-patch", "--no-color", "--encoding=UTF-8", f"--format=tformat:{LOG_FORMAT}")


def log(repository: Repository, revisions: str, paths: Sequence[str]) -> tuple[CommitInfo, ...]:
    """Return the commits of a range; see `Repository.log`."""
    words = revisions.split()
    if not words or any(word.startswith("-") for word in words):
        raise GitError(f"{revisions!r} is not a range of commits", "write it as 'a..b'")
    limit = [f":(top,literal){path}" for path in paths]
    return parse_log(repository.run(*_PLAIN, "log", *_SHAPE, *words, "--", *limit).out)


def read_log(repository: Repository, tips: Iterable[str]) -> tuple[CommitInfo, ...]:
    """Return every commit that leads to some commits, children before parents, read in one call."""
    asked = "".join(f"{tip}\n" for tip in dict.fromkeys(tips)).encode()
    return parse_log(repository.run(*_PLAIN, "log", *_SHAPE, "--stdin", input=asked).out) if asked else ()


def is_ancestor(repository: Repository, ancestor: str, descendant: str) -> bool:
    """Tell whether one commit is reachable from another; see `Repository.is_ancestor`."""
    answer = repository.run("merge-base", "--is-ancestor", ancestor, descendant, check=False)
    if answer.code not in {0, 1}:
        raise failed(("merge-base",), answer)
    return answer.code == 0


def merge_base(repository: Repository, one: str, other: str) -> str | None:
    """Return a newest common ancestor; see `Repository.merge_base`."""
    answer = repository.run("merge-base", one, other, check=False)
    if answer.code not in {0, 1}:
        raise failed(("merge-base",), answer)
    return answer.text or None
