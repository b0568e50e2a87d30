"""Trees: files of a folder and files in memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.core.errors import InputError, MissingFile
from f0ci.source.tree import DirectoryTree, MemoryTree, Tree, resolve_path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with files, folders and links of all kinds, and something beside it."""
    root = tmp_path / "repository"
    (root / "recipes/deep").mkdir(parents=True)
    for name in (".git", ".f0ci", ".github", ".hidden", "node_modules", "__pycache__"):
        (root / name).mkdir()
        (root / name / "file").write_bytes(b"x")
    (root / "recipes/deep/a.yaml").write_bytes(b"a")
    (root / "recipes/b.yaml").write_bytes(b"b")
    (root / "top.yaml").write_bytes(b"top")
    (tmp_path / "outside").write_bytes(b"secret")
    (tmp_path / "repository-too").mkdir()
    (tmp_path / "repository-too/file").write_bytes(b"secret")
    (root / "inside.yaml").symlink_to("recipes/b.yaml")
    (root / "folder").symlink_to("recipes")
    (root / "out").symlink_to("../outside")
    (root / "out-folder").symlink_to("../repository-too")
    (root / "loop").symlink_to("loop")
    (root / "recipes/up").symlink_to("..")
    (root / "dangling").symlink_to("nowhere")
    os.mkfifo(root / "pipe")
    return root


def test_files_are_listed_sorted_and_without_what_is_no_source(root: Path) -> None:
    tree = DirectoryTree(root)

    assert list(tree.files()) == [
        ".f0ci/file",
        ".github/file",
        "inside.yaml",
        "recipes/b.yaml",
        "recipes/deep/a.yaml",
        "top.yaml",
    ]
    assert list(tree.files("recipes")) == list(tree.files("recipes/")) == ["recipes/b.yaml", "recipes/deep/a.yaml"]
    assert list(tree.files("nowhere")) == []


@pytest.mark.parametrize(
    ("path", "content"),
    [("top.yaml", b"top"), ("inside.yaml", b"b"), ("folder/deep/a.yaml", b"a"), ("recipes/up/top.yaml", b"top")],
)
def test_files_and_links_that_stay_inside_are_read(root: Path, path: str, content: bytes) -> None:
    tree = DirectoryTree(root)

    assert tree.read(path) == content
    assert tree.exists(path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nope.yaml", "there is no file 'nope.yaml'"),
        ("top.yaml/x", "there is no file 'top.yaml/x'"),
        ("dangling", "there is no file 'dangling'"),
        ("recipes", "'recipes' is a folder, not a file"),
        ("out", "'out' leads out of 'repository'"),
        ("out-folder/file", "'out-folder/file' leads out of 'repository'"),
        ("../outside", "'../outside' leads out of 'repository'"),
        ("/etc/hostname", "'/etc/hostname' leads out of 'repository'"),
        ("loop", "'loop' is a symbolic link that leads back to itself"),
        ("loop/x", "'loop/x' is a symbolic link that leads back to itself"),
        ("a\0b", "there is no file 'a\\x00b'"),
    ],
)
def test_what_cannot_be_read_says_why(root: Path, path: str, message: str) -> None:
    tree = DirectoryTree(root)

    assert not tree.exists(path)
    with pytest.raises(InputError) as caught:
        tree.read(path)
    assert caught.value.message == message
    assert isinstance(caught.value, MissingFile) == message.startswith("there is no file")


def test_what_is_no_regular_file_is_not_waited_for(root: Path) -> None:
    tree = DirectoryTree(root)

    assert not tree.exists("pipe")
    with pytest.raises(InputError, match="'pipe' is not a regular file"):
        tree.read("pipe")


def test_files_without_permission_say_so(root: Path) -> None:
    (root / "top.yaml").chmod(0)
    if os.access(root / "top.yaml", os.R_OK):
        pytest.skip("this user may read everything")

    with pytest.raises(InputError, match=r"cannot read 'top\.yaml': Permission denied"):
        DirectoryTree(root).read("top.yaml")


def test_files_in_memory() -> None:
    tree: Tree = MemoryTree({"b/c": b"1", "a": b"2", "bb/d": b"3"})

    assert list(tree.files()) == ["a", "b/c", "bb/d"]
    assert list(tree.files("b")) == list(tree.files("b/")) == ["b/c"]
    assert (tree.read("a"), tree.exists("a"), tree.exists("b")) == (b"2", True, False)
    with pytest.raises(MissingFile):
        tree.read("b")


@pytest.mark.parametrize(
    ("path", "base", "resolved"),
    [
        ("a/b", "", "a/b"),
        ("./a//b/../c", "", "a/c"),
        ("../b", "a", "b"),
        ("b", "a/c", "a/c/b"),
        ("..", "a", "."),
        ("..", "", None),
        ("../../b", "a", None),
        ("a/../../b", "", None),
        ("/a", "b", None),
        ("~/a", "", None),
        ("\\\\host\\a", "", None),
        ("C:/a", "", None),
        ("a\0", "", None),
        ("..a", "", "..a"),
    ],
)
def test_paths_are_shortened_and_stay_inside(path: str, base: str, resolved: str | None) -> None:
    assert resolve_path(path, base) == resolved


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "..", ".", ""]), max_size=8), st.sampled_from(["", "a", "a/b"]))
def test_a_resolved_path_never_leaves(parts: list[str], base: str) -> None:
    resolved = resolve_path("/".join(parts), base)

    assert resolved is None or not resolved.startswith(("/", ".."))
    assert resolved is None or resolve_path(resolved) == resolved
