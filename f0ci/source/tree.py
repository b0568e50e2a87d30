"""A set of files to read from: a folder on disk, or what a commit holds."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterator, Mapping
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Protocol

from f0ci.core.errors import InputError, MissingFile, OutsideTree
from f0ci.core.folders import holds_source

_BLOCK = 1 << 20
_NO_NAMES = frozenset({"", ".", ".."})


class Tree(Protocol):
    """Files by their path relative to the workspace, with forward slashes."""

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            MissingFile: there is no such file.
            InputError: it cannot be read.
        """
        ...

    def exists(self, path: str) -> bool:
        """Tell whether there is a file at the path."""
        ...

    def files(self, prefix: str = "") -> Iterator[str]:
        """Yield the paths of all files below a folder, sorted.

        A folder that the system does not list stands for whatever is in it, with a slash at its end: nothing can read
        it, and nobody can take it for empty.
        """
        ...


# a recipe that is called is called from many
@lru_cache(maxsize=1024)
def resolve_path(path: str, base: str = "") -> str | None:
    """Return a path relative to the workspace in its shortest form, or None where it leaves the workspace.

    Args:
        path: as somebody wrote it, with forward slashes.
        base: the folder it is relative to.
    """
    if path.startswith(("/", "\\", "~")) or (len(path) > 1 and path[1] == ":") or "\0" in path:
        return None
    joined = posixpath.normpath(posixpath.join(base, path))
    return None if joined == ".." or joined.startswith(("../", "/")) else joined


