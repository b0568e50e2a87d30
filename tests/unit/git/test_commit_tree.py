from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.core.errors import GitError, InputError, MissingFile
from f0ci.git.repository import Repository
from f0ci.source.tree import DirectoryTree, Tree
from tests.conftest import commit_files, git

FILES = {
    "README.md": "r",
    "f0ci.yaml": "f",
    "recipes/a.yaml": "a",
    "recipes/a/b.yaml": "b",
    "recipes.txt": "t",
    ".github/workflows/ci.yml": "c",
    ".f0ci/approvers.yaml": "p",
    ".hidden/x": "x",
    "src/node_modules/y.js": "y",
    "src/é/z.py": "z",
}


@pytest.fixture
def pair(make_repository: Callable[..., Path]) -> tuple[Tree, Tree]:
    """Return the same files as a folder and as a commit."""
    path = make_repository("repo", FILES)
    for link, target in {
        "good": "recipes/a.yaml",
        "src/up": "../README.md",
        "linked": "recipes",
        "chain": "good",
        "broken": "nowhere",
        "outside": "../../etc/hostname",
        "absolute": "/etc/hostname",
        "loop": "loop",
    }.items():
        (path / link).symlink_to(target)
    commit_files(path, {})
    return DirectoryTree(path), Repository.open(path).tree("HEAD")


@pytest.mark.parametrize("prefix", ["", "recipes", "recipes/a", "src", ".hidden", "gone", "src/node_modules"])
def test_a_commit_lists_what_a_folder_lists(prefix: str, pair: tuple[Tree, Tree]) -> None:
    folder, commit = pair
    assert list(commit.files(prefix)) == list(folder.files(prefix))


@pytest.mark.parametrize("path", [*FILES, "good", "src/up", "linked/a.yaml", "linked/a/b.yaml", "chain"])
def test_a_commit_reads_what_a_folder_reads(path: str, pair: tuple[Tree, Tree]) -> None:
    folder, commit = pair
    assert commit.exists(path)
    assert commit.read(path) == folder.read(path)


@pytest.mark.parametrize(
    "path", ["gone", "recipes", "recipes/gone", "broken", "outside", "absolute", "loop", "linked", "README.md/x"]
)
def test_a_commit_refuses_what_a_folder_refuses(path: str, pair: tuple[Tree, Tree]) -> None:
    for tree in pair:
        assert not tree.exists(path)
        with pytest.raises(InputError):
            tree.read(path)


@pytest.mark.parametrize("path", ["gone", "broken", "recipes/gone"])
def test_a_missing_file_is_told_from_one_that_cannot_be_read(path: str, pair: tuple[Tree, Tree]) -> None:
    for tree in pair:
        with pytest.raises(MissingFile):
            tree.read(path)


def test_all_files_come_in_two_calls(make_repository: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_repository("repo", {f"recipes/{index}.yaml": str(index) for index in range(40)})
    tree = Repository.open(path).tree("HEAD")
    trace = path.parent / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    for index in range(40):
        assert tree.read(f"recipes/{index}.yaml") == str(index).encode()
    assert len(tree.read_all()) == 40
    started = [line for line in trace.read_text(encoding="utf-8").splitlines() if "trace: built-in: git" in line]
    assert [line.split("built-in: git ")[1].split()[0] for line in started].count("cat-file") <= 3


def test_reading_all_names_the_file_that_is_missing(make_repository: Callable[..., Path]) -> None:
    tree = Repository.open(make_repository("other", {"a": "1", "b": "2"})).tree("HEAD")
    assert tree.read_all(["b", "a"]) == {"b": b"2", "a": b"1"}
    with pytest.raises(MissingFile, match="there is no file 'c' in commit 'HEAD'"):
        tree.read_all(["a", "c"])


def test_an_unknown_commit(make_repository: Callable[..., Path]) -> None:
    with pytest.raises(GitError, match="there is no commit 'gone'"):
        Repository.open(make_repository()).tree("gone")


def test_submodules_are_no_files(make_repository: Callable[..., Path]) -> None:
    path = make_repository()
    git(path, "update-index", "--add", "--cacheinfo", f"160000,{git(path, 'rev-parse', 'HEAD')},module")
    git(path, "commit", "-q", "-m", "module")
    tree = Repository.open(path).tree("HEAD")
    assert list(tree.files()) == ["README.md"]
    assert not tree.exists("module")
