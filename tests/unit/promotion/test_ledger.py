"""Reading and writing ledgers on a real repository with a real remote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.core.clock import FixedClock
from f0ci.core.errors import CannotWork, Defect, InputError
from f0ci.git.refs import RefStore
from f0ci.git.repository import Repository
from f0ci.promotion import ledger as ledger_module
from f0ci.promotion.events import Draft
from f0ci.promotion.ledger import BranchChange, Change, Ledgers, LedgerStore
from f0ci.promotion.names import Names
from tests.conftest import RemoteRepository, git, write_files
from tests.unit.promotion.builders import NOW, applied, hold, release, requested, sample

PROD, WORKFLOW = "refs/heads/f0ci/ledger/prod", "refs/heads/f0ci/ledger/_workflow"


def open_store(path: Path, *, remote: str | None = "origin", prefix: str = "") -> LedgerStore:
    repository = Repository.open(path)
    store = LedgerStore(repository, RefStore(repository, remote), Names(prefix), FixedClock(NOW), ("dev", "prod"))
    store.fetch()
    return store


def append(store: LedgerStore, *drafts: Draft) -> Ledgers:
    return store.transact(lambda _: Change("prod", drafts))


def kinds(store: LedgerStore) -> list[str]:
    store.fetch()
    return [event.kind for event in store.read().environments["prod"].events]


@pytest.fixture
def stores(remote_repository: RemoteRepository, tmp_path: Path) -> tuple[LedgerStore, LedgerStore]:
    """Return the stores of two clones."""
    return open_store(remote_repository.work), open_store(remote_repository.clone(tmp_path / "second"))


def branch_change(store: LedgerStore, old: str | None = None, content: bytes = b"{}\n") -> BranchChange:
    tree = store.repository.write_tree({"config.json": content})
    commit = store.repository.commit(tree, [old] if old else [], "promote\n")
    return BranchChange("prod", old, commit)


def with_branch(store: LedgerStore) -> Change:
    change = branch_change(store)
    data = {**applied("prod-1", "new").data, "commit": change.new}
    return Change("prod", (Draft("applied", "prod-1", data),), branch=change, guarded=True)


def test_whoever_comes_second_decides_again_and_loses_nothing(stores: tuple[LedgerStore, LedgerStore]) -> None:
    first, second = stores
    seen: list[int] = []

    def decide(ledgers: Ledgers) -> Change:
        seen.append(len(ledgers.environments["prod"].events))
        return Change("prod", (hold("second"),))

    append(first, hold("first"))
    second.transact(decide)

    assert seen == [0, 1]
    assert kinds(first) == ["hold", "hold"]


def test_a_decision_that_finds_nothing_to_do_writes_nothing(stores: tuple[LedgerStore, LedgerStore]) -> None:
    first, second = stores
    append(first, hold())

    ledgers = second.transact(lambda ledgers: None if ledgers.environments["prod"].hold else Change("prod", (hold(),)))

    assert ledgers.environments["prod"].hold is not None
    assert kinds(first) == ["hold"]


def test_what_cannot_be_is_never_written(stores: tuple[LedgerStore, LedgerStore]) -> None:
    store, _ = stores

    with pytest.raises(Defect, match="cannot follow"):
        append(store, sample("succeeded"))

    assert kinds(store) == []


def test_a_quarantine_that_comes_between_reading_and_pushing_is_seen(stores: tuple[LedgerStore, LedgerStore]) -> None:
    first, second = stores
    append(first, requested("prod-1", "new"))
    first.fetch()
    decisions: list[str | None] = []

    def decide(ledgers: Ledgers) -> Change | None:
        decisions.append(ledgers.workflow.quarantine_of(release("new")))
        if decisions[-1]:
            return None
        second.transact(lambda _: Change("_workflow", workflow=(sample("quarantine"),)))
        return with_branch(first)

    first.transact(decide)

    assert decisions == [None, "bad"]
    assert kinds(second) == ["requested"]
    assert first.refs.read("refs/heads/env/prod") is None


@pytest.mark.parametrize("atomic", ["true", "false"])
def test_branch_and_events_arrive_together(
    atomic: str, stores: tuple[LedgerStore, LedgerStore], remote_repository: RemoteRepository
) -> None:
    git(remote_repository.bare, "config", "receive.advertiseAtomic", atomic)
    first, second = stores
    append(first, requested("prod-1", "new"))
    change = with_branch(first)

    def decide(ledgers: Ledgers) -> Change | None:
        promotion = ledgers.environments["prod"].find("prod-1")
        assert promotion is not None
        if promotion.applied:
            return None
        if ledgers.branches["prod"] == change.drafts[0].data["commit"]:
            return Change("prod", change.drafts)
        return change

    first.transact(decide)

    second.fetch()
    assert second.refs.read("refs/heads/env/prod") == change.drafts[0].data["commit"]
    between = ["intent"] if atomic == "false" else []
    assert kinds(second) == ["requested", *between, "applied"]


def test_a_race_for_the_branch_writes_no_event(stores: tuple[LedgerStore, LedgerStore]) -> None:
    first, second = stores
    append(first, requested("prod-1", "new"))
    stray = branch_change(second, content=b"by hand\n")
    git(second.repository.root, "push", "-q", "origin", f"{stray.new}:refs/heads/env/prod")
    tips: list[str | None] = []

    def decide(ledgers: Ledgers) -> Change | None:
        tips.append(ledgers.branches["prod"])
        return with_branch(first) if len(tips) == 1 else None

    first.transact(decide)

    assert tips == [None, stray.new]
    assert kinds(first) == ["requested"]


def test_losing_all_the_time_ends(stores: tuple[LedgerStore, LedgerStore], monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = stores
    monkeypatch.setattr(ledger_module, "RACE_DEADLINE_SECONDS", 0.0)

    def decide(_: Ledgers) -> Change:
        append(second, hold("faster"))
        return Change("prod", (hold("slower"),))

    with pytest.raises(CannotWork, match="others kept writing to 'prod'"):
        first.transact(decide)


def test_each_workflow_has_ledgers_of_its_own(remote_repository: RemoteRepository) -> None:
    plain, shop = open_store(remote_repository.work), open_store(remote_repository.work, prefix="shop")
    append(plain, hold("plain"))
    append(shop, requested("prod-1", "new"))

    assert kinds(plain) == ["hold"]
    assert kinds(shop) == ["requested"]
    assert plain.environment_names() == shop.environment_names() == ("dev", "prod")


def test_an_environment_that_only_its_ledger_knows_is_read_too(remote_repository: RemoteRepository) -> None:
    store = open_store(remote_repository.work)
    git(remote_repository.work, "push", "-q", "origin", "HEAD:refs/heads/f0ci/ledger/by/hand")
    store.known = ("dev", "prod", "canary")
    store.transact(lambda _: Change("canary", (Draft("hold", "_environment", {"reason": "x", "promotion": None}),)))
    store.known = ("dev", "prod")

    assert store.environment_names() == ("dev", "prod", "canary")
    assert store.read().environments["canary"].hold is not None


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("README.md", "# a ledger\n", "not an event"),
        ("2026/11/_environment/0001-hold.json", "{}", "not an event"),
        ("2026/11/prod-1/0001-requested.json", "[]", "not an event"),
    ],
)
def test_what_is_no_event_is_named_with_ledger_and_file(
    path: str, content: str, words: str, remote_repository: RemoteRepository, tmp_path: Path
) -> None:
    folder = remote_repository.clone(tmp_path / "by-hand")
    git(folder, "checkout", "-q", "--orphan", "ledger")
    git(folder, "rm", "-rfq", ".")
    write_files(folder, {path: content})
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "by hand")
    git(folder, "push", "-q", "origin", f"HEAD:{PROD}")
    store = open_store(remote_repository.work)

    with pytest.raises(InputError) as caught:
        store.read()

    assert words in caught.value.message
    assert caught.value.place == f"{PROD}:{path}"
    assert "f0ci audit verify" in str(caught.value.hint)


def test_without_a_remote_the_same_happens_in_the_repository(make_repository: Callable[..., Path]) -> None:
    path = make_repository()
    store, other = open_store(path, remote=None), open_store(path, remote=None)
    append(store, requested("prod-1", "new"))
    change = with_branch(store)
    store.transact(lambda ledgers: None if ledgers.branches["prod"] else change)
    append(other, hold())

    assert kinds(store) == ["requested", "applied", "hold"]
    assert git(path, "rev-parse", "env/prod") == change.drafts[0].data["commit"]
    assert git(path, "branch", "--show-current") == "main"


def test_a_first_quarantine_makes_the_workflows_ledger(stores: tuple[LedgerStore, LedgerStore]) -> None:
    first, second = stores
    assert first.read().workflow.tip is None

    for store in stores:
        store.transact(
            lambda ledgers: (
                None
                if ledgers.workflow.quarantine_of(release("new"))
                else Change("_workflow", workflow=(sample("quarantine"),))
            )
        )

    first.fetch()
    assert [event.kind for event in first.read().workflow.events] == ["quarantine"]
    assert second.refs.read(WORKFLOW) == first.refs.read(WORKFLOW)
