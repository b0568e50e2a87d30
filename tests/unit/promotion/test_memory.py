"""What a clone remembers of ledgers is what reading them again gives, whatever happens to the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from f0ci.core.clock import FixedClock
from f0ci.git.refs import RefStore
from f0ci.git.repository import Repository
from f0ci.promotion.events import Draft, Event
from f0ci.promotion.folding import fold_environment, fold_on
from f0ci.promotion.ledger import Change, LedgerStore
from f0ci.promotion.memory import Memory
from f0ci.promotion.names import Names
from f0ci.promotion.on_demand import Grown, OnDemand
from f0ci.promotion.state import EnvironmentState
from tests.conftest import git, rounds
from tests.unit.promotion.builders import NOW, events_of, hold, passing, sample


def store_in(folder: Path, *, remembers: bool = True) -> LedgerStore:
    repository = Repository.open(folder)
    memory = Memory(repository.common_dir) if remembers else None
    return LedgerStore(repository, RefStore(repository, None), Names(), FixedClock(NOW), ("prod",), memory)


def append(store: LedgerStore, *drafts: Draft) -> None:
    store.transact(lambda _: Change("prod", drafts))


def state(store: LedgerStore) -> EnvironmentState:
    return store.read().environments["prod"]


def same(folder: Path) -> EnvironmentState:
    """Check that what is remembered is what Git holds, and return it."""
    found, read = state(store_in(folder)), state(store_in(folder, remembers=False))
    assert found == read
    assert found.current == read.current
    assert list(found.succeeded()) == list(read.succeeded())
    return found


def test_only_new_events_are_read(make_repository: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_repository()
    writer = store_in(folder, remembers=False)
    for turn in range(1, 80):
        append(writer, *passing(f"prod-{turn}", f"release {turn}", "checked"))
    same(folder)
    append(writer, *passing("prod-80", "release 80", "verifying"), hold(), sample("unhold"))
    asked: list[str] = []
    read_files = Repository.read_files
    list_files = Repository.list_files

    def noted(self: Repository, rev: str, paths: Sequence[str]) -> dict[str, bytes]:
        asked.extend(paths)
        return read_files(self, rev, paths)

    def refused(self: Repository, rev: str, prefix: str = "") -> Any:
        assert rev != writer.refs.read("refs/heads/f0ci/ledger/prod"), "the whole ledger was read"
        return list_files(self, rev, prefix)

    monkeypatch.setattr(Repository, "read_files", noted)
    monkeypatch.setattr(Repository, "list_files", refused)

    found = state(store_in(folder))
    again = state(store_in(folder))

    assert len(asked) == 5
    assert (len(found.promotions), len(found.events)) == (80, 79 * 4 + 5)
    assert again.promotions[-1] == found.promotions[-1]
    assert again.promotions[3].id == "prod-4"
    assert [promotion.id for promotion in reversed(again.promotions)][:2] == ["prod-80", "prod-79"]
    assert again.hold is found.hold is None
    assert again.released == found.released is not None


def _files(folder: Path) -> list[Path]:
    return list((folder / ".git" / "f0ci").glob("ledgers.sqlite*"))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b"not a database at all" * 100), id="not a database"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.unlink(), id="gone"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), id="cut off"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), id="a folder"),
    ],
)
def test_a_damaged_file_changes_no_answer(damage: Callable[[Path], Any], make_repository: Callable[..., Path]) -> None:
    folder = make_repository()
    writer = store_in(folder)
    append(writer, *passing("prod-1", "old", "checked"), hold())
    append(writer, *passing("prod-2", "new", "failed"))
    same(folder)

    damage(_files(folder)[0])

    assert same(folder).promotions[-1].id == "prod-2"
    append(store_in(folder), *passing("prod-3", "newer", "checked"))
    assert same(folder).promotions[-1].id == "prod-3"


def test_a_ledger_that_was_rewritten_is_read_anew(make_repository: Callable[..., Path]) -> None:
    folder = make_repository()
    ledger = "refs/heads/f0ci/ledger/prod"
    append(store_in(folder), *passing("prod-1", "old", "checked"))
    first = git(folder, "rev-parse", ledger)
    append(store_in(folder), *passing("prod-2", "new", "checked"))
    same(folder)

    git(folder, "update-ref", ledger, first)
    assert len(same(folder).promotions) == 1
    append(store_in(folder), *passing("prod-2", "another", "failed"))

    assert same(folder).promotions[-1].state == "failed"


def test_two_processes_remember_at_once(make_repository: Callable[..., Path]) -> None:
    folder = make_repository()
    append(store_in(folder), *passing("prod-1", "old", "checked"))
    early = store_in(folder)
    before = state(early)
    append(store_in(folder), *passing("prod-2", "new", "verifying"))
    same(folder)
    append(store_in(folder), sample("succeeded", "prod-2"))

    assert len(before.promotions) == 1
    assert before.promotions[0].events[0].kind == "requested"
    assert len(before.events) == 4
    assert [promotion.state for promotion in same(folder).promotions] == ["succeeded", "succeeded"]


def _poison(path: Path, column: str, value: str) -> None:
    """Let every row say something else, as another version, another repository or a bad disk might."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("ledger", "promotion"):
            names = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            if column in names:
                connection.execute(f"UPDATE OR IGNORE {table} SET {column} = ?", (value,))  # noqa: S608 - a fixed name


