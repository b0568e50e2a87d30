from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from f0ci.core.errors import GitError
from f0ci.git.refs import AtomicUnsupported, PushOutcome, RefStore, RefUpdate
from f0ci.git.repository import Repository
from tests.conftest import RemoteRepository, commit_files, git
from tests.unit.git.http_remote import HttpRemote

PROD, STAGING, LEDGER = "refs/heads/env/prod", "refs/heads/env/staging", "refs/heads/f0ci/ledger/prod"
TRANSPORTS = ["path", "file", "http"]
Connect = Callable[[RemoteRepository, str], None]


@pytest.fixture
def connect(http_remote: HttpRemote) -> Connect:
    """Return a function that lets a clone reach its remote by another transport."""

    def to(project: RemoteRepository, transport: str) -> None:
        git(project.bare, "config", "http.receivepack", "true")
        urls = {
            "path": str(project.bare),
            "file": project.bare.as_uri(),
            "http": f"{http_remote.url}/{project.bare.name}",
        }
        git(project.work, "remote", "set-url", "origin", urls[transport])

    return to


@pytest.fixture(params=TRANSPORTS)
def project(request: pytest.FixtureRequest, remote_repository: RemoteRepository, connect: Connect) -> RemoteRepository:
    """Return a clone and its remote, reached by every transport."""
    connect(remote_repository, request.param)
    return remote_repository


def commit_on(repository: Repository, parent: str | None, content: str) -> str:
    """Make a commit with one file on top of another one."""
    tree = repository.write_tree({"file": content.encode()})
    return repository.commit(tree, [parent] if parent else [], f"{content}\n")


