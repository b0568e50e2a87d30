"""A folder that notes what is asked of it, so that an answer worked out once can be told to be still right.

A question is a letter and a path: `r` what a file says, `e` whether there is one, `f` which files are below, `s` which
folders, `i` what somebody concluded from what a file says who used nothing else of it. What a file says is noted as the
SHA-256 of its bytes; a conclusion as whoever draws it says, and only they can draw it again.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from f0ci.core.errors import InputError
from f0ci.source.tree import Tree
from f0ci.source.worktree import WorkTree

Answer = TypeVar("Answer")
# a question, or all that some work asked which is done once for many
Asked = str | frozenset[str]

# a file changed twice within the grain of the clock of its disk looks the same
_GRAIN_NS = 2_000_000_000


class TracedTree(WorkTree):
    """A work tree, and every question that was asked of it with its answer.

    Args:
        root: the folder.
        ignored: paths of files and folders to leave out.

    Attributes:
        answers: to every question asked so far.
        stamps: what the disk said of a file right before it was read, where that tells a later change; by question.
        is_unsteady: True where two answers to one question differed: somebody is writing.
    """

    def __init__(self, root: Path, *, ignored: Collection[str] = ()) -> None:
        super().__init__(root, ignored=ignored)
        self.answers: dict[str, str] = {}
        self.stamps: dict[str, str] = {}
        self.is_unsteady = False
        self._listed: dict[str, tuple[str, ...]] = {}
        self._open: list[set[Asked]] = [set()]

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            MissingFile: there is no such file.
            InputError: it cannot be read, or it lies outside the folder.
        """
        question = f"r{path}"
        try:
            # the stamp comes before the bytes: what changes afterwards shows
            plain = self._read_plainly(path)
            stamp = self.stamp(path) if plain is None else _stamp(plain[1], time.time_ns() - _GRAIN_NS)
            raw = super().read(path) if plain is None else plain[0]
        except InputError as error:
            self._note(question, f"{type(error).__name__}: {error.message}")
            raise
        self._note(question, hashlib.sha256(raw).hexdigest())
        if stamp:
            self.stamps[question] = stamp
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

    def ask(self, questions: Iterable[str]) -> None:
        """Find the answers to some questions, now; they do not count as asked by whoever works on the tree."""
        asked, self._open = self._open, [set()]
        try:
            for question in questions:
                try:
                    self._repeat(question[0], question[1:])
                except InputError:
                    # noted as the answer
                    continue
        finally:
            self._open = asked

    def asked_by(self, work: Callable[[], Answer]) -> tuple[Answer, frozenset[Asked]]:
        """Return what some work yields, and what it asked, directly or through what was remembered."""
        self._open.append(set())
        try:
            answer = work()
        finally:
            asked = self._open.pop()
            self._open[-1] |= asked
        return answer, frozenset(asked)

    def asked_apart(self, work: Callable[[], Answer]) -> tuple[Answer, frozenset[str]]:
        """Return what some work yields, and every question that it asked; only where it fails they are noted."""
        self._open.append(set())
        try:
            answer = work()
        except BaseException:
            # whoever catches it goes by it
            self._open[-2] |= self._open[-1]
            raise
        finally:
            asked = self._open.pop()
        return answer, frozenset(flat(asked))

    def conclude(self, path: str, conclusion: str) -> None:
        """Note that of what a file says no more is used than a conclusion."""
        self._note(f"i{path}", conclusion)

    def note_again(self, asked: Asked) -> None:
        """Note what was asked and answered before."""
        self._open[-1].add(asked)

    def learn(self, question: str, answer: str, stamp: str) -> None:
        """Take over what was answered at another time, or to another process."""
        known = self.answers.get(question)
        if known is None:
            self.answers[question] = answer
        elif known != answer:
            self.is_unsteady = True
        if stamp:
            self.stamps[question] = stamp

    def learn_unchanged(self, known: Iterable[tuple[str, str, str]]) -> list[str]:
        """Take over what plain files said that are certainly as they were.

        Args:
            known: questions, each with its answer and its stamp; without a stamp nothing is certain.

        Returns:
            The other questions.
        """
        others = []
        # ten thousand times in a run that has nothing else to do
        place, lstat, learn = self._place, os.lstat, self.learn
        latest = time.time_ns() - _GRAIN_NS
        for question, answer, stamp in known:
            where = place(question[1:]) if stamp else None
            try:
                is_same = where is not None and _stamp(lstat(where), latest) == stamp
            except (OSError, ValueError):
                is_same = False
            if is_same:
                learn(question, answer, stamp)
            else:
                others.append(question)
        return others

    def stamp(self, path: str) -> str:
        """Return what the disk says of a plain file, or nothing where that would not tell a later change."""
        place = self._place(path)
        if place is None:
            return ""
        try:
            return _stamp(os.lstat(place), time.time_ns() - _GRAIN_NS)
        except (OSError, ValueError):
            return ""

    @property
    def asked(self) -> frozenset[Asked]:
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
            case "s":
                self.subfolders(path)
            case _:
                raise ValueError(f"no tree can answer {kind!r}")

    def _note(self, question: str, answer: str) -> None:
        # thousands of files ask the same
        question = sys.intern(question)
        self.learn(question, answer, "")
        self._open[-1].add(question)


def remember(tree: Tree, kept: dict[Any, Any], key: Hashable, work: Callable[[], Answer]) -> Answer:
    """Return what some work on a tree yields, done once; whoever asks again has asked what the work asked.

    Args:
        tree: what the work asks.
        kept: what was worked out before, with what was asked for it.
        key: names the work, the same for the same answer.
        work: asks the tree and nothing else that changes.
    """
    if key not in kept:
        kept[key] = asked_apart(tree, work)
    answer: Answer
    answer, asked = kept[key]
    if asked:
        # a set knows its hash: noting it costs the same for any number of questions
        tree.note_again(asked)  # type: ignore[attr-defined] # only a traced tree has asked anything
    return answer


def asked_apart(tree: Tree, work: Callable[[], Answer]) -> tuple[Answer, frozenset[str]]:
    """Return what some work on a tree yields, and what it asked, which is not noted; nothing where it is not traced."""
    return tree.asked_apart(work) if isinstance(tree, TracedTree) else (work(), frozenset())


def recall(tree: Tree, path: str) -> None:
    """Note that what a file says is used, by somebody who has read it already."""
    if isinstance(tree, TracedTree):
        tree.note_again(f"r{path}")


def flat(asked: Iterable[Asked]) -> Iterator[str]:
    """Yield the questions of what was asked, some more than once."""
    for one in asked:
        if isinstance(one, str):
            yield one
        else:
            yield from one


def _stamp(found: os.stat_result, latest: int) -> str:
    """Return device, inode, bytes, and the times of the last change of the content and of anything.

    Args:
        found: what the disk says of a file.
        latest: of what changed later, a further change may not show.
    """
    content, anything = found.st_mtime_ns, found.st_ctime_ns
    if content > latest or anything > latest or not stat.S_ISREG(found.st_mode):
        return ""
    return f"{found.st_dev} {found.st_ino} {found.st_size} {content} {anything}"


def _digest(names: Collection[str]) -> str:
    text = "\0".join(names)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
