"""The journal in PostgreSQL: the same statements, changes that happen once, and what is said when it cannot be used."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from f0ci.core.errors import F0ciError, InputError, UsageError
from f0ci.runner.address import Address, read_address
from f0ci.runner.cluster.connection import EngineError
from f0ci.runner.cluster.dialect import statement_for, statement_for_change, values_for
from f0ci.runner.cluster.engine import ClusterEngine
from f0ci.runner.cluster.journal import PostgresJournal
from f0ci.runner.cluster.liveness import key_of, living
from f0ci.runner.cluster.queues import read_queues, require_queue
from f0ci.runner.frozen import freeze
from f0ci.runner.interface import Order
from f0ci.runner.journal import Journal
from f0ci.source.project import Project
from tests.conftest import write_files
from tests.postgres import Server
from tests.unit.runner.cluster.conftest import wait_until
from tests.unit.runner.cluster.proxy import Proxy

INSERT = "INSERT INTO signals VALUES (?, ?, 'ask', 'approve', NULL, 'null', 0, ?)"


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """Return a network that does what a test wants of it."""
    with Proxy(server.port) as made:
        yield made


def through(proxy: Proxy, address: Address) -> Address:
    """Return an address by way of a proxy."""
    return read_address(re.sub(r":\d+/", f":{proxy.port}/", address.url))


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("SELECT a FROM b WHERE c = ?", "SELECT a FROM b WHERE c = %s"),
        ("INSERT OR IGNORE INTO plans VALUES (?, ?)", "INSERT INTO plans VALUES (%s, %s) ON CONFLICT DO NOTHING"),
        ("UPDATE runs SET a = ? WHERE owner IS ?", "UPDATE runs SET a = %s WHERE owner IS NOT DISTINCT FROM %s"),
        ("SELECT max(coalesce(a, 0), b), max(c)", "SELECT greatest(coalesce(a, 0), b), max(c)"),
        ("SELECT a WHERE ?1 IS NULL OR b = ?1", "SELECT a WHERE CAST(%s AS TEXT) IS NULL OR b = %s"),
        ("SELECT a LIMIT ?2", "SELECT a LIMIT nullif(%s, -1)"),
        ("SELECT a LIKE '%'", "SELECT a LIKE '%%'"),
    ],
)
def test_statements_are_written_once(written: str, wanted: str) -> None:
    assert statement_for(written) == wanted


def test_a_run_that_a_change_reads_stays_as_it_is() -> None:
    assert statement_for_change("SELECT 1 FROM runs WHERE run = ? AND owner = ?").endswith(" FOR UPDATE")
    assert not statement_for_change("SELECT max(number) FROM signals WHERE run = ?").endswith(" FOR UPDATE")


def test_values_are_given_as_often_as_they_are_named() -> None:
    assert values_for("SELECT ?2, ?1, ?2", ["a", "b"]) == ["b", "a", "b"]
    assert values_for("SELECT ?, ?", ["a\0b", 1]) == ["a\ufffdb", 1]


def test_both_journals_have_the_same_tables(journal: PostgresJournal, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite") as file:
        names = [name for (name,) in file.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        here = {name: [row[1] for row in file.rows(f"PRAGMA table_info({name})")] for name in names}
    rows = journal.rows(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'f0ci'"
        " ORDER BY table_name, ordinal_position"
    )
    there = {name: [column for table, column in rows if table == name] for name in names}
    assert there == here
    assert len(names) == 6


def test_a_change_is_there_whole_or_not_at_all(journal: PostgresJournal) -> None:
    def change() -> None:
        with journal.transaction() as connection:
            connection.execute(INSERT, ("r", 1, None))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert journal.rows("SELECT * FROM signals") == []


def test_a_lost_connection_is_a_pause(address: Address, journal: PostgresJournal) -> None:
    with PostgresJournal(address, label="victim") as other:
        owner = other.liveness.owner
        with other.transaction() as connection:
            connection.execute(INSERT, ("r", 1, None))
            journal.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'")
            connection.execute(INSERT, ("r", 2, None))
        assert journal.rows("SELECT number FROM signals ORDER BY number") == [(1,), (2,)]
        # and its user is still known to be alive
        assert living(journal.rows, [owner, "nobody"]) == {owner}


def test_the_password_outlives_the_environment_it_came_from(
    address: Address, journal: PostgresJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "right-password")
    with PostgresJournal(read_address(str(address)), label="victim") as other:
        monkeypatch.delenv("PGPASSWORD")
        journal.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'")
        assert other.rows("SELECT 1") == [(1,)]


def test_a_change_that_somebody_else_made_meanwhile_is_given_up(address: Address, journal: PostgresJournal) -> None:
    def change() -> None:
        with PostgresJournal(address, label="victim") as other, other.transaction() as connection:
            statement = INSERT + " ON CONFLICT DO NOTHING"
            assert connection.execute(statement, ("r", 1, "mine")).rowcount == 1
            journal.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'")
            with journal.transaction() as theirs:
                theirs.execute(INSERT, ("r", 1, "theirs"))
            connection.execute(statement, ("r", 2, None))

    with pytest.raises(EngineError, match="was away during a change"):
        change()
    assert journal.rows("SELECT key FROM signals") == [("theirs",)]


@pytest.mark.parametrize("lost", ["the question", "the answer"])
def test_a_change_whose_confirmation_is_lost_happens_once(
    lost: str, address: Address, journal: PostgresJournal, server: Server, proxy: Proxy
) -> None:
    cut: list[bytes] = []

    def watch(data: bytes) -> bool:
        if b"COMMIT" not in data or cut:
            return False
        cut.append(data)
        if lost == "the question":
            server.query("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state ~ 'idle in'")
        return True

    proxy.watching = watch
    with PostgresJournal(through(proxy, address)) as other:
        with other.transaction() as connection:
            connection.execute("INSERT INTO signals SELECT 'r', count(*) + 1, 's', 'approve', NULL, '', 0 FROM signals")
        assert len(cut) == 1
    assert journal.rows("SELECT number FROM signals") == [(1,)]


def test_a_network_that_stalls_is_given_up_and_tried_again(
    address: Address, journal: PostgresJournal, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("f0ci.runner.cluster.connection.SILENCE", 0.3)
    monkeypatch.setattr("f0ci.runner.cluster.connection.NETWORK", {"connect_timeout": 2})
    monkeypatch.setattr("f0ci.runner.cluster.journal.time.sleep", lambda _: proxy.flowing.set())
    with PostgresJournal(through(proxy, address)) as other, other.transaction() as connection:
        connection.execute(INSERT, ("r", 1, None))
        proxy.flowing.clear()
        connection.execute(INSERT, ("r", 2, None))
    assert len(journal.rows("SELECT * FROM signals")) == 2


def test_a_server_that_stays_away_ends_the_command(address: Address, proxy: Proxy) -> None:
    with PostgresJournal(through(proxy, address), patience=0.3) as other:
        proxy.__exit__()
        with pytest.raises(EngineError, match="cannot be used") as caught:
            other.rows("SELECT 1")
    assert "--resume RUN" in str(caught.value.hint)


def test_a_plan_that_a_run_begins_to_follow_is_not_forgotten(address: Address, journal: PostgresJournal) -> None:
    insert = "INSERT OR IGNORE INTO plans VALUES ('p', '{}')"
    forgotten: list[int] = []

    def forget() -> None:
        with PostgresJournal(address) as other, other.transaction() as connection:
            answer = connection.execute("DELETE FROM plans WHERE plan NOT IN (SELECT plan FROM runs)")
            forgotten.append(answer.rowcount)

    with journal.transaction() as connection:
        connection.execute(insert)
    thread = threading.Thread(target=forget)
    with PostgresJournal(address) as starting, starting.transaction() as connection:
        connection.execute(insert)
        thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'f0ci.plans'::regclass"
        wait_until(lambda: journal.rows(waiting)[0][0] == 1)
        connection.execute(
            "INSERT INTO runs (run, number, plan, recipe, root, parameters, options, values_before, state, created)"
            " VALUES ('r', 0, 'p', '', '', '{}', '{}', '{}', 'stopped', 0)"
        )
    thread.join()
    assert forgotten == [0]
    assert journal.rows("SELECT plan FROM plans") == [("p",)]


def test_names_are_locked_by_numbers_that_hold_for_good() -> None:
    assert key_of("f0ci layout") == key_of("f0ci layout") != key_of("f0ci")
    assert -(2**63) <= key_of("x") < 2**63


@pytest.mark.parametrize(
    ("change", "words", "hint"),
    [
        (("right-password", "wrong-password"), "password authentication failed", "PGPASSWORD"),
        ((r":\d+/", ":1/"), "Connection refused", "check that the server runs"),
        (("/runs", "/no_runs"), "does not exist", "create the database"),
    ],
)
def test_what_is_wrong_with_an_address_is_told_without_its_password(
    address: Address, change: tuple[str, str], words: str, hint: str
) -> None:
    url = re.sub(*change, address.url)
    with pytest.raises(EngineError, match=words) as caught:
        PostgresJournal(read_address(url))
    assert hint in str(caught.value.hint)
    assert "-password" not in str(caught.value)


def test_a_newer_layout_is_refused(address: Address, journal: PostgresJournal) -> None:
    with journal.transaction() as connection:
        connection.execute("UPDATE layout SET version = 99")
    with pytest.raises(EngineError, match="has layout 99, this f0ci knows up to 1"):
        PostgresJournal(address)


def test_a_role_that_may_make_nothing_is_told_so(server: Server, tmp_path: Path) -> None:
    server.query("postgres", "DROP DATABASE IF EXISTS bare")
    server.query("postgres", "CREATE DATABASE bare")
    server.query("postgres", "DROP ROLE IF EXISTS guest")
    server.query("postgres", "CREATE ROLE guest LOGIN PASSWORD 'right-password'")
    guest = read_address(server.url("bare").replace("//f0ci:", "//guest:"))
    with pytest.raises(EngineError, match="permission denied") as caught:
        PostgresJournal(guest)
    assert "have its owner run `f0ci worker` once" in str(caught.value.hint)

    # once the owner has, rights on what is there suffice
    with PostgresJournal(read_address(server.url("bare"))) as owner:
        require_queue(owner, "default", read_queues({}))
    for schema in ("f0ci", "f0ci_queue"):
        server.query("bare", f"GRANT USAGE ON SCHEMA {schema} TO guest")
        for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
            server.query("bare", f"GRANT ALL ON ALL {kind} IN SCHEMA {schema} TO guest")
    write_files(tmp_path, {"recipes/one.yaml": "metadata: {name: one}\nsteps:\n  - {name: a, run: 'true'}\n"})
    with PostgresJournal(guest) as opened:
        engine = ClusterEngine(opened)
        run = engine.submit(Order(freeze(tmp_path, Project(), "recipes/one.yaml", None)))
        assert engine.list(state="queued")[0].run == run


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p%40ss@h:5/d", "postgresql://u@h:5/d"),
        ("postgres://h/d?user=u&password=secret&x=1", "postgres://h/d?user=u&password=***&x=1"),
        ("postgresql://h/d", "postgresql://h/d"),
    ],
)
def test_addresses_are_shown_without_passwords(url: str, shown: str) -> None:
    address = read_address(url)
    assert str(address) == shown
    assert "secret" not in repr(address)
    assert address.has_password is (url != shown)


@pytest.mark.parametrize("url", ["mysql://h/d", "nothing", "postgresql://", "sqlite:///x"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no address of an engine"):
        read_address(url)
    with pytest.raises(InputError):
        read_address(url, place="f0ci.yaml:1:9")


def test_a_password_in_a_file_is_refused() -> None:
    with pytest.raises(F0ciError, match="written with its password") as caught:
        read_address("postgresql://u:secret@h/d", place="f0ci.yaml:1:9")
    assert "secret" not in str(caught.value)
