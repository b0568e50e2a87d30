"""Making tree objects out of files, without an index or a work tree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.core.errors import GitError
from f0ci.git.objects import FILE_MODE, FOLDER_MODE, SUBMODULE_MODE, TreeEntry, parse_tree_object

if TYPE_CHECKING:
    from collections.abc import Sequence

    from f0ci.git.repository import Repository


def write_blobs(repository: Repository, contents: Sequence[bytes]) -> tuple[str, ...]:
    """Store contents as they are, with no filter and no change of line ends, and return their ids in order."""
    import tempfile

    if not contents:
        return ()
    if len(contents) == 1:
        return (repository.run("hash-object", "-w", "--stdin", input=contents[0]).text,)
    with tempfile.TemporaryDirectory(prefix="f0ci-") as folder:
        paths = [Path(folder) / str(index) for index in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        names = "".join(f"{path}\n" for path in paths).encode()
        answer = repository.run("hash-object", "-w", "--no-filters", "--stdin-paths", input=names)
    return tuple(answer.text.split())


def write_tree(repository: Repository, files: Mapping[str, bytes | TreeEntry | None], base: str | None = None) -> str:
    """Store a tree and return its id.

    Args:
        repository: where.
        files: content, an entry whose mode and object are taken over, or None to
            leave out the file or folder that `base` has there.
        base: a tree (or a commit) whose other files are kept; none are when None.

    Raises:
        GitError: a path cannot be stored, or a file's path is a folder of another one.
    """
    new = [path for path, value in files.items() if isinstance(value, bytes)]
    oids = dict(
        zip(new, write_blobs(repository, [value for value in files.values() if isinstance(value, bytes)]), strict=True)
    )
    changes: dict[str, TreeEntry | None] = {}
    for path, value in files.items():
        _check_path(path)
        taken = [folder for folder in _parents(path) if folder and files.get(folder) is not None]
        if taken and value is not None:
            raise GitError(f"{taken[0]!r} is both a file and the folder of {path!r}", "rename one of them")
        if isinstance(value, bytes):
            changes[path] = TreeEntry(FILE_MODE, oids[path], path)
        else:
            changes[path] = value
    folders = _read_folders(repository, base, {folder for path in changes for folder in _parents(path)})
    _apply(folders, changes)
    return _store(repository, folders)


def _check_path(path: str) -> None:
    parts = path.split("/")
    if any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts) or any(sign in path for sign in "\0\n"):
        raise GitError(f"{path!r} cannot be the path of a file in Git", "give the file another name")


def _parents(path: str) -> list[str]:
    """Return the folders above a path, the root (empty) first."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(len(parts))]


def _read_folders(repository: Repository, base: str | None, wanted: set[str]) -> dict[str, dict[str, TreeEntry]]:
    """Return the entries of each wanted folder of a tree, and of its root, in one call."""
    folders = sorted(wanted | {""})
    if base is None:
        return {folder: {} for folder in folders}
    root = repository.tree_of(base)
    if root is None:
        raise GitError(f"there is no tree {base!r}", "fetch it first")
    answers = repository.read_objects([f"{root}:{folder}" if folder else root for folder in folders])
    found: dict[str, dict[str, TreeEntry]] = {}
    for folder, answer in zip(folders, answers, strict=True):
        name, parent = folder.rpartition("/")[2], folder.rpartition("/")[0]
        # a folder of the change may be a file in the base, which then gives way
        is_folder = not folder or found[parent].get(name, _NOTHING).mode == FOLDER_MODE
        found[folder] = parse_tree_object(answer[2], len(root) // 2) if answer is not None and is_folder else {}
    return found


_NOTHING = TreeEntry("", "", "")


def _apply(folders: dict[str, dict[str, TreeEntry]], changes: Mapping[str, TreeEntry | None]) -> None:
    """Put changes into folders: first what goes, so that the order in which they are named does not matter."""
    for path, entry in sorted(changes.items(), key=lambda change: change[1] is not None):
        folder, _, name = path.rpartition("/")
        folders[folder].pop(name, None)
        # a folder can only be here too where another change lies below the path
        if path in folders:
            for below in [entries for other, entries in folders.items() if f"{other}/".startswith(f"{path}/")]:
                below.clear()
        if entry is not None:
            folders[folder][name] = entry


def _store(repository: Repository, folders: dict[str, dict[str, TreeEntry]]) -> str:
    """Store folders from the deepest to the root, one call for each depth; empty ones are left out."""
    by_depth: dict[int, list[str]] = {}
    for folder in folders:
        by_depth.setdefault(len(folder.split("/")) if folder else 0, []).append(folder)
    for depth in sorted(by_depth, reverse=True):
        if depth == 0:
            break
        level = by_depth[depth]
        filled = [folder for folder in level if folders[folder]]
        oids = dict(zip(filled, _mktree(repository, [folders[folder] for folder in filled]), strict=True))
        for folder in level:
            parent, _, name = folder.rpartition("/")
            if folder in oids:
                folders[parent][name] = TreeEntry(FOLDER_MODE, oids[folder], folder)
            elif folders[parent].get(name, _NOTHING).mode == FOLDER_MODE:
                del folders[parent][name]
    return _mktree(repository, [folders[""]])[0]


def _mktree(repository: Repository, trees: Sequence[Mapping[str, TreeEntry]]) -> list[str]:
    if not trees:
        return []
    blocks = []
    for entries in trees:
        lines = [f"{entry.mode} {_kind(entry.mode)} {entry.oid}\t{name}\0" for name, entry in entries.items()]
        blocks.append("".join(lines))
    # an empty record ends a tree; the empty tree alone is asked for without --batch, which would skip it
    batch = ["--batch"] if len(trees) > 1 else []
    content = "\0".join(blocks).encode("utf-8", "surrogateescape")
    return repository.run("mktree", "-z", "--missing", *batch, input=content).text.split()


def _kind(mode: str) -> str:
    return {FOLDER_MODE: "tree", SUBMODULE_MODE: "commit"}.get(mode, "blob")
