from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from f0ci.analysis.providers.base import Measurement, Query, nothing
from f0ci.analysis.providers.runs import measure
from f0ci.commands.running import run
from f0ci.core.errors import ProviderError
from f0ci.core.outcome import Outcome
from f0ci.recipes.records import RunRecord, StepRecord, to_json
from f0ci.runner.options import RunOptions
from tests.conftest import write_files

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
    record(tmp_path, "early", Outcome.PASSED, 90, 1, recipe="recipes/early.yaml")
    record(tmp_path, "elsewhere", Outcome.FAILED, 10, 1, environment="staging")
    record(tmp_path, "another", Outcome.PASSED, 5, 100, recipe="recipes/other.yaml")
    return tmp_path


RUNS = {"records": "out/*.json"}
NONE = "no run that is known belongs to it in 'prod'"
ROWS: list[tuple[str, dict[str, Any], Measurement]] = [
    ("failed", RUNS, Measurement(2 / 5, 5, "ratio", hits=2)),
    ("of a recipe", {**RUNS, "recipe": "recipes/nightly.yaml"}, Measurement(0.5, 4, "ratio", hits=2)),
    ("of the release", {**RUNS, "by_release": True}, Measurement(0.5, 4, "ratio", hits=2)),
    ("seconds", {**RUNS, "measure": "seconds"}, Measurement(44, 5, "s")),
    ("the longest", {**RUNS, "measure": "seconds", "aggregate": "max"}, Measurement(100, 5, "s")),
    ("a step", {**RUNS, "step": "load", "measure": "seconds", "aggregate": "max"}, Measurement(50, 5, "s")),
    ("no such step", {**RUNS, "step": "save"}, nothing(NONE, unmatched=True)),
    ("no run of these minutes", {**RUNS, "recipe": "recipes/early.yaml"}, nothing("no run ended in the window")),
    ("no such recipe", {**RUNS, "recipe": "x.yaml"}, nothing(NONE, unmatched=True)),
]


@pytest.mark.parametrize(("settings", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_records_say(recorded: Path, settings: dict[str, Any], expected: Measurement) -> None:
    assert ask(recorded, **settings) == expected


RECIPE = "metadata: {name: r}\nsteps:\n  - {name: load, run: 'test -d environments'}\n  - {name: save, run: 'true'}\n"


def test_real_runs_are_measured(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "r.yaml": RECIPE,
            "environments/prod/config.yaml": "size: 1\n",
            "environments/staging/config.yaml": "size: 1\n",
        },
    )
    begun = datetime.now(UTC)
    made = [run(tmp_path, "r.yaml", "prod")]
    write_files(tmp_path, {"r.yaml": RECIPE.replace("'true'}", "exit 3}")})
    made.append(run(tmp_path, "r.yaml", "prod"))
    run(tmp_path, "r.yaml", "staging")
    ended = datetime.now(UTC)
    (tmp_path / "left.json").write_text(json.dumps(to_json(made[0])))
    window = Query("prod", "", begun, ended, ended, metric="m")
    later = replace(window, start=ended + timedelta(minutes=1), end=ended + timedelta(minutes=2))

    assert [one.outcome for one in made] == [Outcome.PASSED, Outcome.FAILED]
    assert ask(tmp_path, window) == Measurement(0.5, 2, "ratio", hits=1)
    assert ask(tmp_path, window, recipe="r.yaml", step="load") == Measurement(0.0, 2, "ratio", hits=0)
    assert ask(tmp_path, window, step="save") == Measurement(0.5, 2, "ratio", hits=1)
    longest = ask(tmp_path, window, measure="seconds", aggregate="max").value
    assert longest == pytest.approx(max(one.seconds for one in made), abs=0.1)
    # records tell whole seconds
    window = replace(window, start=begun - timedelta(seconds=1))
    assert ask(tmp_path, window, records="left.json", step="load") == Measurement(0.0, 1, "ratio", hits=0)
    assert ask(tmp_path, later) == nothing("no run ended in the window")
    assert ask(tmp_path, window, step="delete") == nothing(NONE, unmatched=True)
    assert ask(tmp_path, window, recipe="s.yaml") == nothing(NONE, unmatched=True)


def test_deploy_recipes_of_promotions_count_where_they_are_named(tmp_path: Path) -> None:
    write_files(tmp_path, {"r.yaml": RECIPE, "environments/prod/config.yaml": "size: 1\n"})
    begun = datetime.now(UTC)
    run(tmp_path, "r.yaml", "prod", options=RunOptions(variables={"F0CI_PROMOTION": "prod-1"}))
    ended = datetime.now(UTC)
    window = Query("prod", "", begun, ended, ended, metric="m")

    assert ask(tmp_path, window) == nothing(NONE, unmatched=True)
    assert ask(tmp_path, window, recipe="r.yaml") == Measurement(0.0, 1, "ratio", hits=0)


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
