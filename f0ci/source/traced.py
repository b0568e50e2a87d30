"""A folder that notes what is asked of it, so that an answer worked out once can be told to be still right.

A question is a letter and a path: `r` what a file says, `e` whether there is one, `f` which files are below, `s` which
folders. What a file says is noted as the SHA-256 of its bytes.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from f0ci.core.errors import InputError
from f0ci.source.tree import Tree
from f0ci.source.worktree import WorkTree

Answer = TypeVar("Answer")
# device, inode, bytes, time of the last change of the content and of anything, in nanoseconds
Stamp = tuple[int, int, int, int, int]

# a file changed twice within the grain of the clock of its disk looks the same
_GRAIN_NS = 2_000_000_000


class TracedTree(WorkTree):
    """A work tree, and every question that was asked of it with its answer.

    Args:
        root: the folder.
        ignored: paths of files and folders to leave out.

    Attributes:
        answers: to every question asked so far.
        stamps: what the disk said of a file right before it was read, where that tells a later change.
        is_unsteady: True where two answers to one question differed: somebody is writing.
    """

    def __init__(self, root: Path, *, ignored: Collection[str] = ()) -> None:
        super().__init__(root, ignored=ignored)
        self.answers: dict[str, str] = {}
        self.stamps: dict[str, Stamp] = {}
        self.is_unsteady = False
        self._news: tuple[dict[str, str], dict[str, Stamp]] = ({}, {})
        self._listed: dict[str, tuple[str, ...]] = {}
        self._open: list[set[str]] = [set()]
        self._kept: dict[Hashable, tuple[Any, frozenset[str]]] = {}

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            MissingFile: there is no such file.
            InputError: it cannot be read, or it lies outside the folder.
        """
        question = f"r{path}"
        # the stamp comes first: what changes afterwards shows
        stamp = self.stamp(path)
        try:
            raw = super().read(path)
        except InputError as error:
            self._note(question, f"{type(error).__name__}: {error.message}")
            raise
        self._note(question, hashlib.sha256(raw).hexdigest())
        if stamp is not None:
            self.stamps[path] = self._news[1][path] = stamp
        return raw

    def exists(self, path: str) -> bool:
        """Tell whether there is a file at the path."""
        found = super().exists(path)
        self._note(f"e{path}", "1" if found else "")
        return found

    def files(self, prefix: str = "") -> Iterator[str]:
        """Yield the paths of all files below a folder, sorted as a walk meets them."""
        if prefix not in self._listed:
            self._listed[prefix] = tuple(super().files(prefix))
        found = self._listed[prefix]
        question = f"f{prefix}"
        self._note(question, self.answers.get(question) or _digest(found))
        return iter(found)

    def subfolders(self, folder: str) -> tuple[str, ...]:
        """Return the names of the folders right below a folder, sorted."""
        found = super().subfolders(folder)
        self._note(f"s{folder}", _digest(found))
        return found

    def ask(self, question: str) -> str:
        """Return the answer to a question, now."""
        asked, self._open = self._open, [set()]
        try:
            self._repeat(question[0], question[1:])
        except InputError:
            # noted as the answer
            pass
        finally:
            self._open = asked
        return self.answers[question]

    def asked_by(self, work: Callable[[], Answer]) -> tuple[Answer, frozenset[str]]:
        """Return what some work yields, and what it asked, directly or through what was remembered."""
        self._open.append(set())
        try:
            answer = work()
        finally:
            asked = self._open.pop()
            self._open[-1] |= asked
        return answer, frozenset(asked)

    def note_again(self, question: str) -> None:
        """Note a question that was asked and answered before."""
        self._open[-1].add(question)

    def remember(self, key: Hashable, work: Callable[[], Answer]) -> Answer:
        """Return what some work yields, done once; whoever asks again has asked what the work asked."""
        if key not in self._kept:
            self._kept[key] = self.asked_by(work)
        answer: Answer
        answer, asked = self._kept[key]
        self._open[-1] |= asked
        return answer

    def news(self) -> tuple[dict[str, str], dict[str, Stamp]]:
        """Return the answers and stamps that are new since the last call."""
        news, self._news = self._news, ({}, {})
        return news

    def learn(self, answers: Mapping[str, str], stamps: Mapping[str, Stamp]) -> None:
        """Take over what another process was answered."""
        for question, answer in answers.items():
            self._record(question, answer)
        self.stamps.update(stamps)

    def stamp(self, path: str) -> Stamp | None:
        """Return what the disk says of a plain file, or None where that would not tell a later change."""
        place = self._place(path)
        if place is None:
            return None
        try:
            found = os.lstat(place)
        except (OSError, ValueError):
            return None
        changed = max(found.st_mtime_ns, found.st_ctime_ns)
        if not stat.S_ISREG(found.st_mode) or changed > time.time_ns() - _GRAIN_NS:
            return None
        return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    @property
    def asked(self) -> frozenset[str]:
        """Every question that was asked here, but for what `ask` and `learn` brought."""
        return frozenset(self._open[0])

    def _repeat(self, kind: str, path: str) -> None:
        match kind:
            case "r":
                self.read(path)
            case "e":
                self.exists(path)
            case "f":
                self.files(path)
            case _:
                self.subfolders(path)

    def _note(self, question: str, answer: str) -> None:
        # thousands of files ask the same
        question = sys.intern(question)
        self._record(question, answer)
        self._open[-1].add(question)

    def _record(self, question: str, answer: str) -> None:
        known = self.answers.get(question)
        if known is None:
            self.answers[question] = self._news[0][question] = answer
        elif known != answer:
            self.is_unsteady = True


def remember(tree: Tree, kept: dict[Any, Any], key: Hashable, work: Callable[[], Answer]) -> Answer:
    """Return what some work on a tree yields, done once.

    Args:
        tree: what the work asks; where it is traced, it does the remembering.
        kept: what was worked out before, where it is not.
        key: names the work, the same for the same answer.
        work: asks the tree and nothing else that changes.
    """
    if isinstance(tree, TracedTree):
        return tree.remember((id(kept), key), work)
    if key not in kept:
        kept[key] = work()
    answer: Answer = kept[key]
    return answer


def recall(tree: Tree, path: str) -> None:
    """Note that what a file says is used, by somebody who has read it already."""
    if isinstance(tree, TracedTree):
        tree.note_again(f"r{path}")


def _digest(names: Collection[str]) -> str:
    text = "\0".join(names)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