def remote_refs(project: RemoteRepository) -> dict[str, str]:
    """Return what the bare repository itself holds."""
    lines = git(project.bare, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ") for line in lines)


def install_hook(bare: Path, name: str, body: str) -> None:
    """Put a hook into a bare repository."""
    hook = bare / "hooks" / name
    hook.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    hook.chmod(0o755)


def test_a_ref_is_made_moved_and_deleted(project: RemoteRepository) -> None:
    repository = Repository.open(project.work)
    store = RefStore(repository, "origin")
    first = commit_on(repository, None, "one")
    second = commit_on(repository, first, "two")
    assert store.push([RefUpdate(PROD, None, first)]) is PushOutcome.APPLIED
    assert store.read(PROD) == first == remote_refs(project)[PROD]
    assert store.push([RefUpdate(PROD, first, second)]) is PushOutcome.APPLIED
    assert store.read(PROD) == second == remote_refs(project)[PROD]
    assert store.push([RefUpdate(PROD, second, None)]) is PushOutcome.APPLIED
    assert store.read(PROD) is None
    assert PROD not in remote_refs(project)


def test_whoever_comes_second_loses(project: RemoteRepository) -> None:
    repository = Repository.open(project.work)
    first = commit_on(repository, None, "one")
    mine, theirs = commit_on(repository, first, "mine"), commit_on(repository, first, "theirs")
    store, late = RefStore(repository, "origin"), RefStore(repository, "origin")
    store.push([RefUpdate(PROD, None, first)])
    late.fetch(["refs/heads/env/*"])
    assert late.read(PROD) == first
    assert store.push([RefUpdate(PROD, first, theirs)]) is PushOutcome.APPLIED
    assert late.push([RefUpdate(PROD, first, mine)]) is PushOutcome.LOST_RACE
    assert late.read(PROD) == theirs == remote_refs(project)[PROD]
    assert late.push([RefUpdate(PROD, None, mine)]) is PushOutcome.LOST_RACE
    # the same update again is the one that is there
    assert late.push([RefUpdate(PROD, first, theirs)]) is PushOutcome.APPLIED


def test_a_ref_that_vanished_is_a_lost_race(project: RemoteRepository) -> None:
    repository = Repository.open(project.work)
    store = RefStore(repository, "origin")
    first = commit_on(repository, None, "one")
    store.push([RefUpdate(PROD, None, first)])
    git(project.bare, "update-ref", "-d", PROD)
    assert store.push([RefUpdate(PROD, first, commit_on(repository, first, "two"))]) is PushOutcome.LOST_RACE
    assert store.read(PROD) is None


def test_all_or_nothing(project: RemoteRepository) -> None:
    repository = Repository.open(project.work)
    store = RefStore(repository, "origin")
    first = commit_on(repository, None, "one")
    both = [RefUpdate(PROD, None, first), RefUpdate(LEDGER, None, first)]
    assert store.push(both) is PushOutcome.APPLIED
    second = commit_on(repository, first, "two")
    git(project.bare, "update-ref", LEDGER, git(project.bare, "rev-parse", "main"))
    update = [RefUpdate(PROD, first, second), RefUpdate(LEDGER, first, second)]
    assert store.push(update) is PushOutcome.LOST_RACE
    assert remote_refs(project)[PROD] == first
    assert store.supports_atomic()


def test_a_remote_without_atomic_pushes_is_recognised(project: RemoteRepository) -> None:
    git(project.bare, "config", "receive.advertiseAtomic", "false")
    repository = Repository.open(project.work)
    first = commit_on(repository, None, "one")
    both = [RefUpdate(PROD, None, first), RefUpdate(LEDGER, None, first)]
    with pytest.raises(AtomicUnsupported, match="cannot change several refs together") as caught:
        RefStore(repository, "origin").push(both)
    assert "receive.advertiseAtomic" in (caught.value.hint or "")
    assert PROD not in remote_refs(project)
    store = RefStore(repository, "origin")
    assert not store.supports_atomic()
    assert store.push(both[:1]) is PushOutcome.APPLIED
    assert store.push(both[1:], atomic=False) is PushOutcome.APPLIED


def test_asking_for_atomic_pushes_changes_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "empty.git"
    empty.mkdir()
    git(empty, "init", "-q", "--bare")
    work = tmp_path / "fresh"
    work.mkdir()
    git(work, "init", "-q")
    git(work, "remote", "add", "origin", str(empty))
    store = RefStore(Repository.open(work), "origin")
    assert store.supports_atomic()
    assert git(empty, "for-each-ref") == ""
    assert git(work, "for-each-ref") == ""


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_a_hook_that_declines_is_no_race(hook: str, project: RemoteRepository) -> None:
    install_hook(project.bare, hook, "echo 'only on weekdays'; exit 1")
    repository = Repository.open(project.work)
    with pytest.raises(GitError, match=f"refuses '{PROD}'.*only on weekdays") as caught:
        RefStore(repository, "origin").push([RefUpdate(PROD, None, commit_on(repository, None, "one"))])
    assert "hooks or branch rules" in (caught.value.hint or "")


def test_a_branch_is_never_rewritten(project: RemoteRepository) -> None:
    repository = Repository.open(project.work)
    store = RefStore(repository, "origin")
    first, other = commit_on(repository, None, "one"), commit_on(repository, None, "other")
    store.push([RefUpdate(PROD, None, first)])
    with pytest.raises(GitError, match="would be rewritten"):
        store.push([RefUpdate(PROD, first, other)])
    assert remote_refs(project)[PROD] == first


def test_a_branch_that_is_in_the_way(project: RemoteRepository) -> None:
    git(project.bare, "update-ref", "refs/heads/env", "main")
    repository = Repository.open(project.work)
    with pytest.raises(GitError, match=f"cannot hold '{PROD}'") as caught:
        RefStore(repository, "origin").push([RefUpdate(PROD, None, commit_on(repository, None, "one"))])
    assert "rename that branch" in (caught.value.hint or "")


def test_tags_are_kept_as_tags(project: RemoteRepository) -> None:
    repository = Repository.open(project.work)
    name = "refs/tags/f0ci/release/abc"
    tag = repository.tag("f0ci/release/abc", "HEAD", "release\n")
    store = RefStore(repository, "origin")
    assert store.push([RefUpdate(name, None, tag)]) is PushOutcome.APPLIED
    other = repository.tag("f0ci/release/abc", "HEAD", "another\n")
    assert store.push([RefUpdate(name, None, other)]) is PushOutcome.LOST_RACE
    fresh = RefStore(repository, "origin")
    fresh.fetch(["refs/tags/f0ci/*"])
    assert fresh.list("refs/tags/f0ci/release/") == {name: tag}
    assert repository.resolve("refs/f0ci/origin/tags/f0ci/release/abc") == tag
    assert git(project.work, "tag", "--list") == ""


def test_fetching_touches_nothing_of_the_users(project: RemoteRepository) -> None:
    git(project.work, "config", "fetch.writeCommitGraph", "false")
    git(project.bare, "update-ref", PROD, "main")
    git(project.bare, "tag", "v1", "main")
    git(project.work, "remote", "set-head", "origin", "-d")
    before = git(project.work, "for-each-ref")
    store = RefStore(Repository.open(project.work), "origin")
    store.fetch(["refs/heads/env/*", "refs/heads/main", "refs/heads/none/*"])
    assert set(store.list("refs/heads/")) == {PROD, "refs/heads/main"}
    kept = [line for line in git(project.work, "for-each-ref").splitlines() if "refs/f0ci/" not in line]
    assert "\n".join(kept) == before
    assert not (project.work / ".git/FETCH_HEAD").exists()


def test_what_is_gone_at_the_remote_is_forgotten(project: RemoteRepository) -> None:
    for ref in (PROD, STAGING, LEDGER):
        git(project.bare, "update-ref", ref, "main")
    store = RefStore(Repository.open(project.work), "origin")
    store.fetch(["refs/heads/env/*", LEDGER])
    assert set(store.list("refs/heads/")) == {PROD, STAGING, LEDGER}
    git(project.bare, "update-ref", "-d", STAGING)
    git(project.bare, "update-ref", "-d", LEDGER)
    store.fetch(["refs/heads/env/*", LEDGER, "refs/heads/never"])
    assert set(store.list("refs/heads/")) == {PROD}
    store.fetch(["refs/heads/never"])
    assert set(store.list("refs/heads/")) == {PROD}


def test_refreshing_fetches_what_is_new_and_forgets_what_is_gone(project: RemoteRepository) -> None:
    git(project.bare, "symbolic-ref", "HEAD", "refs/heads/main")
    for ref in (PROD, STAGING, LEDGER):
        git(project.bare, "update-ref", ref, "main")
    patterns = ["refs/heads/env/*", "refs/heads/f0ci/ledger/*"]
    store = RefStore(Repository.open(project.work), "origin")
    store.refresh(patterns)
    assert store.head == "main"
    assert set(store.list("refs/heads/")) == {PROD, STAGING, LEDGER, "refs/heads/main"}
    # the name of one goes, and becomes a folder
    git(project.bare, "update-ref", "-d", PROD)
    git(project.bare, "update-ref", f"{PROD}/blue", "main")
    commit_files(project.work, {"file": "newer"})
    git(project.work, "push", "-q")
    store.refresh(patterns)
    assert set(store.list("refs/heads/")) == {f"{PROD}/blue", STAGING, LEDGER, "refs/heads/main"}
    assert store.read("refs/heads/main") == git(project.work, "rev-parse", "HEAD")
    assert store.repository.commit_of(store.read("refs/heads/main") or "") is not None


def test_refreshing_many_at_once(make_remote_repository: Callable[..., RemoteRepository]) -> None:
    project = make_remote_repository()
    lines = "".join(f"create refs/tags/f0ci/release/{index} main\n" for index in range(150))
    subprocess.run(["git", "-C", str(project.bare), "update-ref", "--stdin"], input=lines, text=True, check=True)
    store = RefStore(Repository.open(project.work), "origin")
    store.refresh(["refs/tags/f0ci/*"])
    assert len(store.list("refs/tags/f0ci/release/")) == 150
    assert store.read("refs/heads/main") is not None


def test_the_remote_may_answer_meanwhile(project: RemoteRepository) -> None:
    repository = Repository.open(project.work)
    first = commit_on(repository, None, "one")
    git(project.work, "push", "-q", "origin", f"{first}:{PROD}")
    store = RefStore(repository, "origin")

    with store.asking(["refs/heads/env/*"]):
        store.refresh(["refs/heads/env/*"])
        assert store.read(PROD) == first
        git(project.work, "push", "-q", "origin", f"{first}:{STAGING}")
        # what it answered is good for once
        store.refresh(["refs/heads/env/*"])
        assert store.read(STAGING) == first


def test_a_remote_that_is_gone_is_told_where_its_answer_is_needed(project: RemoteRepository, tmp_path: Path) -> None:
    git(project.work, "remote", "set-url", "origin", str(tmp_path / "nowhere"))
    store = RefStore(Repository.open(project.work), "origin")
    with store.asking(["refs/heads/env/*"]), pytest.raises(GitError, match="nowhere"):
        store.refresh(["refs/heads/env/*"])


def test_a_shallow_detached_checkout_suffices(project: RemoteRepository, tmp_path: Path) -> None:
    for index in range(3):
        commit_files(project.work, {"file": str(index)})
    git(project.work, "push", "-q")
    git(project.bare, "update-ref", PROD, "main~1")
    work = project.clone(tmp_path / "ci", "--depth=1")
    git(work, "checkout", "-q", "--detach")
    git(work, "remote", "set-url", "origin", git(project.work, "remote", "get-url", "origin"))
    repository = Repository.open(work)
    store = RefStore(repository, "origin")
    store.fetch(["refs/heads/env/*"])
    tip = store.read(PROD)
    assert tip == git(project.bare, "rev-parse", "main~1")
    assert store.push([RefUpdate(PROD, tip, commit_on(repository, tip, "next"))]) is PushOutcome.APPLIED
    tag = repository.tag("f0ci/release/abc", "HEAD", "release\n")
    assert store.push([RefUpdate("refs/tags/f0ci/release/abc", None, tag)]) is PushOutcome.APPLIED
    assert repository.is_shallow()
    store.complete_history()
    assert not repository.is_shallow()
    assert len(repository.log("HEAD")) == 4
    store.complete_history()


def test_a_linked_work_tree_shares_what_was_fetched(project: RemoteRepository, tmp_path: Path) -> None:
    git(project.bare, "update-ref", PROD, "main")
    RefStore(Repository.open(project.work), "origin").fetch(["refs/heads/env/*"])
    git(project.work, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    assert RefStore(Repository.open(tmp_path / "linked"), "origin").read(PROD) is not None


def test_longer_object_ids(make_remote_repository: Callable[..., RemoteRepository], connect: Connect) -> None:
    project = make_remote_repository("long", None, "--object-format=sha256")
    connect(project, "file")
    repository = Repository.open(project.work)
    store = RefStore(repository, "origin")
    first = commit_on(repository, None, "one")
    assert len(first) == 64
    assert store.push([RefUpdate(PROD, None, first), RefUpdate(LEDGER, None, first)]) is PushOutcome.APPLIED
    mine, theirs = commit_on(repository, first, "mine"), commit_on(repository, first, "theirs")
    assert store.push([RefUpdate(PROD, first, theirs)]) is PushOutcome.APPLIED
    assert store.push([RefUpdate(PROD, first, mine)]) is PushOutcome.LOST_RACE


def test_of_two_who_push_at_once_exactly_one_is_taken(project: RemoteRepository, tmp_path: Path) -> None:
    stores = [RefStore(Repository.open(_another_clone(project, tmp_path / name)), "origin") for name in ("a", "b")]
    tip: str | None = None
    for turn in range(4):
        commits = [commit_on(store.repository, tip, f"{turn} {index}") for index, store in enumerate(stores)]
        updates = [[RefUpdate(PROD, tip, commit), RefUpdate(LEDGER, tip, commit)] for commit in commits]
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(RefStore.push, stores, updates))
        assert sorted(outcomes, key=lambda outcome: outcome.value) == [PushOutcome.APPLIED, PushOutcome.LOST_RACE]
        tip = commits[outcomes.index(PushOutcome.APPLIED)]
        assert (remote_refs(project)[PROD], remote_refs(project)[LEDGER]) == (tip, tip)
        for store in stores:
            store.fetch(["refs/heads/env/*", LEDGER])
            assert store.read(PROD) == tip


def test_many_writers_in_one_clone_lose_nothing(project: RemoteRepository) -> None:
    writers, each = 4, 3

    def write(writer: int) -> None:
        repository = Repository.open(project.work)
        store = RefStore(repository, "origin")
        for turn in range(each):
            for _ in range(100):
                store.fetch(["refs/heads/f0ci/ledger/*"])
                tip = store.read(LEDGER)
                tree = repository.write_tree({f"{writer}/{turn}": b""}, tip)
                commit = repository.commit(tree, [tip] if tip else [], f"{writer} {turn}\n")
                if store.push([RefUpdate(LEDGER, tip, commit)]) is PushOutcome.APPLIED:
                    break
            else:
                pytest.fail("never taken")

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    bare = Repository.open(project.bare)
    assert len(bare.list_files(LEDGER)) == writers * each == len(bare.log(LEDGER))


def test_an_unknown_remote(project: RemoteRepository) -> None:
    with pytest.raises(GitError, match="there is no remote 'orign'") as caught:
        RefStore(Repository.open(project.work), "orign")
    assert caught.value.hint == "did you mean 'origin'?"
    git(project.work, "remote", "remove", "origin")
    with pytest.raises(GitError) as caught:
        RefStore(Repository.open(project.work), "upstream")
    assert caught.value.hint == "add one with `git remote add`"


@pytest.mark.parametrize("remote", ["origin", None])
def test_a_ref_that_must_be_as_it_was_guards_the_others(project: RemoteRepository, remote: str | None) -> None:
    repository = Repository.open(project.work)
    store = RefStore(repository, remote)
    first = commit_on(repository, None, "one")
    second = commit_on(repository, first, "two")
    assert store.push([]) is PushOutcome.APPLIED
    assert store.push([RefUpdate(LEDGER, None, None), RefUpdate(PROD, None, first)]) is PushOutcome.APPLIED
    assert store.push([RefUpdate(PROD, None, None), RefUpdate(STAGING, None, first)]) is PushOutcome.LOST_RACE
    assert store.push([RefUpdate(PROD, first, first), RefUpdate(LEDGER, None, first)]) is PushOutcome.APPLIED
    assert store.push([RefUpdate(PROD, second, second), RefUpdate(LEDGER, first, second)]) is PushOutcome.LOST_RACE
    assert store.push([RefUpdate(PROD, first, first)]) is PushOutcome.APPLIED
    assert store.push([RefUpdate(PROD, second, second)]) is PushOutcome.LOST_RACE
    store.fetch(["refs/heads/*"])
    assert (store.read(PROD), store.read(LEDGER), store.read(STAGING)) == (first, first, None)


def test_the_users_hooks_are_not_started(project: RemoteRepository, tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-push", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\necho ran >> {tmp_path}/ran\nexit 1\n", encoding="utf-8")
        (hooks / name).chmod(0o755)
    repository = Repository.open(project.work)
    first = commit_on(repository, None, "one")
    git(project.work, "config", "core.hooksPath", str(hooks))
    store = RefStore(repository, "origin")
    assert store.push([RefUpdate(PROD, None, first)]) is PushOutcome.APPLIED
    store.fetch(["refs/heads/env/*"])
    assert RefStore(repository, None).push([RefUpdate(PROD, None, first)]) is PushOutcome.APPLIED
    assert not (tmp_path / "ran").exists()


def _another_clone(project: RemoteRepository, path: Path) -> Path:
    clone = project.clone(path)
    git(clone, "remote", "set-url", "origin", git(project.work, "remote", "get-url", "origin"))
    return clone
