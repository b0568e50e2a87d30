"""Writing a rendered tree into a folder, and comparing the two.

A manifest in the folder remembers what was written there, so that files that are no longer part can be removed and
files of somebody else are never touched.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.core.canonical import pretty_json, sha256_hex
from f0ci.core.errors import CannotWork
from f0ci.core.files import write_atomically
from f0ci.render.layout import MANIFEST_FILE, is_safe_path

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


def write(rendered: RenderedTree, folder: Path, *, overwrite: bool = False) -> Written:
    """Write a rendered tree; each file is written whole or not at all.

    Args:
        rendered: the tree.
        folder: where it goes; made where it is missing.
        overwrite: also replace files that f0ci did not write.

    Raises:
        CannotWork: a file of somebody else stands in the way, a symbolic link leads out of the folder, or the folder
            cannot be written.
    """
    earlier = _read_manifest(folder)
    present = {path: _content(folder, path) for path in rendered.files}
    different = tuple(path for path, content in rendered.files.items() if present[path] != content)
    if not overwrite:
        _refuse_foreign(folder, [path for path in different if path not in earlier and present[path] is not None])
    current = {path: sha256_hex(content) for path, content in rendered.files.items()}
    obsolete = {path: known for path, known in earlier.items() if path not in current}
    # the manifest comes first: what it does not name after an interruption would be somebody else's for ever
    _write_manifest(folder, obsolete | current, earlier)
    for path in different:
        write_atomically(_target(folder, path), rendered.files[path])
    removed, kept = [], []
    for path, known in sorted(obsolete.items()):
        content = _content(folder, path)
        if content is not None and sha256_hex(content) == known:
            _remove(folder, path)
            removed.append(path)
        elif content is not None:
            kept.append(path)
    _write_manifest(folder, current, obsolete | current)
    return Written(different, tuple(removed), tuple(kept))


def check(rendered: RenderedTree, folder: Path) -> list[str]:
    """Return the files in which a folder differs from a rendered tree, sorted.

    A file that f0ci wrote there and that is no longer part counts; files of others do not.
    """
    different = {path for path, content in rendered.files.items() if _content(folder, path) != content}
    obsolete = {
        path for path in _read_manifest(folder) if path not in rendered.files and _content(folder, path) is not None
    }
    return sorted(different | obsolete)


def _refuse_foreign(folder: Path, paths: list[str]) -> None:
    if paths:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        raise CannotWork(
            f"{str(folder / paths[0])!r}{more} would be overwritten, and f0ci did not write it",
            "choose another folder, or remove the file",
        )


def _read_manifest(folder: Path) -> dict[str, str]:
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


def _write_manifest(folder: Path, files: Mapping[str, str], before: Mapping[str, str]) -> None:
    if files != before or not (folder / MANIFEST_FILE).exists():
        content = pretty_json({"version": 1, "files": dict(files)})
        write_atomically(folder / MANIFEST_FILE, content.encode())


def _content(folder: Path, path: str) -> bytes | None:
    try:
        return _target(folder, path).read_bytes()
    except FileNotFoundError:
        return None
    except (IsADirectoryError, NotADirectoryError) as error:
        raise CannotWork(
            f"a file and a folder want the same place: {str(folder / path)!r}", "choose another folder"
        ) from error
    except OSError as error:
        raise CannotWork(f"cannot read {str(folder / path)!r}: {error.strerror or error}") from error


def _target(folder: Path, path: str) -> Path:
    target = folder / path
    if not target.parent.resolve().is_relative_to(folder.resolve()) or target.is_symlink():
        raise CannotWork(
            f"{str(target)!r} is reached through a symbolic link", "remove the link, or choose another folder"
        )
    return target


def _remove(folder: Path, path: str) -> None:
    target = _target(folder, path)
    target.unlink()
    parent = target.parent
    with contextlib.suppress(OSError):
        # ends at the first folder that still holds something
        while parent != folder:
            parent.rmdir()
            parent = parent.parent
