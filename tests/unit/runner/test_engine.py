"""The embedded engine: what every engine must do, and what its journal promises."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from f0ci.core.errors import Refused
from f0ci.core.outcome import Outcome
from f0ci.runner.context import Context
from f0ci.runner.engine import EmbeddedEngine, Engine
from f0ci.runner.journal import Journal, JournalError
from f0ci.runner.options import RunOptions
from f0ci.runner.recording import LostRun
from f0ci.runner.runs import RunRow, claim, find_run
from tests.unit.runner.conformance import Bench, EngineConformance, step
from tests.unit.runner.conftest import outcomes


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return the embedded engine, each one with a connection of its own to one journal."""
    opened: list[Journal] = []

    def make() -> Engine:
        opened.append(Journal(tmp_path / "journal.sqlite"))
        return EmbeddedEngine(opened[-1], sleep=lambda _: None)

    root = tmp_path / "work"
    root.mkdir()
    yield Bench(root, make)
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Return the journal of `bench`, as another command has it."""
    with Journal(tmp_path / "journal.sqlite") as opened:
        yield opened


class TestEmbeddedEngine(EngineConformance):
    """The embedded engine passes the suite."""


def test_a_run_that_somebody_carries_on_is_refused(bench: Bench, journal: Journal) -> None:
    run = bench.make().start(bench.order(step("a")))
    claim(journal, run)

    with pytest.raises(Refused, match="is being carried on by another command"):
        bench.make().resume(run)
    assert bench.bodies == []


def test_a_run_of_somebody_who_is_gone_is_taken_over(bench: Bench, tmp_path: Path) -> None:
    run = bench.make().start(bench.order(step("a")))
    gone = Journal(tmp_path / "journal.sqlite")
    claim(gone, run)
    gone.close()

    assert bench.make().resume(run).outcome is Outcome.PASSED


@pytest.mark.parametrize("how", ["start", "run"])
def test_a_run_that_another_command_starts_at_the_same_moment_is_the_same(
    how: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = replace(bench.order(step("a")), options=RunOptions(run="nightly"))
    asked: list[str] = []

    def find_first_too_early(journal: Journal, run: str) -> RunRow | None:
        asked.append(run)
        if len(asked) > 1:
            return find_run(journal, run)
        bench.make().start(order)
        return None

    monkeypatch.setattr("f0ci.runner.engine.find_run", find_first_too_early)
    getattr(bench.make(), how)(order)

    assert asked[0] == asked[-1] == "nightly"
    monkeypatch.undo()
    assert [row.run for row in bench.make().list()] == ["nightly"]
    assert bench.make().resume("nightly").outcome is Outcome.PASSED
    assert bench.bodies == ["a"]


def test_whoever_lost_a_run_records_nothing_more(bench: Bench, journal: Journal) -> None:
    run = bench.make().start(bench.order("  - {name: slow, run: cat gate}\n" + step("a")))
    # a lock that does not hold, as on some network file systems: somebody else has the run now
    (bench.root / "gate").touch()
    engine = EmbeddedEngine(
        journal, on_event=lambda _: journal.rows("UPDATE runs SET owner = 'other' WHERE run = ?", (run,))
    )

    with pytest.raises(LostRun, match="another command carries run"):
        engine.resume(run)
    assert bench.bodies == []


def test_failed_tries_are_counted_across_processes(bench: Bench, journal: Journal) -> None:
    order = bench.order(step("a", function="fails", more="error_handling: {retry_attempts: 3}"))
    run = bench.make().start(order)
    with journal.transaction() as connection:
        connection.execute(
            "INSERT INTO steps (run, path, round, kind, outcome, started) VALUES (?, 'a', '', 'python', 'running', 0)",
            (run,),
        )
        connection.executemany("INSERT INTO attempts VALUES (?, 'a', '', ?, 0, 0, 'returned 1')", [(run, 1), (run, 2)])

    record = bench.make().resume(run)

    assert (record.steps[0].attempts, bench.bodies) == (4, ["a", "a"])


def test_a_sub_recipe_goes_on_inside(bench: Bench) -> None:
    engine = bench.make()
    (bench.root / "recipes").mkdir()
    (bench.root / "recipes/inner.yaml").write_text(
        "metadata: {name: inner}\nsteps:\n"
        + step("x")
        + "  - {name: ask, type: wait, args: {approval: true}}\n"
        + step("y")
    )
    run = engine.start(bench.order("  - {name: call, type: sub_recipe, recipe_path: recipes/inner.yaml}\n" + step("b")))
    first = engine.resume(run)
    engine.send(run, "call/ask", "approve", who="alice")
    record = bench.make().resume(run)

    assert first.outcome is Outcome.WAITING
    assert outcomes(record) == {"call": "passed", "b": "passed"}
    assert [one.name for one in record.steps[0].steps] == ["x", "ask", "y"]
    assert bench.bodies == ["x", "y", "b"]


def test_a_sub_recipe_that_is_tried_again_is_recorded_try_by_try(bench: Bench, journal: Journal) -> None:
    (bench.root / "recipes").mkdir()
    inner = step("x") + "  - {name: y, run: 'test -e once || { touch once; exit 1; }'}\n"
    (bench.root / "recipes/inner.yaml").write_text(f"metadata: {{name: inner}}\nsteps:\n{inner}")
    order = bench.order(
        "  - {name: call, type: sub_recipe, recipe_path: recipes/inner.yaml, error_handling: {retry_attempts: 1}}\n"
    )
    run = EmbeddedEngine(journal, sleep=lambda _: None).run(order).run

    rows = journal.rows("SELECT path, round, outcome FROM steps WHERE run = ? ORDER BY position", (run,))
    assert rows == [
        ("call/x", "1", "passed"),
        ("call/y", "1", "failed"),
        ("call/x", "2", "passed"),
        ("call/y", "2", "passed"),
        ("call", "", "passed"),
    ]
    assert [one.outcome for one in bench.make().resume(run).steps[0].steps] == [Outcome.PASSED] * 2


def test_what_answers_a_failure_may_wait(bench: Bench) -> None:
    engine = bench.make()
    run = engine.start(
        bench.order(
            step("a", more="compensate: {run: 'echo undone >> tally.txt'}")
            + step("b", function="fails", more="error_handling: {on_failure: rollback}")
            + "  - {name: ask, type: wait, trigger: on_error, args: {approval: true}}\n"
            + step("tidy", more="trigger: on_error")
        )
    )
    first = engine.resume(run)
    engine.send(run, "ask", "approve")
    record = bench.make().resume(run)

    assert first.outcome is Outcome.WAITING
    assert record.outcome is Outcome.FAILED
    assert bench.bodies == ["a", "b", "undone", "tidy"]


def test_what_undoes_a_step_may_wait(bench: Bench) -> None:
    engine = bench.make()
    steps = (
        step("a", more="compensate: {type: wait, args: {approval: true}}")
        + step("b", function="fails", more="error_handling: {on_failure: rollback}")
        + step("tell", more="trigger: on_error")
    )
    run = engine.start(bench.order(steps))
    assert engine.resume(run).outcome is Outcome.WAITING
    assert bench.bodies == ["a", "b"]

    engine.send(run, "a.compensate", "approve", who="alice")
    record = bench.make().resume(run)
    assert outcomes(record) == {"a": "passed", "b": "failed", "a.compensate": "passed", "tell": "passed"}
    assert bench.bodies == ["a", "b", "tell"]


def test_the_time_of_a_sub_recipe_goes_on_where_it_was(bench: Bench, journal: Journal) -> None:
    engine = bench.make()
    (bench.root / "recipes").mkdir()
    (bench.root / "recipes/inner.yaml").write_text(
        "metadata: {name: inner}\nexecution: {timeout_seconds: 60}\nsteps:\n"
        "  - {name: ask, type: wait, args: {approval: true}}\n  - {name: slow, run: exec sleep 600}\n"
    )
    run = engine.start(bench.order("  - {name: call, type: sub_recipe, recipe_path: recipes/inner.yaml}\n"))
    engine.resume(run)
    with journal.transaction() as connection:
        connection.execute("UPDATE steps SET seconds = 59.9 WHERE path = 'call'")
    engine.send(run, "call/ask", "approve", who="alice")
    record = bench.make().resume(run)

    assert (record.outcome, record.steps[0].message) == (Outcome.ERRORED, "the recipe's time of 60s is over")
    assert record.steps[0].seconds > 59.9


def test_halves_of_characters_are_recorded(bench: Bench, journal: Journal) -> None:
    order = bench.order(step("a", function="half") + "  - {name: ask, type: wait, args: {approval: true}}\n")
    tally = bench.root / "scriptlets/tally.py"
    body = r"context.set('half', '\udcff'); print('\udcff'); return {'x': '\udcff'}"
    half = f"def half(context, params):\n    {body}\n"
    tally.write_text(f"{tally.read_text()}\n{half}")
    run = EmbeddedEngine(journal).run(order).run
    bench.make().send(run, "ask", "approve", data="\udcff")
    context = Context()
    record = EmbeddedEngine(journal).resume(run, context)

    assert record.outcome is Outcome.PASSED
    assert record.steps[0].outputs == {"x": "\udcff"}
    assert context.get("half") == "\udcff"


def test_a_fork_keeps_what_does_not_depend_on_the_step(bench: Bench, journal: Journal) -> None:
    engine = EmbeddedEngine(journal)
    run = engine.start(bench.order(step("a") + step("b", function="fails") + step("c")))
    assert engine.resume(run).outcome is Outcome.FAILED

    record = engine.resume(engine.fork(run, "b"))

    assert outcomes(record) == {"a": "passed", "b": "failed", "c": "skipped"}
    assert bench.bodies == ["a", "b", "b"]
    assert [row.parent for row in engine.list()] == [run, None]


def test_the_callers_context_holds_the_values(bench: Bench, journal: Journal) -> None:
    context = Context({"given": 1})
    EmbeddedEngine(journal).run(bench.order(step("a")), context)

    assert context.to_dict() == {"given": 1, "tally.a": True}


def test_many_runs_share_one_home(bench: Bench, journal: Journal) -> None:
    engine = EmbeddedEngine(journal)
    with engine.at_home(bench.root):
        for _ in range(3):
            assert engine.run(bench.order(step("a") + step("b"))).outcome is Outcome.PASSED

    assert len(engine.list(state="passed")) == 3


def test_sensitive_values_stay_out_of_the_journal_and_are_asked_for_again(bench: Bench, tmp_path: Path) -> None:
    steps = (
        '  - {name: login, run: "echo token=$TOKEN >> $F0CI_OUTPUT", args: {TOKEN: "#{params.token}"}}\n'
        "  - {name: ask, type: wait, args: {approval: true}}\n"
        '  - {name: use, run: "test ${#T} = 14", args: {T: "#{steps.login.outputs.token}"}}\n'
    )
    heading = "metadata: {name: test}\nparameters: [{name: token, sensitive: true}]"
    order = bench.order(steps, heading, parameters={"token": "planted-secret"}, options=RunOptions(run="r"))
    engine = bench.make()
    engine.start(order)
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert EmbeddedEngine(journal, given={"token": "planted-secret"}).resume("r").outcome is Outcome.WAITING
        assert all(b"planted-secret" not in file.read_bytes() for file in tmp_path.glob("journal.sqlite*"))
        engine.send("r", "ask", "approve")
        with pytest.raises(Exception, match="goes on only with the parameter 'token'"):
            EmbeddedEngine(journal).resume("r")
        row = find_run(journal, "r")
        assert row is not None
        assert row.state == "waiting"
        record = EmbeddedEngine(journal, given={"token": "planted-secret"}).resume("r")
    assert record.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda path: path.write_bytes(b"not a database, but long enough to look at" * 50), "not a database"),
        (lambda path: sqlite3.connect(path).execute("CREATE TABLE mine (x)").connection.close(), "no journal of runs"),
        (lambda path: path.mkdir(), "cannot be used"),
    ],
)
def test_what_is_no_journal_is_left_alone(tmp_path: Path, break_it: object, words: str) -> None:
    path = tmp_path / "journal.sqlite"
    break_it(path)  # type: ignore[operator]
    before = path.read_bytes() if path.is_file() else None

    with pytest.raises(JournalError, match=words) as caught:
        Journal(path)

    assert "--journal" in str(caught.value.hint)
    assert before is None or path.read_bytes() == before


def test_a_newer_journal_is_refused(bench: Bench, journal: Journal) -> None:
    bench.make()
    journal.rows("PRAGMA user_version = 99")

    with pytest.raises(JournalError, match="has version 99, this f0ci knows up to 1"):
        bench.make()


def test_a_full_disk_stops_the_run_which_goes_on_later(bench: Bench, journal: Journal) -> None:
    steps = step("a") + step("big", function="big") + step("c")
    order = bench.order(steps, options=RunOptions(run="r"))
    tally = bench.root / "scriptlets/tally.py"
    tally.write_text(
        tally.read_text() + "\ndef big(context, params):\n    tally(context, params)\n    return {'x': 'x' * 400_000}\n"
    )
    engine = EmbeddedEngine(journal)
    engine.start(order)
    pages = journal.rows("PRAGMA page_count")[0][0]
    journal.rows(f"PRAGMA max_page_count = {pages + 10}")

    with pytest.raises(JournalError, match="database or disk is full") as caught:
        engine.resume("r")
    assert "f0ci run --resume RUN" in str(caught.value.hint)
    assert bench.bodies == ["a", "big"]

    journal.rows("PRAGMA max_page_count = 1000000")
    record = bench.make().resume("r")
    assert record.outcome is Outcome.PASSED
    # the body whose end could not be recorded is the only one that ran twice
    assert bench.bodies == ["a", "big", "big", "c"]


def test_a_journal_that_goes_away_stops_the_run_which_goes_on_when_it_is_back(
    bench: Bench, journal: Journal, tmp_path: Path
) -> None:
    order = bench.order(step("a") + step("b"), options=RunOptions(run="r"))
    away = tmp_path / "away.sqlite"

    def on_event(event: object) -> None:
        if getattr(event, "step", "") == "b" and not away.exists():
            for path in tmp_path.glob("journal.sqlite*"):
                path.rename(away.with_name(path.name.replace("journal", "away")))

    engine = EmbeddedEngine(journal, on_event=on_event)
    engine.start(order)
    with pytest.raises(JournalError, match="was removed or replaced"):
        engine.resume("r")
    journal.close()

    for path in tmp_path.glob("away.sqlite*"):
        path.rename(path.with_name(path.name.replace("away", "journal")))
    assert bench.make().resume("r").outcome is Outcome.PASSED
    assert bench.bodies == ["a", "b", "b"]


def test_writers_of_one_key_that_nothing_orders_are_found(bench: Bench, journal: Journal) -> None:
    notes: list[str] = []
    beside = step("same", more="depends_on: []").replace("{name: same, type", "{name: NAME, type")
    engine = EmbeddedEngine(journal, on_event=lambda event: notes.append(getattr(event, "note", "")))
    order = bench.order(
        beside.replace("NAME", "left")
        + beside.replace("NAME", "right")
        + step("same", more="depends_on: [left, right]")
    )
    tally = bench.root / "scriptlets/tally.py"
    tally.write_text(tally.read_text().replace('+ params["name"], True)', "+ params['name'], context.step)"))
    run = engine.run(order).run

    conflicts = journal.rows("SELECT step, conflict FROM changes WHERE run = ? AND conflict IS NOT NULL", (run,))
    assert [set(one) for one in conflicts] == [{"left", "right"}]
    assert notes.count("conflict") == 1
