"""Writing a rendered tree into a folder, and comparing the two.

A manifest in the folder remembers what was written there, so that files that are no longer part can be removed and
files of somebody else are never touched.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.core.canonical import sha256_hex
from f0ci.core.errors import CannotWork
from f0ci.core.files import write_atomically
from f0ci.render.layout import MANIFEST_FILE, is_safe_path
from f0ci.render.staging import replace_all

if TYPE_CHECKING:
    from f0ci.render.rendering import RenderedTree


@dataclass(frozen=True, slots=True)
class Written:
    """What writing changed; every path is relative to the folder.

    Attributes:
        written: files that were new or different.
        removed: files of an earlier writing that are no longer part.
        kept: files of an earlier writing that are no longer part, but were changed since; they stay.
    """

    written: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


def write(
    rendered: RenderedTree, folder: Path, *, overwrite: bool = False, unchanged: Mapping[str, str] | None = None
) -> Written:
    """Write a rendered tree. Killed at any point, it leaves every file old or new, and none half.

    All new content is written aside before the first file is replaced, see `staging`.

    Args:
        rendered: the tree.
        folder: where it goes; made where it is missing.
        overwrite: also replace files that f0ci did not write.
        unchanged: further files of the tree that are known to be there as they should: SHA-256 by path.

    Raises:
        CannotWork: a file of somebody else stands in the way, a symbolic link leads out of the folder, or the folder
            cannot be written.
    """
    _require_folder(folder)
    earlier = read_manifest(folder)
    inside = _Folder(folder)
    is_new = not folder.exists()
    present = {path: None if is_new else inside.content(path) for path in rendered.files}
    different = tuple(path for path, content in rendered.files.items() if present[path] != content)
    if not overwrite:
        _refuse_foreign(folder, [path for path in different if path not in earlier and present[path] is not None])
    current = {path: sha256_hex(content) for path, content in rendered.files.items()} | dict(unchanged or {})
    current = dict(sorted(current.items()))
    obsolete = {path: known for path, known in earlier.items() if path not in current}
    # the manifest comes first: what it does not name after an interruption would be somebody else's for ever
    announced = obsolete | current
    files = {} if announced == earlier and earlier else {MANIFEST_FILE: _manifest(announced)}
    replace_all(folder, files | {path: rendered.files[path] for path in different})
    removed, kept = [], []
    for path, known in sorted(obsolete.items()):
        content = inside.content(path)
        if content is not None and sha256_hex(content) == known:
            _remove(folder, path)
            removed.append(path)
        elif content is not None:
            kept.append(path)
    if obsolete:
        write_atomically(folder / MANIFEST_FILE, _manifest(current))
    return Written(different, tuple(removed), tuple(kept))


def check(rendered: RenderedTree, folder: Path) -> list[str]:
    """Return the files in which a folder differs from a rendered tree, sorted.

    A file that f0ci wrote there and that is no longer part counts; files of others do not.

    Raises:
        CannotWork: there is a file where the folder should be, or a symbolic link leads out of it.
    """
    _require_folder(folder)
    inside = _Folder(folder)
    different = {path for path, content in rendered.files.items() if inside.content(path) != content}
    earlier = read_manifest(folder)
    obsolete = {path for path in earlier if path not in rendered.files and inside.content(path) is not None}
    return sorted(different | obsolete)


def _require_folder(folder: Path) -> None:
    """Refuse a place where no folder is or can be made."""
    for place in (folder, *folder.parents):
        if place.is_dir():
            return
        if place.exists():
            raise CannotWork(f"{str(place)!r} is a file, not a folder", "name another folder, or remove the file")
        if place.is_symlink():
            raise CannotWork(f"{str(place)!r} is a link that leads nowhere", "name another folder, or remove the link")


def _refuse_foreign(folder: Path, paths: list[str]) -> None:
    if paths:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        raise CannotWork(
            f"{str(folder / paths[0])!r}{more} would be overwritten, and f0ci did not write it",
            "choose another folder, remove the file, or replace it with --overwrite",
        )


def read_manifest(folder: Path) -> dict[str, str]:
    """Return what was written into a folder: SHA-256 by path.

    Raises:
        CannotWork: the manifest cannot be read.
    """
    path = folder / MANIFEST_FILE
    try:
        files = json.loads(path.read_bytes())["files"]
        # the file may have been edited: it must not make f0ci reach outside the folder
        return {str(name): str(known) for name, known in files.items() if is_safe_path(str(name))}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "remove it; files of earlier renderings then count as your own"
        raise CannotWork(f"cannot read {str(path)!r}", hint) from error


def _manifest(files: Mapping[str, str]) -> bytes:
    # as `pretty_json` writes it, which takes much longer for thousands of files
    lines = ",\n".join([f'    {_quoted(path)}: "{files[path]}"' for path in sorted(files)])
    inner = f"{{\n{lines}\n  }}" if files else "{}"
    return f'{{\n  "files": {inner},\n  "version": 1\n}}\n'.encode()


def _quoted(path: str) -> str:
    return json.dumps(path, ensure_ascii=False) if '"' in path or "\\" in path else f'"{path}"'


class _Folder:
    """Reads files below a folder, and follows no symbolic link out of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._real = os.path.realpath(folder)
        self._inside: dict[str, bool] = {}

    def content(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where there is no such file.

        Raises:
            CannotWork: a symbolic link stands in the way, a folder, or the file cannot be read.
        """
        target = f"{self._folder}/{path}"
        parent = target.rpartition("/")[0]
        if parent not in self._inside:
            real = os.path.realpath(parent)
            self._inside[parent] = real == self._real or real.startswith(f"{self._real}{os.sep}")
        if not self._inside[parent]:
            raise _linked(target)
        try:
            handle = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with open(handle, "rb", buffering=0) as file:  # noqa: PTH123 - an open file has no path
                return file.read()
        except FileNotFoundError:
            return None
        except (IsADirectoryError, NotADirectoryError) as error:
            raise CannotWork(f"a file and a folder want the same place: {target!r}", "choose another folder") from error
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _linked(target) from error
            raise CannotWork(f"cannot read {target!r}: {error.strerror or error}") from error


def _linked(target: str) -> CannotWork:
    hint = "remove the link, or choose another folder"
    return CannotWork(f"{target!r} is reached through a symbolic link", hint)


def _remove(folder: Path, path: str) -> None:
    # its content was read before, so no link leads out
    target = folder / path
    target.unlink()
    parent = target.parent
    with contextlib.suppress(OSError):
        # ends at the first folder that still holds something
        while parent != folder:
            parent.rmdir()
            parent = parent.parent