class DirectoryTree:
    """The files of a folder; symbolic links are followed only while they stay inside it.

    Args:
        root: the folder.
        settled: nobody changes the folder while the tree is used: what is known of it need not be asked again.
    """

    def __init__(self, root: Path, *, settled: bool = False) -> None:
        self.root = root.resolve()
        self._settled = settled
        self._folders: dict[str, str | None] = {}
        self._exists: dict[str, bool] = {}
        self._below: dict[str, tuple[str, ...]] = {}
        self._absent: set[str] = set()
        self._walked: dict[str, list[str]] = {}

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            MissingFile: there is no such file.
            InputError: it cannot be read, or it lies outside the folder.
        """
        if self._settled:
            plain = self._read_plainly(path)
            if plain is not None:
                return plain[0]
        target = self.root / path
        try:
            real = target.resolve(strict=True)
            if not real.is_relative_to(self.root):
                raise OutsideTree(f"{path!r} leads out of {self.root.name!r}", "keep the file inside the repository")
            if not (real.is_file() or real.is_dir()):
                raise InputError(f"{path!r} is not a regular file", "replace it by a file")
            return real.read_bytes()
        except (FileNotFoundError, NotADirectoryError, ValueError) as error:
            # no file's name holds a null character, which is the ValueError
            raise _missing(path) from error
        except (OSError, RuntimeError) as error:
            raise InputError(*_why_unreadable(path, error)) from error

    def exists(self, path: str) -> bool:
        """Tell whether there is a file at the path, inside the folder."""
        if not self._settled:
            return self._is_file(path)
        if path not in self._exists:
            is_plain = self._is_plain_file(path)
            self._exists[path] = self._is_file(path) if is_plain is None else is_plain
        return self._exists[path]

    def _is_plain_file(self, path: str) -> bool | None:
        """Tell whether there is a regular file, or None to look closer."""
        place = self._place(path)
        if place is None:
            return False if posixpath.dirname(path) in self._absent else None
        try:
            return stat.S_ISREG(os.lstat(place).st_mode) or None
        except FileNotFoundError:
            return False
        except (OSError, ValueError):
            return None

    def _is_file(self, path: str) -> bool:
        try:
            real = (self.root / path).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            return False
        return real.is_file() and real.is_relative_to(self.root)

    def size(self, path: str) -> int:
        """Return how many bytes a file has, 0 where it cannot be told."""
        try:
            return os.stat(f"{self.root}/{path}").st_size  # noqa: PTH116 - asked for each of many files
        except (OSError, ValueError):
            return 0

    def subfolders(self, folder: str) -> tuple[str, ...]:
        """Return the names of the folders right below a folder, sorted."""
        if folder not in self._below:
            try:
                entries = list(os.scandir(self.root / folder))
            except OSError:
                entries = []
            names = (entry.name for entry in entries if not entry.name.startswith(".") and _is_folder(entry))
            found = tuple(sorted(names))
            if not self._settled:
                return found
            self._below[folder] = found
        return self._below[folder]

    def _read_plainly(self, path: str) -> tuple[bytes, os.stat_result] | None:
        """Return the bytes of a regular file, and what the disk said of it right before they were read.

        None is to look closer: the folder is not known to be inside, or it is no regular file.

        Raises:
            MissingFile: there certainly is none.
        """
        place = self._place(path)
        if place is None and posixpath.dirname(path) in self._absent:
            raise _missing(path)
        if place is None or not hasattr(os, "O_NOFOLLOW"):
            return None
        try:
            # a link is not followed, a pipe not waited for
            handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise _missing(path) from None
        except (OSError, ValueError):
            return None
        try:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode):
                return None
            raw = os.read(handle, state.st_size + 1)
            if len(raw) != state.st_size:
                # it grows or shrinks, or its size is not known
                raw += b"".join(iter(lambda: os.read(handle, _BLOCK), b""))
            return raw, state
        finally:
            os.close(handle)

    def _place(self, path: str) -> str | None:
        """Return where on the disk a file is whose folder is known to be inside; what it is remains open."""
        slash = path.rfind("/")
        folder, name = path[: max(slash, 0)], path[slash + 1 :]
        if folder not in self._folders:
            self._folders[folder] = self._real_folder(folder)
        real = self._folders[folder]
        # what starts with a slash is no path of this tree
        return None if real is None or not slash or name in _NO_NAMES else f"{real}/{name}"

    def _real_folder(self, folder: str) -> str | None:
        try:
            real = (self.root / folder).resolve(strict=True)
        except FileNotFoundError:
            self._absent.add(folder)
            return None
        except (OSError, RuntimeError, ValueError):
            return None
        return str(real) if real.is_relative_to(self.root) else None

    def files(self, prefix: str = "") -> Iterator[str]:
        """Yield the paths of all files below a folder, sorted; hidden folders and environments are left out.

        A folder that the system does not list is yielded with a slash at its end.
        """
        found = self._walked.get(prefix)
        if found is None:
            found = []
            self._walk(str(self.root / prefix if prefix else self.root), prefix.strip("/"), found)
            if self._settled:
                self._walked[prefix] = found
        return iter(found)

    def _walk(self, folder: str, prefix: str, found: list[str]) -> None:
        """Add the paths of all files below a folder."""
        try:
            entries = sorted(os.scandir(folder), key=attrgetter("name"))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError:
            found.append(f"{prefix or '.'}/")
            return
        start = f"{prefix}/" if prefix else ""
        for entry in entries:
            path = start + entry.name
            if entry.is_file(follow_symlinks=False):
                found.append(path)
            elif entry.is_dir(follow_symlinks=False):
                if holds_source(entry.name):
                    self._walk(entry.path, path, found)
            elif self.exists(path):
                found.append(path)


class MemoryTree:
    """Files held in memory: what a commit holds, what was rendered, or what a test needs."""

    def __init__(self, content: Mapping[str, bytes]) -> None:
        self.content = dict(content)

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            MissingFile: there is no such file.
        """
        try:
            return self.content[path]
        except KeyError:
            raise _missing(path) from None

    def exists(self, path: str) -> bool:
        """Tell whether there is a file at the path."""
        return path in self.content

    def files(self, prefix: str = "") -> Iterator[str]:
        """Yield the paths of all files below a folder, sorted."""
        start = prefix.rstrip("/") + "/" if prefix else ""
        yield from sorted(path for path in self.content if path.startswith(start))


def subfolders(tree: Tree, folder: str) -> tuple[str, ...]:
    """Return the names of the folders right below a folder, sorted; empty ones only where the tree knows of them."""
    if isinstance(tree, DirectoryTree):
        return tree.subfolders(folder)
    start = f"{folder}/" if folder else ""
    rests = (path.removeprefix(start) for path in tree.files(folder))
    return tuple(sorted({rest.partition("/")[0] for rest in rests if "/" in rest}))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # a link that leads back to itself
        return False


def _missing(path: str) -> MissingFile:
    return MissingFile(f"there is no file {path!r}", "check the spelling; paths are relative to the repository's root")


def _why_unreadable(path: str, error: OSError | RuntimeError) -> tuple[str, str | None]:
    code = error.errno if isinstance(error, OSError) else errno.ELOOP
    if code == errno.EISDIR:
        return f"{path!r} is a folder, not a file", "name a file"
    if code == errno.ELOOP:
        return f"{path!r} is a symbolic link that leads back to itself", "replace the link by the file"
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return f"cannot read {path!r}: {reason}", None
