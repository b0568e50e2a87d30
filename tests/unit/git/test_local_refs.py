from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from f0ci.core.errors import GitError
from f0ci.git.refs import PushOutcome, RefStore, RefUpdate
from f0ci.git.repository import Repository
from tests.conftest import git
from tests.unit.git.test_refs import LEDGER, PROD, commit_on


@pytest.fixture
def store(repository: Repository) -> RefStore:
    """Return the refs of a repository without a remote."""
    return RefStore(repository, None)


def test_a_ref_is_made_moved_and_deleted(store: RefStore) -> None:
    first = commit_on(store.repository, None, "one")
    second = commit_on(store.repository, first, "two")
    assert store.push([RefUpdate(PROD, None, first)]) is PushOutcome.APPLIED
    assert store.push([RefUpdate(PROD, None, second)]) is PushOutcome.LOST_RACE
    assert store.push([RefUpdate(PROD, first, second)]) is PushOutcome.APPLIED
    assert store.push([RefUpdate(PROD, first, None)]) is PushOutcome.LOST_RACE
    assert store.read(PROD) == second
    assert store.list("refs/heads/env/") == {PROD: second}
    assert store.push([RefUpdate(PROD, second, None)]) is PushOutcome.APPLIED
    assert store.read(PROD) is None
    assert store.push([RefUpdate(PROD, first, second)]) is PushOutcome.LOST_RACE


def test_all_or_nothing(store: RefStore) -> None:
    first = commit_on(store.repository, None, "one")
    second = commit_on(store.repository, first, "two")
    assert store.push([RefUpdate(PROD, None, first)]) is PushOutcome.APPLIED
    both = [RefUpdate(PROD, first, second), RefUpdate(LEDGER, first, second)]
    assert store.push(both) is PushOutcome.LOST_RACE
    assert (store.read(PROD), store.read(LEDGER)) == (first, None)
    assert store.supports_atomic()


def test_fetching_sees_what_others_did(store: RefStore) -> None:
    assert store.read(PROD) is None
    git(store.repository.root, "update-ref", PROD, "HEAD")
    store.fetch(["refs/heads/env/*"])
    assert store.read(PROD) == store.repository.commit_of("HEAD")
    assert store.url == ""
    assert store.default_branch_name() is None


def test_of_two_who_write_at_once_exactly_one_is_taken(store: RefStore) -> None:
    stores = [store, RefStore(Repository.open(store.repository.root), None)]
    tip: str | None = None
    for turn in range(8):
        commits = [commit_on(store.repository, tip, f"{turn} {index}") for index in range(2)]
        updates = [[RefUpdate(PROD, tip, commit), RefUpdate(LEDGER, tip, commit)] for commit in commits]
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(RefStore.push, stores, updates))
        assert sorted(outcome.value for outcome in outcomes) == ["applied", "lost race"]
        tip = commits[outcomes.index(PushOutcome.APPLIED)]
        assert (stores[0].read(PROD), stores[1].read(LEDGER)) == (tip, tip)


def test_a_branch_that_is_checked_out_is_left_alone(store: RefStore, tmp_path: Path) -> None:
    first = commit_on(store.repository, None, "one")
    store.push([RefUpdate(PROD, None, first)])
    git(store.repository.root, "worktree", "add", "-q", str(tmp_path / "linked"), "env/prod")
    with pytest.raises(GitError, match=f"branch 'env/prod' is checked out in '{tmp_path}/linked'"):
        store.push([RefUpdate(PROD, first, commit_on(store.repository, first, "two"))])


def test_a_branch_that_is_in_the_way(store: RefStore) -> None:
    git(store.repository.root, "branch", "env")
    with pytest.raises(GitError, match="this repository cannot hold 'refs/heads/env/prod'"):
        store.push([RefUpdate(PROD, None, commit_on(store.repository, None, "one"))])


def test_a_lock_that_nobody_takes_away_is_an_error_and_no_race(store: RefStore) -> None:
    first = commit_on(store.repository, None, "one")
    store.push([RefUpdate(PROD, None, first)])
    (store.repository.git_dir / f"{PROD}.lock").touch()
    with pytest.raises(GitError, match=r"git cannot change the refs.*lock"):
        store.push([RefUpdate(PROD, first, commit_on(store.repository, first, "two"))])


def test_a_branch_is_never_rewritten(store: RefStore) -> None:
    first, other = commit_on(store.repository, None, "one"), commit_on(store.repository, None, "other")
    store.push([RefUpdate(PROD, None, first)])
    with pytest.raises(GitError, match="would be rewritten"):
        store.push([RefUpdate(PROD, first, other)])


def test_an_object_that_is_not_there(store: RefStore) -> None:
    with pytest.raises(GitError, match="git cannot change the refs"):
        store.push([RefUpdate(PROD, None, "1" * 40)])


def test_there_is_no_history_to_complete_without_a_remote(make_repository: Callable[..., Path], tmp_path: Path) -> None:
    path = make_repository()
    git(path, "commit", "-q", "--allow-empty", "-m", "two")
    git(tmp_path, "clone", "-q", "--depth=1", path.as_uri(), "shallow")
    store = RefStore(Repository.open(tmp_path / "shallow"), None)
    with pytest.raises(GitError, match="is shallow and has no remote"):
        store.complete_history()
