"""A directory that should hold the environment's files, such as one that a deploy recipe fills.

Settings: `path`, from the repository's root; `exact: true` where no other file may lie there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from f0ci.promotion.drift.base import Expected, Observation, Sync

KIND = "directory"
# what `f0ci render --output` remembers there
_MANIFEST = ".f0ci-rendered.json"


def observe(expected: Expected, settings: Mapping[str, Any], root: Path) -> Observation:
    """Compare a directory with the files that the environment holds."""
    written = settings.get("path")
    if not isinstance(written, str) or not written:
        return Observation(KIND, "?", Sync.UNKNOWN, ("the workflow names no 'path'",))
    folder = root / written
    if not folder.is_dir():
        return Observation(KIND, written, Sync.DRIFTED, ("there is no such directory",))
    try:
        details = tuple(_differences(expected, folder, is_exact=settings.get("exact") is True))
    except OSError as error:
        return Observation(KIND, written, Sync.UNKNOWN, (f"cannot be read: {error.strerror or error}",))
    return Observation(KIND, written, Sync.DRIFTED if details else Sync.IN_SYNC, details)


def _differences(expected: Expected, folder: Path, *, is_exact: bool) -> Iterator[str]:
    for path, content in sorted(expected.files.items()):
        target = folder / path
        try:
            if target.read_bytes() != content:
                yield f"differs: {path}"
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            yield f"missing: {path}"
    if is_exact:
        present = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
        yield from (f"extra: {path}" for path in sorted(present) if path not in expected.files and path != _MANIFEST)


def restore(expected: Expected, settings: Mapping[str, Any], root: Path) -> None:
    """Write the environment's files into the directory; files of others stay.

    Raises:
        CannotWork: a file cannot be written.
    """
    from f0ci.core.files import write_atomically

    folder = root / str(settings["path"])
    for path, content in expected.files.items():
        target = folder / path
        if not (target.is_file() and target.read_bytes() == content):
            write_atomically(target, content)
