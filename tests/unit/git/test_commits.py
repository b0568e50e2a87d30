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


def _state(path: Path) -> tuple[str, ...]:
    index = (path / ".git/index").read_bytes().hex()
    return (index, git(path, "status", "--porcelain"), git(path, "for-each-ref"), git(path, "rev-parse", "HEAD"))


def test_nothing_of_the_users_is_touched(repository: Repository) -> None:
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


def test_the_same_at_the_same_time_is_the_same_commit(repository: Repository) -> None:
    tree = repository.write_tree({"a": b"a"})
    one, two = (repository.commit(tree, [], "message\n", time=NOON) for _ in range(2))
    assert one == two
    (info,) = repository.log(one)
    assert (info.time, info.tree, info.parents) == (NOON, tree, ())


def test_author_and_trailers(repository: Repository) -> None:
    head = repository.commit_of("HEAD") or ""
    message = "promote\n\nWhy: not a trailer\n\nF0-Promotion: p1\nF0-Plan: abc\n  def\nCo-authored-by: Bo <bo@x.org>\n"
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


def test_without_an_identity_the_way_out_is_named(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_signed_when_git_signs(repository: Repository, ssh_identity: Callable[[str], SshIdentity]) -> None:
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


def test_a_key_that_is_gone_is_an_error(repository: Repository, tmp_path: Path) -> None:
    git(repository.root, "config", "gpg.format", "ssh")
    git(repository.root, "config", "user.signingKey", str(tmp_path / "gone.pub"))
    git(repository.root, "config", "commit.gpgSign", "true")
    with pytest.raises(GitError, match="cannot sign the commit") as caught:
        repository.commit(repository.tree_of("HEAD") or "", [], "x")
    assert "user.signingKey" in (caught.value.hint or "")
    with pytest.raises(GitError, match="holds no SSH key"):
        repository.tag("v1", "HEAD", "x")


def test_a_tag_is_an_object_without_a_ref(repository: Repository) -> None:
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


def test_bad_input_is_a_git_error(repository: Repository) -> None:
    with pytest.raises(GitError, match="cannot make the commit"):
        repository.commit("0" * 40, [], "x")
    with pytest.raises(GitError, match="`git mktag` failed"):
        repository.tag("a..b", "HEAD", "x")


def test_newest_first_and_limited_to_paths(make_repository: Make) -> None:
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
def test_what_is_no_range_is_an_error(bad: str, make_repository: Make) -> None:
    with pytest.raises(GitError):
        Repository.open(make_repository()).log(bad)


def test_a_path_is_a_path_and_no_pattern(make_repository: Make) -> None:
    path = make_repository("repo", {"a[b]": "1"})
    commit_files(path, {"ab": "1"})
    repository = Repository.open(path)
    assert [info.message for info in repository.log("HEAD", ["a[b]"])] == ["first\n"]


def test_ancestors(make_repository: Make) -> None:
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


def test_a_shallow_clone_knows_that_it_is_one(remote_repository: RemoteRepository, tmp_path: Path) -> None:
    commit_files(remote_repository.work, {"a": "1"})
    git(remote_repository.work, "push", "-q")
    shallow = Repository.open(remote_repository.clone(tmp_path / "shallow", "--depth=1"))
    assert shallow.is_shallow()
    assert not Repository.open(remote_repository.work).is_shallow()
    assert [info.parents for info in shallow.log("HEAD")] == [()]
    assert shallow.read_files("HEAD", ["a"]) == {"a": b"1"}
