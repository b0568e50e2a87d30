"""Sharing work out among forked processes: whether they may be had, how many pay, and whose turn it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

# bytes of a number; a pipe takes a page of them at least
_NUMBER = 4
# how many turns there may be
MOST_TURNS = 1_000


def can_fork() -> bool:
    """Tell whether this process may be forked: the system's libraries allow it, and no other thread holds a lock."""
    if not hasattr(os, "fork") or sys.platform == "darwin":
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - names are enough
    except OSError:
        import threading

        return threading.active_count() == 1


def cores() -> int:
    """Return how many processes can work at the same time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Turns:
    """Numbers from 0 up that processes take, each when it is free, so that nobody waits for another.

    Args:
        count: how many there are, `MOST_TURNS` at most: they wait in a pipe, which takes them at once.
    """

    def __init__(self, count: int) -> None:
        self._queue, numbers = os.pipe()
        write_all(numbers, b"".join(number.to_bytes(_NUMBER) for number in range(count)))
        os.close(numbers)

    def taken(self) -> Iterator[int]:
        """Yield the numbers that fall to this process, until there are none left."""
        while number := os.read(self._queue, _NUMBER):
            yield int.from_bytes(number)

    def close(self) -> None:
        """Give up what is left, in this process."""
        os.close(self._queue)


def write_all(file: int, data: bytes) -> None:
    """Write bytes to a pipe, however little it takes at a time."""
    while data:
        data = data[os.write(file, data) :]
