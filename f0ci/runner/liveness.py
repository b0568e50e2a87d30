"""Who is alive: a lock that ends with its process, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


class Liveness:
    """A user of a journal, alive for as long as it holds a lock on a file of its own.

    The lock is the kernel's (`flock`), so a killed process loses it at once and a sleeping one keeps it.

    Args:
        folder: where users keep their files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.owner = f"{os.getpid()}-{os.urandom(6).hex()}"
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / self.owner, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        # a forked child shares the lock, and may live longer than this process
        os.register_at_fork(after_in_child=self._forget)

    def lives(self, owner: str) -> bool:
        """Tell whether a user is alive; the file of a dead one is removed."""
        if owner == self.owner:
            return True
        try:
            file = os.open(self._folder / owner, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            with contextlib.suppress(FileNotFoundError):
                (self._folder / owner).unlink()
            return False
        finally:
            os.close(file)

    def end(self) -> None:
        """Be no longer alive."""
        with contextlib.suppress(OSError):
            (self._folder / self.owner).unlink()
        self._forget()

    def _forget(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