def _of_another(path: Path, tmp_path: Path) -> None:
    """Put the file of a repository with another past in the place of this one's."""
    other = tmp_path / f"other-{len(list(tmp_path.iterdir()))}"
    other.mkdir()
    git(other, "init", "-q")
    git(other, "commit", "-q", "--allow-empty", "-m", "first")
    append(store_in(other), *passing("prod-1", "elsewhere", "failed"), hold())
    state(store_in(other))
    path.write_bytes(_files(other)[0].read_bytes())


HAPPENINGS = st.lists(
    st.sampled_from(
        [
            *("append", "append", "look", "keep", "kept looks", "rewind", "rubbish", "cut off", "gone", "locked"),
            *("older version", "no data", "other tip", "other repository"),
        ]
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=rounds(12, 500), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happenings=HAPPENINGS)
def test_what_is_remembered_never_changes_an_answer(
    happenings: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, elsewhere = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("elsewhere")
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    ledger = "refs/heads/f0ci/ledger/prod"
    append(store_in(folder), *passing("prod-1", "first", "checked"))
    first = git(folder, "rev-parse", ledger)
    kept = store_in(folder)
    for turn, what in enumerate(happenings):
        path = folder / ".git" / "f0ci" / "ledgers.sqlite"
        if what == "append":
            many = len(state(store_in(folder, remembers=False)).promotions)
            append(store_in(folder), *passing(f"prod-{many + 1}", f"turn {turn}", "checked"))
        elif what == "keep":
            kept = store_in(folder)
            state(kept)
        elif what == "kept looks":
            # somebody who began earlier writes down what was new then
            kept.refs.fetch([])
            state(kept)
        elif what == "rewind":
            git(folder, "update-ref", ledger, first)
        elif path.exists():
            _damage(path, what, elsewhere)
        if what == "locked" and path.exists():
            with closing(sqlite3.connect(path)) as other:
                other.execute("BEGIN IMMEDIATE")
                same(folder)
        same(folder)
        same(folder)


def _damage(path: Path, what: str, elsewhere: Path) -> None:
    if what == "rubbish":
        path.write_bytes(b"no database" * 500)
    elif what == "cut off":
        path.write_bytes(path.read_bytes()[:5000])
    elif what == "gone":
        path.unlink()
    elif what == "older version":
        _poison(path, "name", "0.0.1/0/refs/heads/f0ci/ledger/prod")
    elif what == "no data":
        _poison(path, "data", "{}")
    elif what == "other tip":
        _poison(path, "tip", "1" * 40)
    elif what == "other repository":
        _of_another(path, elsewhere)


ENDINGS = st.sampled_from(["none", "checked", "measured", "failed", "aborted", "refused", "rolled_back old"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ENDINGS, min_size=1, max_size=8), st.data())
def test_folding_on_is_folding_at_once(endings: list[str], data: st.DataObject) -> None:
    drafts: list[Draft] = []
    for turn, ending in enumerate(endings, start=1):
        drafts.extend(passing(f"prod-{turn}", f"release {turn}", ending))
        if data.draw(st.booleans()):
            drafts.append(data.draw(st.sampled_from([hold(), sample("unhold"), sample("policy")])))
    events: tuple[Event, ...] = events_of(*drafts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=4)))

    folded = EnvironmentState("prod")
    for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True):
        folded = fold_on(folded, events[start:end], None)

    at_once = fold_environment("prod", events, None)
    assert folded == at_once
    assert folded.current == at_once.current
    assert folded.active == at_once.active


@given(st.integers(0, 300), st.integers(1, 70), st.dictionaries(st.integers(0, 299), st.integers(), max_size=5))
def test_long_sequences_are_what_they_stand_for(size: int, chunk: int, changed: dict[int, int]) -> None:
    plain = list(range(size))
    changed = {place: value for place, value in changed.items() if place < size}
    long = Grown(OnDemand(size, lambda start, end: plain[start : end + 1], chunk), {**changed, size: -1})
    expected = (*[changed.get(place, value) for place, value in enumerate(plain)], -1)

    assert tuple(long) == expected
    assert tuple(reversed(long)) == expected[::-1]
    assert long[-1] == -1
    assert long[1:3] == expected[1:3]
    assert long == expected
    with pytest.raises(IndexError):
        long[size + 1]
