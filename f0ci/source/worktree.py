"""A folder as its owner sees it: without what Git ignores, and with texts that an editor has not saved yet."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from f0ci.source.tree import DirectoryTree


class WorkTree(DirectoryTree):
    """The files of a folder, some of them left out or in other words than on disk.

    What is ignored is left out of what is found by itself; whoever names such a file may read it.

    Args:
        root: the folder.
        ignored: paths of files and folders to leave out.
        edited: texts that stand for files, whether these exist or not.
    """

    def __init__(self, root: Path, *, ignored: Collection[str] = (), edited: Mapping[str, bytes] | None = None) -> None:
        super().__init__(root, settled=True)
        self._ignored = frozenset(path.rstrip("/") for path in ignored)
        self._edited = dict(edited or {})

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            MissingFile: there is no such file.
            InputError: it cannot be read, or it lies outside the folder.
        """
        return self._edited[path] if path in self._edited else super().read(path)

    def exists(self, path: str) -> bool:
        """Tell whether there is a file at the path."""
        return path in self._edited or super().exists(path)

    def size(self, path: str) -> int:
        """Return how many bytes a file has, 0 where it cannot be told."""
        return len(self._edited[path]) if path in self._edited else super().size(path)

    def files(self, prefix: str = "") -> Iterator[str]:
        """Yield the paths of all files below a folder, sorted as a walk meets them."""
        if not self._edited:
            found = super().files(prefix)
            return filter(self._is_kept, found) if self._ignored else found
        return self._with_edited(prefix)

    def _with_edited(self, prefix: str) -> Iterator[str]:
        start = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        added = sorted((path for path in self._edited if path.startswith(start)), key=_as_walked)
        last = None
        for path in heapq.merge(super().files(prefix), added, key=_as_walked):
            if path != last and self._is_kept(path):
                yield path
            last = path

    def subfolders(self, folder: str) -> tuple[str, ...]:
        """Return the names of the folders right below a folder, sorted."""
        if not (self._edited or self._ignored):
            return super().subfolders(folder)
        start = f"{folder}/" if folder else ""
        rests = [path.removeprefix(start) for path in self._edited if path.startswith(start)]
        added = {rest.partition("/")[0] for rest in rests if "/" in rest}
        found = {name for name in super().subfolders(folder) if self._is_kept(start + name)}
        return tuple(sorted(found | added))

    def _is_kept(self, path: str) -> bool:
        """Tell whether neither a path nor a folder above it is ignored."""
        parts = path.split("/")
        return self._ignored.isdisjoint("/".join(parts[:length]) for length in range(1, len(parts) + 1))


def _as_walked(path: str) -> list[str]:
    return path.split("/")
