from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.core.errors import GitError
from f0ci.git.repository import Repository
from tests.conftest import RemoteRepository, git, write_files

Make = Callable[..., Path]


def test_from_any_folder_of_the_work_tree(make_repository: Make) -> None:
    path = make_repository("repo", {"a/b/c.txt": "x"})
    assert Repository.open(path / "a/b").root == path
    assert Repository.open(path).git_dir == path / ".git"


def test_a_linked_work_tree(make_repository: Make, tmp_path: Path) -> None:
    path = make_repository("repo")
    git(path, "worktree", "add", "-q", str(tmp_path / "linked"))
    linked = Repository.open(tmp_path / "linked")
    assert (linked.root, linked.git_dir) == (tmp_path / "linked", path / ".git/worktrees/linked")
    assert linked.resolve("HEAD") == git(path, "rev-parse", "HEAD")


def test_a_bare_repository_has_objects_but_no_files(remote_repository: RemoteRepository) -> None:
    bare = Repository.open(remote_repository.bare)
    assert bare.read_files("main", ["README.md"]) == {"README.md": b"# example\n"}
    with pytest.raises(GitError, match="is a bare repository, which has no files") as caught:
        _ = bare.root
    assert caught.value.hint == "run the command in a clone of it"
    with pytest.raises(GitError, match="bare"):
        bare.is_dirty()


def test_nowhere(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="is not in a Git repository") as caught:
        Repository.open(tmp_path)
    assert "git init" in (caught.value.hint or "")


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="there is no folder"):
        Repository.open(tmp_path / "gone")


def test_inside_the_git_folder(make_repository: Make) -> None:
    with pytest.raises(GitError, match=r"inside a '\.git' folder"):
        Repository.open(make_repository() / ".git")


