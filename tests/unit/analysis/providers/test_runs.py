from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from f0ci.analysis.providers.base import Measurement, Query, nothing
from f0ci.analysis.providers.runs import DEFAULT_JOURNAL, measure
from f0ci.commands.running import run
from f0ci.core.errors import ProviderError
from f0ci.core.outcome import Outcome
from f0ci.recipes.records import RunRecord, StepRecord, to_json

END = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
QUERY = Query("prod", "abc", END - timedelta(hours=1), END, END, metric="m")


def ask(root: Path, query: Query = QUERY, **settings: Any) -> Measurement:
    return measure(replace(query, settings=settings), root)


def record(root: Path, name: str, outcome: Outcome, minutes: float, seconds: float, **more: Any) -> None:
    ended = END - timedelta(minutes=minutes)
    step = StepRecord("load", outcome, 1, ended, ended, seconds / 2)
    fields: dict[str, Any] = {"environment": "prod", "release": "abc", "recipe": "recipes/nightly.yaml", **more}
    made = RunRecord(name, fields.pop("recipe"), outcome, ended, ended, seconds, steps=(step,), **fields)
    (root / "out").mkdir(exist_ok=True)
    (root / "out" / f"{name}.json").write_text(json.dumps(to_json(made)))


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    record(tmp_path, "a", Outcome.PASSED, 50, 10)
    record(tmp_path, "b", Outcome.FAILED, 40, 20)
    record(tmp_path, "c", Outcome.ERRORED, 30, 30)
    record(tmp_path, "d", Outcome.PASSED, 20, 60, release="other")
    record(tmp_path, "e", Outcome.SKIPPED, 10, 1)
    record(tmp_path, "too-early", Outcome.FAILED, 90, 1)
    record(tmp_path, "elsewhere", Outcome.FAILED, 10, 1, environment="staging")
    record(tmp_path, "another", Outcome.PASSED, 5, 100, recipe="recipes/other.yaml")
    return tmp_path


RUNS = {"records": "out/*.json"}
ROWS: list[tuple[str, dict[str, Any], Measurement]] = [
    ("failed", RUNS, Measurement(2 / 5, 5, "ratio", hits=2)),
    ("of a recipe", {**RUNS, "recipe": "recipes/nightly.yaml"}, Measurement(0.5, 4, "ratio", hits=2)),
    ("of the release", {**RUNS, "by_release": True}, Measurement(0.5, 4, "ratio", hits=2)),
    ("seconds", {**RUNS, "measure": "seconds"}, Measurement(44, 5, "s")),
    ("the longest", {**RUNS, "measure": "seconds", "aggregate": "max"}, Measurement(100, 5, "s")),
    ("a step", {**RUNS, "step": "load", "measure": "seconds", "aggregate": "max"}, Measurement(50, 5, "s")),
    ("no such step", {**RUNS, "step": "save"}, nothing("no run ended in the window")),
    ("no such recipe", {**RUNS, "recipe": "x.yaml"}, nothing("no run ended in the window")),
]


@pytest.mark.parametrize(("settings", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_records_say(recorded: Path, settings: dict[str, Any], expected: Measurement) -> None:
    assert ask(recorded, **settings) == expected


def test_what_the_journal_says(recorded: Path) -> None:
    path = recorded / DEFAULT_JOURNAL
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE runs (run, state, ended, seconds, recipe, environment, release)")
        connection.execute("CREATE TABLE steps (run, path, outcome, ended, seconds)")
        for number, (state, minutes) in enumerate((("passed", 5), ("failed", 10), ("failed", 90), ("running", None))):
            ended = None if minutes is None else (END - timedelta(minutes=minutes)).timestamp()
            connection.execute("INSERT INTO runs VALUES (?, ?, ?, 4, 'r.yaml', 'prod', 'abc')", (number, state, ended))
            connection.execute("INSERT INTO steps VALUES (?, 'load', 'passed', ?, 2)", (number, ended))

    assert ask(recorded) == Measurement(0.5, 2, "ratio", hits=1)
    assert ask(recorded, step="load") == Measurement(0.0, 2, "ratio", hits=0)
    assert ask(recorded, step="load", measure="seconds") == Measurement(2.0, 2, "s")


def test_a_real_run_is_measured(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("metadata: {name: r}\nsteps:\n  - {name: load, run: 'true'}\n")
    (tmp_path / "environments/prod").mkdir(parents=True)
    (tmp_path / "environments/prod/config.yaml").write_text("size: 1\n")
    left = run(tmp_path, "r.yaml", "prod")
    (tmp_path / "left.json").write_text(json.dumps(to_json(left)))
    assert left.ended is not None
    window = Query(
        str(left.environment), "", left.started - timedelta(seconds=1), left.ended + timedelta(seconds=1), left.ended
    )

    assert ask(tmp_path, window, records="left.json", step="load") == Measurement(0.0, 1, "ratio", hits=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "there is no journal '.f0ci/runs/journal.sqlite'"),
        ({"journal": "../journal.sqlite"}, "leaves the repository"),
        ({"records": "../*.json"}, "leaves the repository"),
        ({"records": "*.json"}, "no file is like '*.json'"),
        ({"records": "bad/broken.json"}, "not a run record"),
        ({"records": "bad/other.json"}, "not a run record"),
        ({"journal": "bad/broken.json"}, "the journal cannot be read"),
    ],
)
def test_what_is_no_answer(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/broken.json").write_text("{" * 200)
    (tmp_path / "bad/other.json").write_text("{}")
    with pytest.raises(ProviderError) as refused:
        ask(tmp_path, **settings)

    assert message in str(refused.value)
    assert refused.value.hint
