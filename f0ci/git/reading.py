"""Reading objects through one git process that stays: starting another for each question costs more than the answer."""

from __future__ import annotations

import os
import re
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from f0ci.git.process import start_git

if TYPE_CHECKING:
    import subprocess

# what is named for ever: an id, what it peels to, or a path in it; refs move, and are asked of a new process
_LASTING = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})(?:\^\{(?:tree|commit)\}|:[^\n\0]*)?")
# questions that are sent before answers are read: even with the longest paths they fit into a pipe
_AT_ONCE = 8
# more questions than this are worth a process of their own, which need not flush after each answer
_MANY = 64
# so many repositories of one program keep a process; the one that was started first makes way
_MOST_LIVING = 4
# kind, id and content of an object
Found = tuple[str, str, bytes]
# answers many questions by a process that ends
AskAlone = Callable[[Sequence[str]], Iterator[Found | None]]


# in the order in which they started
_living: list[weakref.ref[ObjectReader]] = []
_counting = threading.Lock()


def close_all() -> None:
    """End every process that stays; whoever asks again starts another."""
    with _counting:
        readers = [one() for one in _living]
        _living.clear()
    for reader in readers:
        if reader is not None:
            reader.close()


def _make_way(reader: ObjectReader) -> None:
    """Count a reader among those that keep a process, and end the oldest that nobody is asking."""
    with _counting:
        others = [other for one in _living if (other := one()) is not None and other is not reader]
        spare = len(others) + 1 - _MOST_LIVING
        kept = [other for index, other in enumerate(others) if index >= spare or not other.leave()]
        _living[:] = [weakref.ref(one) for one in (*kept, reader)]


class ObjectReader:
    """A `git cat-file --batch` that is started when first asked, and ends with the program or with its repository."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] | None = None
        self._owner = 0
        self._asking = threading.Lock()

    def read(self, folder: Path, names: Sequence[str], alone: AskAlone) -> Iterator[Found | None]:
        """Yield each named object, None for one that is missing.

        Args:
            folder: where git runs.
            names: ids, `<id>^{tree}`, `<id>:path`, or anything else that Git understands and that may move.
            alone: asks a process that ends: for what may move, for many at once, and where the one that stays is gone.
        """
        if len(names) > _MANY or not all(_LASTING.fullmatch(name) for name in names):
            yield from alone(names)
            return
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            try:
                with self._asking:
                    answers = self._ask(folder, some)
            except (OSError, EOFError):
                # it was ended from outside, or met an object that it cannot read: Git says why when asked alone
                self.close()
                yield from alone(some)
            else:
                yield from answers

    def close(self) -> None:
        """End the process, when what it was asked is answered; the next question starts another."""
        with self._asking:
            self._stop()

    def leave(self) -> bool:
        """End the process unless somebody is asking it just now; tell whether it is over."""
        if not self._asking.acquire(blocking=False):
            return False
        try:
            self._stop()
        finally:
            self._asking.release()
        return True

    def _stop(self) -> None:
        if self._end is not None:
            self._end()
        self._process = self._end = None

    def _ask(self, folder: Path, names: Sequence[str]) -> list[Found | None]:
        if self._process is None or self._owner != os.getpid():
            self._start(folder)
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise EOFError
        process.stdin.write("".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape"))
        process.stdin.flush()
        return [_read_one(process.stdout) for _ in names]

    def _start(self, folder: Path) -> None:
        _make_way(self)
        self._process = start_git(["cat-file", "--batch"], folder=folder)
        self._owner = os.getpid()
        self._end = weakref.finalize(self, _end, self._process, self._owner)


def _read_one(stream: IO[bytes]) -> Found | None:
    head = stream.readline()
    if not head.endswith(b"\n"):
        raise EOFError
    if head.endswith((b" missing\n", b" ambiguous\n")):
        return None
    oid, kind, size = head.decode("ascii").split(" ")
    content = stream.read(int(size) + 1)
    if len(content) <= int(size):
        raise EOFError
    return kind, oid, content[:-1]


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """Let the process end by closing what it reads from; a fork of the program leaves it to its owner."""
    if owner != os.getpid():
        return
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:
                # what was not sent yet cannot be sent any more
                continue
    process.wait()
