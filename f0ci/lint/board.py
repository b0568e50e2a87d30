"""A board in shared memory on which processes tell each other the interfaces of recipes that they have read.

All files of a repository call the same few: without it, each process would read them for itself. Every process writes
on a part of its own, so that none waits for another. A reader who comes too early sees nothing: how far a part is
written stands before it, and each message carries a sum, for processors that bring the one before the other.
"""

from __future__ import annotations

import marshal
import mmap
import zlib

from f0ci.core.values import dataclass

# bytes of all parts, and of one, at most; memory that nobody wrote on costs nothing. Where a part is full, the others
# read for themselves
_WHOLE = 64 << 20
_PART = 4 << 20
_NUMBER = 4
_HEAD = 2 * _NUMBER


@dataclass(frozen=True, slots=True)
class Told:
    """What one process tells of a recipe that others refer to.

    Attributes:
        path: its file.
        content: the answer to what the file says, and its stamp; empty where nobody traces questions.
        stamp: see `TracedTree.stamps`.
        interface: see `kept.interface_of`.
    """

    path: str
    content: str
    stamp: str
    interface: bytes


class Board:
    """What a number of processes tell each other; made before they start.

    Args:
        processes: how many write on it.
    """

    def __init__(self, processes: int) -> None:
        self._part = min(_PART, _WHOLE // processes)
        self._memory = mmap.mmap(-1, processes * self._part)
        self._own = 0
        self._read = [_NUMBER] * processes
        self._told: dict[str, Told] = {}

    def write_as(self, process: int) -> None:
        """Choose the part that this process writes on, from 0 up."""
        self._own = process

    def tell(self, path: str, content: str, stamp: str, interface: bytes) -> None:
        """Tell the others what `Told` holds, where there is room."""
        message = marshal.dumps((path, content, stamp, interface))
        start = self._own * self._part
        written = self._written(self._own)
        end = written + _HEAD + len(message)
        if end > self._part:
            return
        head = len(message).to_bytes(_NUMBER) + zlib.crc32(message).to_bytes(_NUMBER)
        self._memory[start + written : start + end] = head + message
        self._memory[start : start + _NUMBER] = end.to_bytes(_NUMBER)

    def ask(self, path: str) -> Told | None:
        """Return what another process told of a file so far, or None."""
        if path not in self._told:
            self._listen()
        return self._told.get(path)

    def _listen(self) -> None:
        for process, read in enumerate(self._read):
            if process == self._own:
                continue
            start, end, at = process * self._part, self._written(process), read
            while at < end:
                size = int.from_bytes(self._memory[start + at : start + at + _NUMBER])
                body = start + at + _HEAD
                if not size or at + _HEAD + size > end:
                    break
                message = self._memory[body : body + size]
                if zlib.crc32(message) != int.from_bytes(self._memory[body - _NUMBER : body]):
                    break
                # between processes of one program; what comes from elsewhere is never read so
                told = Told(*marshal.loads(message))  # noqa: S302
                self._told.setdefault(told.path, told)
                at += _HEAD + size
            self._read[process] = at

    def _written(self, process: int) -> int:
        start = process * self._part
        return max(_NUMBER, int.from_bytes(self._memory[start : start + _NUMBER]))

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
