from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.git.ignored import ignored_below
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


def test_outside_of_a_repository_nothing_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No repository, or no Git: everything is looked at."""
    write_files(tmp_path, FILES)
    assert ignored_below(tmp_path) == ()

    (tmp_path / ".git").mkdir()
    assert ignored_below(tmp_path) == ()

    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert ignored_below(tmp_path) == ()
