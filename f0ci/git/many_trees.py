"""The files of many commits, read in a few calls: what they share is read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from f0ci.git.commit_tree import CommitTree
from f0ci.git.objects import FOLDER_MODE, LINK_MODE, TreeEntry, parse_batch, parse_tree_object

if TYPE_CHECKING:
    from f0ci.git.repository import Repository

# how many commits are held at once, content and all
_AT_ONCE = 500


def read_trees(repository: Repository, commits: Iterable[str]) -> Iterator[tuple[str, CommitTree]]:
    """Yield each commit that is there with its files, content included; content is let go of a while later.

    Raises:
        GitError: an object is missing.
    """
    wanted = list(dict.fromkeys(commits))
    folders: dict[str, dict[str, TreeEntry]] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        roots = dict(_roots(repository, some))
        _read_folders(repository, roots.values(), folders)
        listed = {commit: _files(root, folders) for commit, root in roots.items()}
        content = repository.read_blobs(entry.oid for files in listed.values() for entry in files.values())
        for commit, root in roots.items():
            tree = CommitTree(repository, root, f"commit {commit!r}")
            tree.preload(listed[commit], content)
            yield commit, tree


def _roots(repository: Repository, commits: list[str]) -> Iterator[tuple[str, str]]:
    asked = "".join(f"{commit}^{{tree}}\n" for commit in commits).encode()
    answers = repository.run("cat-file", "--batch-check", input=asked).text.splitlines()
    for commit, answer in zip(commits, answers, strict=True):
        words = answer.split(" ")
        if words[1] == "tree":
            yield commit, words[0]


def _read_folders(repository: Repository, roots: Iterable[str], folders: dict[str, dict[str, TreeEntry]]) -> None:
    """Read trees, and those in them, level by level."""
    level = {oid for oid in roots if oid not in folders}
    while level:
        oids = sorted(level)
        raw = repository.run("cat-file", "--batch", input="".join(f"{oid}\n" for oid in oids).encode()).out
        level = set()
        for oid, answer in zip(oids, parse_batch(raw, len(oids)), strict=True):
            folders[oid] = parse_tree_object(answer[2], len(oid) // 2) if answer else {}
            level |= {entry.oid for entry in folders[oid].values() if entry.mode == FOLDER_MODE}
        level -= folders.keys()


def _files(root: str, folders: Mapping[str, Mapping[str, TreeEntry]]) -> dict[str, TreeEntry]:
    listed = sorted(_walk(root, folders), key=lambda entry: entry.path.split("/"))
    return {entry.path: entry for entry in listed if entry.is_file or entry.mode == LINK_MODE}


def _walk(root: str, folders: Mapping[str, Mapping[str, TreeEntry]], start: str = "") -> Iterator[TreeEntry]:
    for name, entry in folders[root].items():
        if entry.mode == FOLDER_MODE:
            yield from _walk(entry.oid, folders, f"{start}{name}/")
        else:
            yield TreeEntry(entry.mode, entry.oid, start + name)
