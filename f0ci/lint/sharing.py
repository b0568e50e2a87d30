"""Sharing files out among processes.

The parent imports and compiles everything, then forks. Workers take chunks of files in turns, the largest files first,
so that a slow file holds up nobody else, and tell each other what they read of recipes that others call. Each worker
writes down in shared memory which file it is on: where it dies, that file is reported, and another worker takes the
rest of its chunk.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import field
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from f0ci.core.forking import MOST_TURNS, Turns, can_fork, cores, write_all
from f0ci.core.values import dataclass
from f0ci.lint.numbering import Numbers, bundle
from f0ci.lint.outcome import Outcome, from_json, to_json
from f0ci.source.schema import compile_schemas
from f0ci.source.traced import Asked, TracedTree
from f0ci.source.tree import DirectoryTree, Tree

if TYPE_CHECKING:
    from f0ci.lint.board import Board


class Examiner(Protocol):
    """What is done with files."""

    def prepare(self) -> None:
        """Import what examining needs, so that processes need not do it each for itself."""

    def look_ahead(self) -> None:
        """Import what is needed after examining, while others examine."""

    def share(self, board: Board) -> None:
        """Tell other processes what of several files is read, and be told."""

    def examine(self, path: str) -> Outcome:
        """Return what comes out of a file; never raises."""

    def lose(self, path: str, reason: str) -> Outcome:
        """Return what is said of a file on which a process died."""


# bytes of input for which another process pays
_WORTH_A_PROCESS = 150_000
# files of one process for which the fast gate pays
_MANY = 200
# each is a message: with fewer there is less to tell, with more a crash costs less
_CHUNK_BYTES = 256_000
_CHUNK_FILES = 64
_NUMBER = 4


def share_out(tree: Tree, paths: Sequence[str], examiner: Examiner, jobs: int | None) -> Iterator[tuple[str, Outcome]]:
    """Yield what comes out of every file, in the order of their paths.

    Args:
        tree: the files.
        paths: which of them.
        examiner: what is done with each.
        jobs: processes; None for as many as pay.
    """
    sizes = _sizes(tree, paths) if jobs != 1 and len(paths) > 1 and can_fork() else []
    count = min(len(sizes), _paying(sum(sizes)) if jobs is None else jobs)
    found: dict[int, Outcome] = {}
    if len(paths) > _MANY * max(count, 1):
        # of other files there are few
        compile_schemas(["recipe"])
    if count > 1:
        from f0ci.lint.board import Board

        _warm_up()
        examiner.prepare()
        chunks = _chunks(sizes, count)
        found = _Crew(tree, paths, examiner, chunks, Turns(len(chunks)), Board(count)).run(count)
    for index, path in enumerate(paths):
        yield path, found.pop(index) if index in found else examiner.examine(path)


def _paying(size: int) -> int:
    return min(cores(), size // _WORTH_A_PROCESS)


def _sizes(tree: Tree, paths: Sequence[str]) -> list[int]:
    return [tree.size(path) if isinstance(tree, DirectoryTree) else len(tree.read(path)) for path in paths]


def _chunks(sizes: Sequence[int], count: int) -> list[list[int]]:
    """Return numbers of files in chunks, the largest files first.

    Towards the end chunks are small, so that all processes end at about the same time.
    """
    left = sum(sizes)
    # there are as few chunks as there may be turns
    least, most = left // MOST_TURNS, max(_CHUNK_FILES, len(sizes) // MOST_TURNS + 1)
    chunks: list[list[int]] = []
    room = 0
    for index in sorted(range(len(sizes)), key=lambda index: (-sizes[index], index)):
        if room <= 0 or len(chunks[-1]) == most:
            chunks.append([])
            room = max(least, min(_CHUNK_BYTES, left // (count * 8)), 1)
        chunks[-1].append(index)
        room -= sizes[index]
        left -= sizes[index]
    return chunks


def _warm_up() -> None:
    """Import and compile what every process needs."""
    from f0ci.expressions.parsing import parse
    from f0ci.source.yaml import read_yaml

    read_yaml(b"a: 1")
    parse("#{params.a + 1}")


@dataclass(slots=True)
class _Worker:
    process: int
    results: int
    slot: int
    received: bytearray = field(default_factory=bytearray)
    questions: list[str] = field(default_factory=list)
    bundles: list[Asked] = field(default_factory=list)

    def asked(self, numbers: Sequence[int]) -> tuple[Asked, ...]:
        """Return what it means by some numbers."""
        return tuple([self.questions[one] if one >= 0 else self.bundles[-one - 1] for one in numbers])


@dataclass(slots=True)
class _Crew:
    """Workers, and what they found so far, by number of the file."""

    tree: Tree
    paths: Sequence[str]
    examiner: Examiner
    chunks: Sequence[Sequence[int]]
    turns: Turns
    board: Board
    found: dict[int, Outcome] = field(default_factory=dict)
    workers: dict[int, _Worker] = field(default_factory=dict)
    progress: Any = None
    bundles: dict[Asked, Asked] = field(default_factory=dict)

    def run(self, count: int) -> dict[int, Outcome]:
        """Return what came out of each file; a file that no worker could be started for is left out."""
        import mmap
        import select

        self.progress = mmap.mmap(-1, count * _NUMBER)
        try:
            ready = select.poll()
            for slot in range(count):
                self._start(slot, (), ready)
            self.examiner.look_ahead()
            while self.workers:
                for results, _ in ready.poll():
                    self._hear(self.workers[results], ready)
        finally:
            self._end()
        return self.found

    def _start(self, slot: int, first: Sequence[int], ready: Any) -> None:
        """Start a worker that examines some files alone, then what is in the queue."""
        import select

        results, writing = os.pipe()
        try:
            process = os.fork()
        except OSError:
            # no process to be had: what nobody examines is left to the parent
            os.close(results)
            os.close(writing)
            return
        if not process:
            self._work(slot, first, writing)
        os.close(writing)
        self.workers[results] = _Worker(process, results, slot)
        ready.register(results, select.POLLIN)

    def _work(self, slot: int, first: Sequence[int], writing: int) -> NoReturn:
        code = 1
        # nothing of the parent's is flushed, closed or run here: a forked process leaves at once
        try:
            self.board.write_as(slot)
            self.examiner.share(self.board)
            numbers = Numbers()
            left = (self.chunks[turn] for turn in self.turns.taken())
            for chunk in chain(([index] for index in first), left):
                self._send(slot, chunk, numbers, writing)
            code = 0
        finally:
            os._exit(code)

    def _send(self, slot: int, chunk: Sequence[int], numbers: Numbers, writing: int) -> None:
        import marshal

        questions, bundles = len(numbers.questions), len(numbers.bundles)
        records: list[Any] = []
        for index in chunk:
            self._note(slot, index + 1)
            outcome = self.examiner.examine(self.paths[index])
            records.append((index, to_json(outcome), numbers.of(outcome.asked)))
        news: list[tuple[str, str, str]] = []
        is_unsteady = False
        if isinstance(self.tree, TracedTree):
            answers, stamps, is_unsteady = self.tree.answers, self.tree.stamps, self.tree.is_unsteady
            news = [(one, answers[one], stamps.get(one, "")) for one in numbers.questions[questions:]]
        data = marshal.dumps((records, news, numbers.bundles[bundles:], is_unsteady))
        write_all(writing, len(data).to_bytes(_NUMBER) + data)
        self._note(slot, 0)

    def _note(self, slot: int, number: int) -> None:
        self.progress[slot * _NUMBER : (slot + 1) * _NUMBER] = number.to_bytes(_NUMBER)

    def _hear(self, worker: _Worker, ready: Any) -> None:
        """Take what a worker sent; at its end, see whether it died."""
        import marshal

        data = os.read(worker.results, 1 << 16)
        worker.received += data
        while len(worker.received) >= _NUMBER:
            end = _NUMBER + int.from_bytes(worker.received[:_NUMBER])
            if len(worker.received) < end:
                break
            # between processes of one program; what comes from elsewhere is never read so
            records, news, bundles, is_unsteady = marshal.loads(worker.received[_NUMBER:end])  # noqa: S302
            del worker.received[:end]
            if isinstance(self.tree, TracedTree):
                self._learn(worker, self.tree, news, bundles, is_unsteady=is_unsteady)
            for index, record, asked in records:
                self.found[index] = from_json(record, worker.asked(asked))
        if data:
            return
        ready.unregister(worker.results)
        self._bury(worker, ready)

    def _learn(
        self,
        worker: _Worker,
        tree: TracedTree,
        news: Sequence[tuple[str, str, str]],
        bundles: Sequence[Sequence[int]],
        *,
        is_unsteady: bool,
    ) -> None:
        """Take over what was asked for the first time by a worker."""
        tree.is_unsteady |= is_unsteady
        for name, answer, stamp in news:
            # the other workers ask the same
            question = sys.intern(name)
            tree.learn(question, answer, stamp)
            worker.questions.append(question)
        for numbers in bundles:
            questions = bundle(numbers, worker.questions)
            worker.bundles.append(self.bundles.setdefault(questions, questions))

    def _bury(self, worker: _Worker, ready: Any) -> None:
        del self.workers[worker.results]
        os.close(worker.results)
        _, status = os.waitpid(worker.process, 0)
        code = os.waitstatus_to_exitcode(status)
        place = worker.slot * _NUMBER
        number = int.from_bytes(self.progress[place : place + _NUMBER])
        if not code or not number:
            return
        self._note(worker.slot, 0)
        index = number - 1
        self.found[index] = self.examiner.lose(self.paths[index], _why(code))
        chunk = next(chunk for chunk in self.chunks if index in chunk)
        self._start(worker.slot, [other for other in chunk if other not in self.found], ready)

    def _end(self) -> None:
        self.turns.close()
        self.board.close()
        for worker in self.workers.values():
            # only after an exception, such as Ctrl-C
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.process, signal.SIGKILL)
            os.waitpid(worker.process, 0)
            os.close(worker.results)
        self.workers.clear()
        self.progress.close()


def _why(code: int) -> str:
    if code >= 0:
        return f"the process that read it ended with code {code}"
    try:
        return f"the process that read it was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"the process that read it was ended by signal {-code}"
