from __future__ import annotations

from pathlib import Path

from f0ci.source.tree import DirectoryTree
from f0ci.source.worktree import WorkTree
from tests.conftest import write_files

FILES = {"a.yaml": "a", "b/c.yaml": "c", "b-d.yaml": "d", "out/e.yaml": "e", "out/deep/f.yaml": "f"}


def test_without_anything_it_is_the_folder(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)

    assert list(WorkTree(tmp_path).files()) == list(DirectoryTree(tmp_path).files())


def test_what_is_ignored_is_not_found_but_can_be_read(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    tree = WorkTree(tmp_path, ignored=["out/", "b/c.yaml"])

    assert list(tree.files()) == ["a.yaml", "b-d.yaml"]
    assert list(tree.files("out")) == []
    assert tree.subfolders("") == ("b",)
    assert tree.exists("out/e.yaml")
    assert tree.read("out/e.yaml") == b"e"


def test_what_is_edited_stands_for_the_file(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    tree = WorkTree(tmp_path, edited={"a.yaml": b"other", "b/b.yaml": b"new", "new/n.yaml": b"n"})

    assert tree.read("a.yaml") == b"other"
    assert tree.size("a.yaml") == 5
    assert tree.exists("b/b.yaml")
    assert not tree.exists("b/z.yaml")
    assert list(tree.files()) == sorted({*FILES, "b/b.yaml", "new/n.yaml"}, key=lambda path: path.split("/"))
    assert list(tree.files("b")) == ["b/b.yaml", "b/c.yaml"]
    assert tree.subfolders("") == ("b", "new", "out")
