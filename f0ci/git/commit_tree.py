"""The files of a commit, read as one reads a folder."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from f0ci.core.errors import InputError, MissingFile, OutsideTree
from f0ci.core.folders import holds_source
from f0ci.git.objects import LINK_MODE, TreeEntry

if TYPE_CHECKING:
    from f0ci.git.repository import Repository

# files read ahead in one call when one is asked for
_READ_AHEAD = 512
_MOST_LINKS = 16


class CommitTree:
    """The files of one commit or tree; symbolic links are followed only while they stay inside it.

    Args:
        repository: where the objects are.
        oid: id of the tree object.
        label: how messages name it.
    """

    def __init__(self, repository: Repository, oid: str, label: str) -> None:
        self.repository = repository
        self.oid = oid
        self.label = label
        self._entries: dict[str, TreeEntry] | None = None
        self.content: dict[str, bytes] = {}

    def preload(self, entries: dict[str, TreeEntry], content: dict[str, bytes]) -> None:
        """Take what is known already: every file in order, and content by blob, which other trees may share."""
        self._entries = entries
        self.content = content

    @property
    def entries(self) -> dict[str, TreeEntry]:
        """Return every file and symbolic link by path, in the order in which a walk meets them."""
        if self._entries is None:
            listed = sorted(self.repository.list_files(self.oid), key=lambda entry: entry.path.split("/"))
            self._entries = {entry.path: entry for entry in listed if entry.is_file or entry.mode == LINK_MODE}
        return self._entries

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            MissingFile: there is no such file.
            InputError: it is a folder, or a symbolic link leads out of the repository.
        """
        entry = self._resolve(path)
        if entry is None:
            if any(name.startswith(f"{path}/") for name in self.entries):
                raise InputError(f"{path!r} is a folder, not a file", "name a file")
            raise MissingFile(
                f"there is no file {path!r} in {self.label}",
                "check the spelling; paths are relative to the repository's root",
            )
        if entry.oid not in self.content:
            self._load(self._ahead_of(entry))
        return self.content[entry.oid]

    def exists(self, path: str) -> bool:
        """Tell whether there is a file at the path."""
        try:
            return self._resolve(path) is not None
        except InputError:
            return False

    def files(self, prefix: str = "") -> Iterator[str]:
        """Yield the paths of all files below a folder, sorted; hidden folders and environments are left out."""
        start = prefix.strip("/") + "/" if prefix.strip("/") else ""
        for path, entry in self.entries.items():
            if not path.startswith(start):
                continue
            folders = path.removeprefix(start).split("/")[:-1]
            if all(map(holds_source, folders)) and (entry.is_file or self.exists(path)):
                yield path

    def read_all(self, paths: Iterable[str] | None = None) -> dict[str, bytes]:
        """Return the bytes of several files (all that `files` yields, by default), read in one call.

        Raises:
            MissingFile: one of them does not exist.
        """
        wanted = list(self.files() if paths is None else paths)
        resolved = (self._resolve(path) for path in wanted)
        self._load([entry for entry in resolved if entry is not None])
        return {path: self.read(path) for path in wanted}

    def _load(self, entries: Iterable[TreeEntry]) -> None:
        missing = dict.fromkeys(entry.oid for entry in entries if entry.oid not in self.content)
        if missing:
            self.content.update(self.repository.read_blobs(missing))

    def _ahead_of(self, entry: TreeEntry) -> list[TreeEntry]:
        """Return a file with those that are likely to be read next: the following ones of its top folder."""
        top = entry.path.partition("/")[0] if "/" in entry.path else ""
        paths = list(self.entries)
        after = islice(paths, paths.index(entry.path) + 1, None)
        near = (self.entries[path] for path in after if path.rpartition("/")[0].partition("/")[0] == top)
        return [entry, *islice((other for other in near if other.oid not in self.content), _READ_AHEAD)]

    def _resolve(self, path: str) -> TreeEntry | None:
        """Return the regular file that a path means, through symbolic links in any part of it."""
        at = path
        for _ in range(_MOST_LINKS):
            entry = self.entries.get(at)
            if entry is not None and entry.is_file:
                return entry
            step = self._first_link(at)
            if step is None:
                return None
            link, rest = step
            target = posixpath.join(posixpath.dirname(link), self._link_target(link), rest)
            at = posixpath.normpath(target)
            if at == ".." or at.startswith(("../", "/")):
                raise OutsideTree(f"{path!r} leads out of {self.label}", "keep the file inside the repository")
        raise InputError(f"{path!r} is a symbolic link that leads back to itself", "replace the link by the file")

    def _first_link(self, path: str) -> tuple[str, str] | None:
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            head = "/".join(parts[:depth])
            entry = self.entries.get(head)
            if entry is not None and entry.mode == LINK_MODE:
                return head, "/".join(parts[depth:])
        return None

    def _link_target(self, link: str) -> str:
        entry = self.entries[link]
        self._load([entry])
        return self.content[entry.oid].decode("utf-8", "surrogateescape")
