"""Writing many files so that a process killed in between leaves the old ones.

All new content is written below a folder of its own first; only then every file is moved to its place, which is one
call to the system each. Files are not forced onto the disk: what is rendered can be rendered again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from f0ci.core.errors import CannotWork

PREFIX = ".f0ci-staging-"


@contextlib.contextmanager
def exclusively(folder: Path) -> Iterator[None]:
    """Wait until nobody else renders below a folder, and keep others waiting meanwhile.

    The lock lies on the folder itself, or on the nearest one above that exists; it ends with the process. Where a file
    system has no locks, nobody waits.
    """
    place = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.is_dir())
    handle = _locked(place)
    try:
        if place != folder.absolute() and folder.is_dir():
            # somebody made it while this process waited for the one above
            with exclusively(folder):
                yield
        else:
            yield
    finally:
        if handle is not None:
            os.close(handle)


def _locked(folder: Path) -> int | None:
    import fcntl

    handle = None
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError:
        if handle is not None:
            os.close(handle)
        return None
    return handle


def replace_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files below a folder; each is replaced whole, and none before all are written.

    Args:
        folder: where it is missing, it appears with all files at once; what an interrupted call left there is removed.
        files: content by path relative to the folder; they are replaced in this order.

    Raises:
        CannotWork: something cannot be written; nothing was replaced then, unless moving itself failed.
    """
    try:
        if not folder.exists():
            _appear(folder, files)
            return
        with _staging(folder) as place:
            staged = _written(place, dict(enumerate(files.values())))
            made: set[str] = set()
            for temporary, path in zip(staged, files, strict=True):
                target = f"{folder}/{path}"
                _make_parent(target, made)
                os.replace(temporary, target)  # noqa: PTH105 - hot
    except OSError as error:
        name = error.filename2 or error.filename or str(folder)
        hint = "check the folder's permissions and free space"
        raise CannotWork(f"cannot write {str(name)!r}: {error.strerror or error}", hint) from error


def _appear(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write all files beside a folder that does not exist, then give them its name."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _staging(folder.parent, f"{folder.name[:40]}-") as place:
        tree = f"{place}/tree"
        Path(tree).mkdir()
        _written(tree, files)
        Path(tree).rename(folder)


@contextlib.contextmanager
def _staging(parent: Path, name: str = "") -> Iterator[str]:
    """Yield a folder for new content, which is gone afterwards; so is what an interrupted call left."""
    for left in parent.glob(f"{PREFIX}{name}*"):
        shutil.rmtree(left, ignore_errors=True)
    place = tempfile.mkdtemp(prefix=f"{PREFIX}{name}", dir=parent)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _written(folder: str, files: Mapping[Any, bytes]) -> list[str]:
    """Write new files and return them, in order."""
    made: set[str] = set()
    found = []
    for path, content in files.items():
        name = f"{folder}/{path}"
        _make_parent(name, made)
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            written = os.write(handle, content)
            while written < len(content):
                written += os.write(handle, content[written:])
        finally:
            os.close(handle)
        found.append(name)
    return found


def _make_parent(path: str, made: set[str]) -> None:
    parent = path.rpartition("/")[0]
    if parent not in made:
        os.makedirs(parent, exist_ok=True)  # noqa: PTH103 - hot
        made.add(parent)
