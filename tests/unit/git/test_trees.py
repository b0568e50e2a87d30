from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.core.errors import GitError
from f0ci.git.objects import TreeEntry
from f0ci.git.repository import Repository
from tests.conftest import git, write_files


def _content(repository: Repository, tree: str) -> dict[str, bytes]:
    entries = repository.list_files(tree)
    blobs = repository.read_blobs(entry.oid for entry in entries)
    return {entry.path: blobs[entry.oid] for entry in entries}


def test_the_tree_is_the_one_that_git_add_makes(repository: Repository) -> None:
    files = {"b": b"1", "a.txt": b"2", "a/x": b"3", "a-b/y": b"4", "a/é\t ü": b"5"}
    tree = repository.write_tree(files)
    git(repository.root, "rm", "-q", "-r", ".")
    write_files(repository.root, files)
    git(repository.root, "add", "-A")
    assert tree == git(repository.root, "write-tree")


def test_the_empty_tree(repository: Repository) -> None:
    empty = repository.write_tree({})
    assert repository.list_files(empty) == ()
    assert repository.write_tree({"a": None, "b/c": None}) == empty
    assert repository.write_tree(dict.fromkeys(("README.md", "recipes/a.yaml", "recipes/deep/b.yaml")), "HEAD") == empty


def test_other_files_of_the_base_are_kept(repository: Repository) -> None:
    tree = repository.write_tree({"recipes/deep/c.yaml": b"c", "new/file": b"n", "README.md": None}, "HEAD")
    assert _content(repository, tree) == {
        "new/file": b"n",
        "recipes/a.yaml": b"name: a\n",
        "recipes/deep/b.yaml": b"name: b\n",
        "recipes/deep/c.yaml": b"c",
    }


def test_modes_are_kept_and_entries_taken_over(repository: Repository) -> None:
    write_files(repository.root, {"run.sh": "#!/bin/sh\n"})
    (repository.root / "run.sh").chmod(0o755)
    (repository.root / "link").symlink_to("run.sh")
    git(repository.root, "add", "-A")
    git(repository.root, "commit", "-q", "-m", "more")
    entries = {entry.path: entry for entry in repository.list_files("HEAD")}
    tree = repository.write_tree({"copy.sh": entries["run.sh"], "a": b""}, "HEAD")
    modes = {entry.path: entry.mode for entry in repository.list_files(tree)}
    assert (modes["run.sh"], modes["copy.sh"], modes["link"], modes["a"]) == ("100755", "100755", "120000", "100644")
    assert repository.write_tree({path: TreeEntry(e.mode, e.oid, path) for path, e in entries.items()}) == (
        repository.tree_of("HEAD")
    )


def test_a_file_gives_way_to_a_folder_and_back(repository: Repository) -> None:
    folder = repository.write_tree({"README.md/inner": b"x"}, "HEAD")
    assert _content(repository, folder)["README.md/inner"] == b"x"
    file = repository.write_tree({"recipes": b"x"}, folder)
    assert set(_content(repository, file)) == {"README.md/inner", "recipes"}


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "../a", "a/./b", ".git/config", "a/.GIT/x", "a\nb", "a\0b"])
def test_paths_that_git_cannot_hold(path: str, repository: Repository) -> None:
    with pytest.raises(GitError, match="cannot be the path of a file in Git"):
        repository.write_tree({path: b"x"})


def test_a_path_cannot_be_file_and_folder(repository: Repository) -> None:
    with pytest.raises(GitError, match="'a' is both a file and the folder of 'a/b'"):
        repository.write_tree({"a": b"1", "a/b": b"2"})


def test_an_unknown_base(repository: Repository) -> None:
    with pytest.raises(GitError, match="there is no tree 'gone'"):
        repository.write_tree({"a": b"1"}, "gone")


_NAMES = st.sampled_from(["a", "b", "a.c", "a-", "ä"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)


def _possible(files: Mapping[str, bytes | None]) -> bool:
    kept = [path for path, content in files.items() if content is not None]
    return not any(other.startswith(f"{path}/") for path in kept for other in kept)


def _without(files: Mapping[str, bytes], path: str) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name != path and not name.startswith(f"{path}/")}


@settings(max_examples=40, deadline=None)
@given(
    base=st.dictionaries(_PATHS, st.binary(max_size=3), max_size=6).filter(_possible),
    change=st.dictionaries(_PATHS, st.none() | st.binary(max_size=3), max_size=6).filter(_possible),
)
def test_a_change_of_a_base_is_what_a_mapping_would_be(base: dict[str, bytes], change: dict[str, bytes | None]) -> None:
    expected: dict[str, bytes] = dict(base)
    for path in change:
        expected = _without(expected, path)
    for path, content in change.items():
        if content is not None:
            # a file that is the new one's folder gives way
            expected = {name: kept for name, kept in expected.items() if not path.startswith(f"{name}/")}
            expected[path] = content
    with tempfile.TemporaryDirectory() as folder:
        git(Path(folder), "init", "-q", "--bare")
        repository = Repository.open(Path(folder))
        tree = repository.write_tree(change, repository.write_tree(base))
        assert _content(repository, tree) == expected
        assert repository.write_tree(expected) == tree
