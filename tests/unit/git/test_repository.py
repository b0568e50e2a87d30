from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from f0ci.core.errors import GitError
from f0ci.git.objects import Identity
from f0ci.git.repository import Repository
from tests.conftest import RemoteRepository, SshIdentity, commit_files, git, write_files

Make = Callable[..., Path]
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["sha1", "sha256"])
def repository(request: pytest.FixtureRequest, make_repository: Make) -> Repository:
    files = {"README.md": "# example\n", "recipes/a.yaml": "name: a\n", "recipes/deep/b.yaml": "name: b\n"}
    return Repository.open(make_repository("repo", files, f"--object-format={request.param}"))


def _state(path: Path) -> tuple[str, ...]:
    index = (path / ".git/index").read_bytes().hex()
    return (index, git(path, "status", "--porcelain"), git(path, "for-each-ref"), git(path, "rev-parse", "HEAD"))


class TestOpening:
    def test_from_any_folder_of_the_work_tree(self, make_repository: Make) -> None:
        path = make_repository("repo", {"a/b/c.txt": "x"})
        assert Repository.open(path / "a/b").root == path
        assert Repository.open(path).git_dir == path / ".git"

    def test_a_linked_work_tree(self, make_repository: Make, tmp_path: Path) -> None:
        path = make_repository("repo")
        git(path, "worktree", "add", "-q", str(tmp_path / "linked"))
        linked = Repository.open(tmp_path / "linked")
        assert (linked.root, linked.git_dir) == (tmp_path / "linked", path / ".git/worktrees/linked")
        assert linked.resolve("HEAD") == git(path, "rev-parse", "HEAD")

    def test_a_bare_repository_has_objects_but_no_files(self, remote_repository: RemoteRepository) -> None:
        bare = Repository.open(remote_repository.bare)
        assert bare.read_file("main", "README.md") == b"# example\n"
        with pytest.raises(GitError, match="is a bare repository, which has no files") as caught:
            _ = bare.root
        assert caught.value.hint == "run the command in a clone of it"
        with pytest.raises(GitError, match="bare"):
            bare.is_dirty()

    def test_nowhere(self, tmp_path: Path) -> None:
        with pytest.raises(GitError, match="is not in a Git repository") as caught:
            Repository.open(tmp_path)
        assert "git init" in (caught.value.hint or "")

    def test_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(GitError, match="there is no folder"):
            Repository.open(tmp_path / "gone")

    def test_inside_the_git_folder(self, make_repository: Make) -> None:
        with pytest.raises(GitError, match=r"inside a '\.git' folder"):
            Repository.open(make_repository() / ".git")

    def test_one_that_git_does_not_trust(self, make_repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        path = make_repository()
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        with pytest.raises(GitError, match="does not trust") as caught:
            Repository.open(path)
        assert caught.value.hint == f"git config --global --add safe.directory {path}"

    def test_a_hooks_git_dir_points_nobody_elsewhere(
        self, make_repository: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, other = make_repository("one"), make_repository("other", {"b": "b"})
        monkeypatch.setenv("GIT_DIR", str(one / ".git"))
        monkeypatch.setenv("GIT_WORK_TREE", str(one))
        monkeypatch.setenv("GIT_INDEX_FILE", str(one / ".git/index"))
        assert Repository.open(other).root == other
        assert Repository.open(other).read_file("HEAD", "b") == b"b"


class TestReading:
    def test_names_of_every_kind(self, repository: Repository) -> None:
        git(repository.root, "tag", "-a", "v1", "-m", "one")
        head = git(repository.root, "rev-parse", "HEAD")
        tag = git(repository.root, "rev-parse", "v1")
        assert repository.resolve("v1") == tag != head
        assert repository.commit_of("v1") == head == repository.commit_of(head[:10])
        assert repository.resolve(f"{head}:README.md") == git(repository.root, "rev-parse", "HEAD:README.md")

    @pytest.mark.parametrize("name", ["gone", "", "-h", "--all", "a\nb", "HEAD\0", "0" * 40, "0" * 64, "HEAD~99"])
    def test_names_of_nothing(self, name: str, repository: Repository) -> None:
        assert repository.resolve(name) is None
        assert repository.commit_of(name) is None
        assert repository.tree_of(name) is None
        assert repository.read_file(name, "README.md") is None

    def test_trees(self, repository: Repository) -> None:
        assert repository.tree_of("HEAD") == git(repository.root, "rev-parse", "HEAD^{tree}")
        assert repository.tree_of("HEAD", "recipes/deep") == git(repository.root, "rev-parse", "HEAD:recipes/deep")
        assert repository.tree_of("HEAD", "recipes/deep/") == repository.tree_of("HEAD", "recipes/deep")
        for path in ("README.md", "recipes/gone", "recipe", "*"):
            assert repository.tree_of("HEAD", path) is None

    def test_files(self, repository: Repository) -> None:
        assert repository.read_file("HEAD", "recipes/a.yaml") == b"name: a\n"
        for path in ("recipes", "gone", "recipes/*.yaml", ""):
            assert repository.read_file("HEAD", path) is None

    def test_listings(self, repository: Repository) -> None:
        assert [entry.path for entry in repository.list_files("HEAD")] == [
            "README.md",
            "recipes/a.yaml",
            "recipes/deep/b.yaml",
        ]
        assert [entry.path for entry in repository.list_files("HEAD", "recipes/deep/")] == ["recipes/deep/b.yaml"]
        assert repository.list_files("HEAD", "rec") == ()

    def test_listing_nothing_is_an_error(self, repository: Repository) -> None:
        with pytest.raises(GitError, match="there is no commit 'gone'"):
            repository.list_files("gone")

    def test_blobs_come_in_one_call_whatever_they_hold(self, repository: Repository) -> None:
        contents = [b"", b"\n", b"a missing\n", bytes(range(256)), b"x" * 70_000]
        oids = repository.write_blobs(contents)
        assert repository.read_blobs([*oids, *oids]) == dict(zip(oids, contents, strict=True))
        assert repository.read_blobs([]) == {}

    def test_a_missing_blob_is_an_error(self, repository: Repository) -> None:
        with pytest.raises(GitError, match="is not in this repository"):
            repository.read_blobs(["1" * 40])

    def test_from_a_folder_below_paths_still_start_at_the_root(self, repository: Repository) -> None:
        below = Repository.open(repository.root / "recipes")
        assert [entry.path for entry in below.list_files("HEAD", "recipes/deep")] == ["recipes/deep/b.yaml"]

    def test_replaced_objects_do_not_deceive(self, repository: Repository) -> None:
        honest, forged = repository.write_blobs([b"approved", b"rejected"])
        git(repository.root, "replace", honest, forged)
        assert repository.read_blobs([honest]) == {honest: b"approved"}


class TestCommitting:
    def test_nothing_of_the_users_is_touched(self, repository: Repository) -> None:
        write_files(repository.root, {"README.md": "changed", "new": "new"})
        git(repository.root, "add", "new")
        before = _state(repository.root)
        tree = repository.write_tree({"a": b"a", "b/c": b"c"}, "HEAD")
        commit = repository.commit(tree, [repository.commit_of("HEAD") or ""], "message")
        repository.tag("v1", commit, "one")
        repository.log(commit)
        repository.is_dirty()
        repository.tree(commit).read_all()
        assert _state(repository.root) == before

    def test_the_same_at_the_same_time_is_the_same_commit(self, repository: Repository) -> None:
        tree = repository.write_tree({"a": b"a"})
        one, two = (repository.commit(tree, [], "message\n", time=NOON) for _ in range(2))
        assert one == two
        (info,) = repository.log(one)
        assert (info.time, info.tree, info.parents) == (NOON, tree, ())

    def test_author_and_trailers(self, repository: Repository) -> None:
        head = repository.commit_of("HEAD") or ""
        message = (
            "promote\n\nWhy: not a trailer\n\nF0-Promotion: p1\nF0-Plan: abc\n  def\nCo-authored-by: Bo <bo@x.org>\n"
        )
        commit = repository.commit(
            repository.tree_of("HEAD") or "", [head], message, author=Identity("Zoë", "zoe@example.com"), time=NOON
        )
        info = repository.log(f"{head}..{commit}")[0]
        assert info.author == Identity("Zoë", "zoe@example.com")
        assert info.committer == repository.identity() == Identity("Alice Example", "alice@example.com")
        assert info.message == message
        assert info.trailers == (
            ("F0-Promotion", "p1"),
            ("F0-Plan", "abc def"),
            ("Co-authored-by", "Bo <bo@x.org>"),
        )

    def test_without_an_identity_the_way_out_is_named(
        self, repository: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        git(repository.root, "config", "--global", "--unset", "user.email")
        monkeypatch.setenv("EMAIL", "")
        tree = repository.tree_of("HEAD") or ""
        calls: list[Callable[[], object]] = [
            repository.identity,
            lambda: repository.commit(tree, [], "x"),
            lambda: repository.tag("v1", "HEAD", "x"),
        ]
        for call in calls:
            with pytest.raises(GitError, match="does not know who you are") as caught:
                call()
            assert "user.name" in (caught.value.hint or "")
            assert "user.email" in (caught.value.hint or "")

    def test_signed_when_git_signs(self, repository: Repository, ssh_identity: Callable[[str], SshIdentity]) -> None:
        alice = ssh_identity("alice")
        alice.sign_with(repository.root)
        git(repository.root, "config", "commit.gpgSign", "true")
        signers = repository.root.parent / "signers"
        signers.write_text(f"alice@example.com {alice.key}\n", encoding="ascii")
        git(repository.root, "config", "gpg.ssh.allowedSignersFile", str(signers))
        commit = repository.commit(repository.tree_of("HEAD") or "", [], "signed\n")
        tag = repository.tag("v1", commit, "signed\n")
        git(repository.root, "verify-commit", commit)
        git(repository.root, "verify-tag", tag)
        git(repository.root, "config", "log.showSignature", "true")
        assert [info.oid for info in repository.log(commit)] == [commit]
        git(repository.root, "config", "tag.gpgSign", "false")
        unsigned = repository.tag("v1", commit, "not signed\n")
        assert "SIGNATURE" not in git(repository.root, "cat-file", "-p", unsigned)

    def test_a_key_that_is_gone_is_an_error(self, repository: Repository, tmp_path: Path) -> None:
        git(repository.root, "config", "gpg.format", "ssh")
        git(repository.root, "config", "user.signingKey", str(tmp_path / "gone.pub"))
        git(repository.root, "config", "commit.gpgSign", "true")
        with pytest.raises(GitError, match="cannot sign the commit") as caught:
            repository.commit(repository.tree_of("HEAD") or "", [], "x")
        assert "user.signingKey" in (caught.value.hint or "")
        with pytest.raises(GitError, match="holds no SSH key"):
            repository.tag("v1", "HEAD", "x")

    def test_a_tag_is_an_object_without_a_ref(self, repository: Repository) -> None:
        tag = repository.tag("f0ci/release/abc", "HEAD", "release\n\n{}", time=NOON)
        assert repository.commit_of(tag) == repository.commit_of("HEAD")
        shown = git(repository.root, "cat-file", "-p", tag).splitlines()
        assert shown[2:] == [
            "tag f0ci/release/abc",
            "tagger Alice Example <alice@example.com> 1767355200 +0000",
            "",
            "release",
            "",
            "{}",
        ]
        assert git(repository.root, "tag", "--list") == ""
        with pytest.raises(GitError, match="there is no commit 'gone'"):
            repository.tag("v1", "gone", "x")

    def test_bad_input_is_a_git_error(self, repository: Repository) -> None:
        with pytest.raises(GitError, match="cannot make the commit"):
            repository.commit("0" * 40, [], "x")
        with pytest.raises(GitError, match="`git mktag` failed"):
            repository.tag("a..b", "HEAD", "x")


class TestHistory:
    def test_newest_first_and_limited_to_paths(self, make_repository: Make) -> None:
        path = make_repository("repo", {"a": "1", "b": "1"})
        second = commit_files(path, {"a": "2"}, "second")
        third = commit_files(path, {"b": "2"}, "third\n\nbody \N{SNOWMAN}")
        repository = Repository.open(path)
        assert [info.message.split("\n")[0] for info in repository.log("HEAD")] == ["third", "second", "first"]
        assert [info.oid for info in repository.log("HEAD~2..HEAD")] == [third, second]
        assert [info.oid for info in repository.log("HEAD ^HEAD~1")] == [third]
        assert [info.oid for info in repository.log("HEAD~2..HEAD", ["a"])] == [second]
        assert repository.log("HEAD..HEAD") == ()
        assert repository.log("HEAD")[0].message == "third\n\nbody \N{SNOWMAN}\n"

    @pytest.mark.parametrize("bad", ["--all", "", "a --output=x", "gone..HEAD"])
    def test_what_is_no_range_is_an_error(self, bad: str, make_repository: Make) -> None:
        with pytest.raises(GitError):
            Repository.open(make_repository()).log(bad)

    def test_a_path_is_a_path_and_no_pattern(self, make_repository: Make) -> None:
        path = make_repository("repo", {"a[b]": "1"})
        commit_files(path, {"ab": "1"})
        repository = Repository.open(path)
        assert [info.message for info in repository.log("HEAD", ["a[b]"])] == ["first\n"]

    def test_ancestors(self, make_repository: Make) -> None:
        path = make_repository()
        commit_files(path, {"a": "1"})
        git(path, "checkout", "-q", "-b", "side", "HEAD~1")
        commit_files(path, {"b": "1"})
        git(path, "checkout", "-q", "--orphan", "alone")
        commit_files(path, {"c": "1"})
        repository = Repository.open(path)
        assert repository.is_ancestor("main~1", "main")
        assert repository.is_ancestor("main", "main")
        assert not repository.is_ancestor("main", "side")
        assert repository.merge_base("main", "side") == repository.commit_of("main~1")
        assert repository.merge_base("main", "alone") is None
        for call in (repository.is_ancestor, repository.merge_base):
            with pytest.raises(GitError):
                call("main", "gone")

    def test_a_shallow_clone_knows_that_it_is_one(self, remote_repository: RemoteRepository, tmp_path: Path) -> None:
        commit_files(remote_repository.work, {"a": "1"})
        git(remote_repository.work, "push", "-q")
        shallow = Repository.open(remote_repository.clone(tmp_path / "shallow", "--depth=1"))
        assert shallow.is_shallow()
        assert not Repository.open(remote_repository.work).is_shallow()
        assert [info.parents for info in shallow.log("HEAD")] == [()]
        assert shallow.read_file("HEAD", "a") == b"1"


class TestSettings:
    def test_dirty(self, make_repository: Make) -> None:
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

    def test_config(self, make_repository: Make) -> None:
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

    def test_remotes(self, remote_repository: RemoteRepository) -> None:
        git(remote_repository.work, "remote", "add", "backup", "/nowhere")
        assert Repository.open(remote_repository.work).remotes() == ("backup", "origin")
        assert Repository.open(remote_repository.bare).remotes() == ()

    def test_the_default_branch_of_a_remote(self, remote_repository: RemoteRepository, tmp_path: Path) -> None:
        repository = Repository.open(remote_repository.work)
        assert repository.default_branch("origin") == "refs/remotes/origin/main"
        # as a CI system checks out: the commit alone, and no branch of the remote
        bare = tmp_path / "ci"
        bare.mkdir()
        git(bare, "init", "-q")
        git(bare, "remote", "add", "origin", remote_repository.bare.as_uri())
        git(bare, "fetch", "-q", "--depth=1", "origin", "main")
        git(bare, "checkout", "-q", "FETCH_HEAD")
        checkout = Repository.open(bare)
        assert checkout.default_branch("origin") is None
        git(bare, "update-ref", "refs/f0ci/origin/heads/main", "HEAD")
        assert checkout.default_branch("origin") == "refs/f0ci/origin/heads/main"

    def test_the_default_branch_without_a_remote(self, make_repository: Make, tmp_path: Path) -> None:
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

    def test_a_failing_command_is_an_error_only_when_asked(self, make_repository: Make) -> None:
        repository = Repository.open(make_repository())
        assert repository.run("cat-file", "-p", "gone", check=False).code != 0
        with pytest.raises(GitError, match="`git cat-file` failed: Not a valid object name gone"):
            repository.run("-c", "core.x=y", "cat-file", "-p", "gone")
        with pytest.raises(GitError) as caught:
            repository.run("cat-file", "--no-such-option")
        assert caught.value.hint == "f0ci needs Git 2.30 or newer; see `git version`"