def test_one_that_git_does_not_trust(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_repository()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(GitError, match="does not trust") as caught:
        Repository.open(path)
    assert caught.value.hint == f"git config --global --add safe.directory {path}"


def test_a_hooks_git_dir_points_nobody_elsewhere(make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = make_repository("one"), make_repository("other", {"b": "b"})
    monkeypatch.setenv("GIT_DIR", str(one / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(one))
    monkeypatch.setenv("GIT_INDEX_FILE", str(one / ".git/index"))
    assert Repository.open(other).root == other
    assert Repository.open(other).read_files("HEAD", ["b"]) == {"b": b"b"}


def test_names_of_every_kind(repository: Repository) -> None:
    git(repository.root, "tag", "-a", "v1", "-m", "one")
    head = git(repository.root, "rev-parse", "HEAD")
    tag = git(repository.root, "rev-parse", "v1")
    assert repository.resolve("v1") == tag != head
    assert repository.commit_of("v1") == head == repository.commit_of(head[:10])
    assert repository.resolve(f"{head}:README.md") == git(repository.root, "rev-parse", "HEAD:README.md")


@pytest.mark.parametrize("name", ["gone", "", "-h", "--all", "a\nb", "HEAD\0", "0" * 40, "0" * 64, "HEAD~99"])
def test_names_of_nothing(name: str, repository: Repository) -> None:
    assert repository.resolve(name) is None
    assert repository.commit_of(name) is None
    assert repository.tree_of(name) is None


def test_trees(repository: Repository) -> None:
    assert repository.tree_of("HEAD") == git(repository.root, "rev-parse", "HEAD^{tree}")
    assert repository.tree_of(git(repository.root, "rev-parse", "HEAD:recipes")) is not None
    assert repository.tree_of("HEAD:README.md") is None


def test_files(repository: Repository) -> None:
    assert repository.read_files("HEAD", ["recipes/a.yaml"]) == {"recipes/a.yaml": b"name: a\n"}
    for path in ("recipes", "gone", "recipes/*.yaml", ""):
        with pytest.raises(GitError, match="there is no file"):
            repository.read_files("HEAD", [path])


def test_listings(repository: Repository) -> None:
    assert [entry.path for entry in repository.list_files("HEAD")] == [
        "README.md",
        "recipes/a.yaml",
        "recipes/deep/b.yaml",
    ]
    assert [entry.path for entry in repository.list_files("HEAD", "recipes/deep/")] == ["recipes/deep/b.yaml"]
    assert repository.list_files("HEAD", "rec") == ()


def test_listing_nothing_is_an_error(repository: Repository) -> None:
    for name in ("gone", "--help", "HEAD:README.md", ""):
        with pytest.raises(GitError, match=f"there is no commit '{name}'"):
            repository.list_files(name)


def test_blobs_come_in_one_call_whatever_they_hold(repository: Repository) -> None:
    contents = [b"", b"\n", b"a missing\n", bytes(range(256)), b"x" * 70_000]
    oids = repository.write_blobs(contents)
    assert repository.read_blobs([*oids, *oids]) == dict(zip(oids, contents, strict=True))
    assert repository.read_blobs([]) == {}


def test_a_missing_blob_is_an_error(repository: Repository) -> None:
    with pytest.raises(GitError, match="is a tree, not a file"):
        repository.read_blobs([repository.tree_of("HEAD") or ""])
    with pytest.raises(GitError, match="is not in this repository"):
        repository.read_blobs(["1" * 40])


def test_from_a_folder_below_paths_still_start_at_the_root(repository: Repository) -> None:
    below = Repository.open(repository.root / "recipes")
    assert [entry.path for entry in below.list_files("HEAD", "recipes/deep")] == ["recipes/deep/b.yaml"]


def test_replaced_objects_do_not_deceive(repository: Repository) -> None:
    honest, forged = repository.write_blobs([b"approved", b"rejected"])
    git(repository.root, "replace", honest, forged)
    assert repository.read_blobs([honest]) == {honest: b"approved"}


def test_dirty(make_repository: Make) -> None:
    path = make_repository("repo", {"a": "1", "dir/b": "1"})
    repository = Repository.open(path)
    assert not repository.is_dirty()
    write_files(path, {"dir/new": "1"})
    assert repository.is_dirty()
    assert repository.is_dirty(["dir"])
    assert not repository.is_dirty(["a"])
    git(path, "add", "-A")
    git(path, "config", "status.showUntrackedFiles", "no")
    write_files(path, {"x": "1"})
    assert repository.is_dirty(["x"])


def test_config(make_repository: Make) -> None:
    path = make_repository()
    repository = Repository.open(path)
    git(path, "config", "f0ci.flag", "on")
    git(path, "config", "f0ci.odd", "maybe")
    assert repository.config("user.email") == "alice@example.com"
    assert repository.config("f0ci.gone") is None
    assert repository.config("f0ci.flag", kind="bool") == "true"
    assert (repository.flag("f0ci.flag"), repository.flag("f0ci.gone")) == (True, False)
    with pytest.raises(GitError, match=r"cannot read its setting 'f0ci\.odd'"):
        repository.flag("f0ci.odd")


def test_remotes(remote_repository: RemoteRepository) -> None:
    git(remote_repository.work, "remote", "add", "backup", "/nowhere")
    assert Repository.open(remote_repository.work).remotes() == ("backup", "origin")
    assert Repository.open(remote_repository.bare).remotes() == ()


def test_the_default_branch_of_a_remote(remote_repository: RemoteRepository, tmp_path: Path) -> None:
    repository = Repository.open(remote_repository.work)
    assert repository.default_branch("origin") == "refs/remotes/origin/main"
    # as a CI system checks out: the commit alone, and no branch of the remote
    bare = tmp_path / "ci"
    bare.mkdir()
    git(bare, "init", "-q")
    git(bare, "fetch", "-q", "--depth=1", remote_repository.bare.as_uri(), "main")
    git(bare, "remote", "add", "origin", remote_repository.bare.as_uri())
    git(bare, "checkout", "-q", "FETCH_HEAD")
    checkout = Repository.open(bare)
    assert checkout.default_branch("origin") is None
    git(bare, "update-ref", "refs/f0ci/origin/heads/main", "HEAD")
    assert checkout.default_branch("origin") == "refs/f0ci/origin/heads/main"


def test_the_default_branch_without_a_remote(make_repository: Make, tmp_path: Path) -> None:
    path = make_repository()
    repository = Repository.open(path)
    git(path, "checkout", "-q", "-b", "topic")
    assert repository.default_branch(None) == "refs/heads/main"
    git(path, "branch", "-q", "-m", "main", "trunk")
    assert repository.default_branch(None) == "refs/heads/topic"
    git(path, "config", "init.defaultBranch", "trunk")
    assert repository.default_branch(None) == "refs/heads/trunk"
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q")
    assert Repository.open(tmp_path / "empty").default_branch(None) is None


def test_a_failing_command_is_an_error_only_when_asked(make_repository: Make) -> None:
    repository = Repository.open(make_repository())
    assert repository.run("cat-file", "-p", "gone", check=False).code != 0
    with pytest.raises(GitError, match="`git cat-file` failed: Not a valid object name gone"):
        repository.run("-c", "core.x=y", "cat-file", "-p", "gone")
    with pytest.raises(GitError) as caught:
        repository.run("cat-file", "--no-such-option")
    assert caught.value.hint == "f0ci needs Git 2.30 or newer; see `git version`"
