from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.core.errors import GitError
from f0ci.git.repository import Repository
from tests.conftest import commit_files, git, write_files

Make = Callable[..., Path]


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_exact_bytes_whatever_the_settings(make_repository: Make, tmp_path: Path) -> None:
    path = make_repository("repo", {"a.txt": b"one\r\ntwo\n", "dir/run.sh": "#!/bin/sh\n", "dir/\xe9": b"\xff\0"})
    (path / "dir/run.sh").chmod(0o755)
    (path / "link").symlink_to("dir/run.sh")
    commit_files(path, {".gitattributes": "dir/run.sh export-ignore\n*.txt text eol=crlf export-subst\n"})
    write_files(path, {"a.txt": "not committed"})
    target = tmp_path / "deep/out"
    Repository.open(path).checkout_to("HEAD", target)
    assert _files(target) == {
        ".gitattributes": b"dir/run.sh export-ignore\n*.txt text eol=crlf export-subst\n",
        "a.txt": Repository.open(path).read_files("HEAD", ["a.txt"])["a.txt"],
        "dir/run.sh": b"#!/bin/sh\n",
        "dir/\xe9": b"\xff\0",
        "link": b"#!/bin/sh\n",
    }
    assert (target / "dir/run.sh").stat().st_mode & 0o777 == 0o755
    assert (target / "link").readlink() == Path("dir/run.sh")
    assert not (target / ".git").exists()


def test_only_some_paths(make_repository: Make, tmp_path: Path) -> None:
    repository = Repository.open(make_repository("repo", {"a/b": "1", "a/c": "2", "ab": "3", "d": "4"}))
    repository.checkout_to("HEAD", tmp_path / "out", ["a", "d"])
    assert set(_files(tmp_path / "out")) == {"a/b", "a/c", "d"}
    with pytest.raises(GitError, match="there is no 'gone' in this commit"):
        repository.checkout_to("HEAD", tmp_path / "other", ["gone"])


def test_more_files_than_are_read_at_a_time(make_repository: Make, tmp_path: Path) -> None:
    files = {f"{index % 7}/{index}": str(index) for index in range(600)}
    Repository.open(make_repository("repo", files)).checkout_to("HEAD", tmp_path / "out")
    assert _files(tmp_path / "out") == {path: content.encode() for path, content in files.items()}


def test_a_submodule_is_an_empty_folder(make_repository: Make, tmp_path: Path) -> None:
    path = make_repository()
    git(path, "update-index", "--add", "--cacheinfo", f"160000,{git(path, 'rev-parse', 'HEAD')},module")
    git(path, "commit", "-q", "-m", "module")
    Repository.open(path).checkout_to("HEAD", tmp_path / "out")
    assert list((tmp_path / "out/module").iterdir()) == []


def test_only_into_an_empty_folder(make_repository: Make, tmp_path: Path) -> None:
    write_files(tmp_path / "out", {"mine": "1"})
    with pytest.raises(GitError, match="is not empty"):
        Repository.open(make_repository()).checkout_to("HEAD", tmp_path / "out")
    with pytest.raises(GitError, match="cannot write the files of a commit"):
        Repository.open(make_repository("other")).checkout_to("HEAD", tmp_path / "out/mine")


def test_nothing_is_written_outside_of_the_folder(make_repository: Make, tmp_path: Path) -> None:
    path = make_repository()
    repository = Repository.open(path)
    blob = repository.write_blobs([b"evil"])[0]
    for name in ("..", ".git", ".GIT"):
        inner = repository.run("mktree", input=f"100644 blob {blob}\tx\n".encode()).text
        tree = repository.run("mktree", input=f"040000 tree {inner}\t{name}\n".encode()).text
        commit = repository.commit(tree, [], "evil")
        with pytest.raises(GitError, match="would be written outside of the folder"):
            repository.checkout_to(commit, tmp_path / "out")
    assert not (tmp_path / "x").exists()


def test_no_file_is_written_through_a_link(make_repository: Make, tmp_path: Path) -> None:
    repository = Repository.open(make_repository())
    outside = tmp_path / "outside"
    outside.mkdir()
    target, evil = repository.write_blobs([str(outside).encode(), b"evil"])
    inner = repository.run("mktree", input=f"100644 blob {evil}\tx\n".encode()).text
    # the same name twice, once as a link and once as a folder: Git itself never writes such a tree
    lines = f"120000 blob {target}\tdir\n040000 tree {inner}\tdir\n"
    tree = repository.run("mktree", input=lines.encode()).text
    with pytest.raises(GitError):
        repository.checkout_to(repository.commit(tree, [], "evil"), tmp_path / "out")
    assert list(outside.iterdir()) == []
