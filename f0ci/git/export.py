"""Writing the files of a commit into a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.core.errors import GitError
from f0ci.git.objects import EXECUTABLE_MODE, LINK_MODE, SUBMODULE_MODE, TreeEntry

if TYPE_CHECKING:
    from f0ci.git.repository import Repository

# files read at a time, which bounds the memory that a large commit takes
_AT_A_TIME = 256


def export(repository: Repository, tree: str, folder: Path, paths: Sequence[str] = ()) -> None:
    """Write a tree's files: exact bytes and executable bits; submodules become empty folders.

    Symbolic links come last, so that nothing is written through them.

    Raises:
        GitError: a path is not in the tree, a name in it is unsafe, or the folder is not empty.
    """
    entries = _wanted(repository, tree, paths)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise GitError(f"the folder {str(folder)!r} is not empty", "name a new folder")
        for entry, content in _contents(repository, [entry for entry in entries if entry.mode != LINK_MODE]):
            target = folder / entry.path
            if content is None:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            if entry.mode == EXECUTABLE_MODE:
                target.chmod(0o755)
        for entry, content in _contents(repository, [entry for entry in entries if entry.mode == LINK_MODE]):
            target = folder / entry.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to((content or b"").decode("utf-8", "surrogateescape"))
    except OSError as error:
        raise GitError(
            f"cannot write the files of a commit to {str(folder)!r}: {error.strerror or error}",
            "check the folder's permissions and free space",
        ) from error


def _wanted(repository: Repository, tree: str, paths: Sequence[str]) -> list[TreeEntry]:
    entries: dict[str, TreeEntry] = {}
    for prefix in paths or ("",):
        listed = repository.list_files(tree, prefix)
        if prefix and not listed:
            raise GitError(f"there is no {prefix!r} in this commit", "check the spelling")
        entries.update((entry.path, entry) for entry in listed)
    for path in entries:
        if any(part in {"", ".", ".."} or part.lower() == ".git" for part in path.split("/")):
            raise GitError(f"the commit holds {path!r}, which would be written outside of the folder", "remove it")
    return list(entries.values())


def _contents(repository: Repository, entries: Sequence[TreeEntry]) -> Iterator[tuple[TreeEntry, bytes | None]]:
    for start in range(0, len(entries), _AT_A_TIME):
        part = entries[start : start + _AT_A_TIME]
        blobs = repository.read_blobs(entry.oid for entry in part if entry.mode != SUBMODULE_MODE)
        for entry in part:
            yield entry, blobs.get(entry.oid)
