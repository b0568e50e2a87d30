from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.git.ignored import ignored_below, is_ignored
from tests.conftest import git, write_files

FILES = {
    ".gitignore": "out/\n*.tmp.yaml\n",
    "a.yaml": "a",
    "b.tmp.yaml": "b",
    "out/c.yaml": "c",
    "out/deep/d.yaml": "d",
    "e/ü x.tmp.yaml": "e",
    "e/f.yaml": "f",
}


def test_ignored_files_and_folders_are_named(make_repository: Callable[..., Path]) -> None:
    """A folder stands for all that is in it; names are as the file system has them."""
    root = make_repository()
    write_files(root, FILES)

    assert sorted(ignored_below(root)) == ["b.tmp.yaml", "e/ü x.tmp.yaml", "out"]
    assert ignored_below(root / "e") == ("ü x.tmp.yaml",)


def test_what_is_tracked_is_not_ignored(make_repository: Callable[..., Path]) -> None:
    """A pattern does not take away what somebody added on purpose."""
    root = make_repository()
    write_files(root, FILES)
    git(root, "add", "-f", "b.tmp.yaml")

    assert "b.tmp.yaml" not in ignored_below(root)


def test_inside_of_what_is_ignored_nothing_is(make_repository: Callable[..., Path]) -> None:
    """Whoever works in a folder that a repository around it ignores wants it looked at."""
    root = make_repository()
    write_files(root, FILES)

    assert ignored_below(root / "out") == ()


@pytest.mark.parametrize(
    ("folder", "path", "expected"),
    [
        (".", "b.tmp.yaml", True),
        (".", "e/no such.tmp.yaml", True),
        (".", "out/deep/none.yaml", True),
        ("e", "none.tmp.yaml", True),
        (".", "a.yaml", False),
        (".", "none.yaml", False),
        (".", "../b.tmp.yaml", False),
        (".", "-q", False),
    ],
)
def test_one_path_is_ignored_whether_it_is_there_or_not(
    make_repository: Callable[..., Path], folder: str, path: str, expected: bool
) -> None:
    root = make_repository()
    write_files(root, FILES)

    assert is_ignored(root / folder, path) is expected


def test_a_path_that_is_tracked_is_not_ignored_once_it_is_removed(make_repository: Callable[..., Path]) -> None:
    root = make_repository()
    write_files(root, FILES)
    git(root, "add", "-f", "b.tmp.yaml")
    (root / "b.tmp.yaml").unlink()

    assert not is_ignored(root, "b.tmp.yaml")


def test_outside_of_a_repository_nothing_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No repository, or no Git: everything is looked at."""
    write_files(tmp_path, FILES)
    assert ignored_below(tmp_path) == ()
    assert not is_ignored(tmp_path, "b.tmp.yaml")

    (tmp_path / ".git").mkdir()
    assert ignored_below(tmp_path) == ()

    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert ignored_below(tmp_path) == ()
