"""Writing files so that a reader sees the old bytes or the new ones, never half of them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from f0ci.core.errors import CannotWork


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644, is_durable: bool = True) -> None:
    """Write a file through a temporary name beside it, then rename.

    What is there and is no file (`/dev/null`, `/dev/stdout`, a pipe) is written to as it is: a rename would replace it,
    for everybody.

    Args:
        path: the file; missing folders are made.
        content: all of its bytes.
        mode: permission bits of a new file.
        is_durable: False where the file may be lost, or half of it, when the machine loses its power.

    Raises:
        CannotWork: the folder or the file cannot be written.
    """
    temporary: str | None = None
    try:
        if _is_special(path):
            with path.open("wb") as stream:
                stream.write(content)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # `tempfile` takes longer to import than a small command to run
        name = str(path.parent / f".{path.name[:40]}.{os.urandom(8).hex()}")
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        temporary = name
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            if is_durable:
                os.fsync(stream.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise CannotWork(
            f"cannot write {str(path)!r}: {error.strerror or error}",
            "check the folder's permissions and free space",
        ) from error


def _is_special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
