from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from f0ci.analysis.providers.base import Measurement, Query
from f0ci.analysis.providers.command import measure
from f0ci.core.errors import ProviderError

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
END = START + timedelta(minutes=10)


def ask(folder: Path, run: Any, now: datetime = END, **settings: Any) -> Measurement:
    return measure(Query("prod", "abc123", START, END, now, {"run": run, **settings}, "m"), folder)


ANSWERS: list[tuple[str, Any, Measurement]] = [
    ("a number", "echo 0.25", Measurement(0.25, 1)),
    ("a whole number", "echo 3", Measurement(3, 1)),
    ("true", "echo true", Measurement(1, 1)),
    ("false", "echo false", Measurement(0, 1)),
    ("an object", """echo '{"value": 0.2, "samples": 1500, "unit": "%"}'""", Measurement(0.2, 1500, unit="%")),
    ("counts", """echo '{"bad": 3, "total": 1500}'""", Measurement(0.002, 1500, "ratio", hits=3)),
    ("no requests", """echo '{"good": 0, "total": 0}'""", Measurement(None, 0, no_traffic=True)),
    ("several series", """echo '{"value": 0.2, "series": 2}'""", Measurement(0.2, 1, series=2)),
    (
        "no traffic",
        """echo '{"value": null, "samples": 0, "no_traffic": true, "note": "closed"}'""",
        Measurement(None, 0, no_traffic=True, note="closed"),
    ),
    ("no value", """echo '{"samples": 12}'""", Measurement(None, 0)),
    ("a program with arguments", [sys.executable, "-c", "import sys; print(sys.argv[1])", "4 "], Measurement(4, 1)),
    ("what it logs is no answer", "echo 7 >&2; echo 1; echo 8 >&2", Measurement(1, 1)),
    ("infinite", f"echo 1{'0' * 400}", Measurement(float("inf"), 1)),
]


@pytest.mark.parametrize(("run", "answer"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_what_a_command_answers(tmp_path: Path, run: Any, answer: Measurement) -> None:
    assert ask(tmp_path, run) == answer


ERRORS: list[tuple[str, Any, dict[str, Any], str, str]] = [
    ("no command", None, {}, "metric 'm' names no command", "'run'"),
    ("an empty command", "", {}, "metric 'm' names no command", "'run'"),
    ("exit code", "echo 1; echo cannot reach it >&2; exit 3", {}, "exit code 3: cannot reach it", "run it: echo 1"),
    ("silent", "exit 4", {}, "the command ended with exit code 4", "exit 4"),
    ("no such program", "/no/such/program", {}, "exit code 127", "/no/such/program"),
    ("too slow", "sleep 60", {"timeout": "100ms"}, "the command took longer than 0.1s", "'timeout'"),
    ("odd timeout", "echo 1", {"timeout": "soon"}, "'timeout' of metric 'm'", "30s"),
    ("nothing", "true", {}, "printed '', which is no measurement", "one number"),
    ("a word", "echo fine", {}, "printed 'fine'", "one number"),
    ("a text", """echo '"1"'""", {}, "which is no measurement", "one number"),
    ("null", "echo null", {}, "printed 'null'", "one number"),
    ("two numbers", "echo 1; echo 2", {}, "which is no measurement", "one number"),
    ("a list", "echo '[1]'", {}, "printed '[1]'", "one number"),
    ("an unknown field", """echo '{"value": 1, "sample": 5}'""", {}, "which is no measurement", "samples"),
    ("half of counts", """echo '{"bad": 1}'""", {}, "which is no measurement", "total"),
    ("counts and a value", """echo '{"bad": 1, "total": 2, "value": 3}'""", {}, "is no measurement", "total"),
    (
        "more than all",
        """echo '{"bad": 3, "total": 2}'""",
        {},
        "'bad' is 3, more than the 2 of 'total'",
        "same requests",
    ),
    ("half a sample", """echo '{"value": 1, "samples": 0.5}'""", {}, "which is no measurement", "samples"),
    ("negative samples", """echo '{"value": 1, "samples": -5}'""", {}, "which is no measurement", "samples"),
    ("true series", """echo '{"value": 1, "series": true}'""", {}, "which is no measurement", "samples"),
    ("a flood", "head -c 2000000 /dev/zero", {}, "which is no measurement", "one number"),
    ("a long text", "printf '%090d x' 1", {}, "000...'", "one number"),
]


@pytest.mark.parametrize(
    ("run", "settings", "message", "hint"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS]
)
def test_what_is_no_answer(tmp_path: Path, run: Any, settings: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(ProviderError) as caught:
        ask(tmp_path, run, **settings)

    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("late", "settings", "value"),
    [
        (timedelta(), {}, 1),
        (timedelta(minutes=2), {}, None),
        (timedelta(minutes=2), {"grace": "2m"}, 1),
        (timedelta(days=2), {"by_time": True}, 1),
        (timedelta(days=2), {"by_time": "yes"}, None),
    ],
)
def test_a_command_that_knows_only_the_present_is_not_asked_about_the_past(
    tmp_path: Path, late: timedelta, settings: dict[str, Any], value: float | None
) -> None:
    answer = ask(tmp_path, "echo 1; touch asked", END + late, **settings)

    assert answer.value == value
    assert (tmp_path / "asked").exists() is (value is not None)


def test_a_command_learns_what_is_asked_and_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "planted-secret")
    monkeypatch.setenv("F0CI_GIT_TOKEN", "planted-secret")
    ask(tmp_path, "env > asked; pwd >> asked; echo 1")
    said = (tmp_path / "asked").read_text().splitlines()

    assert {line for line in said if line.startswith("F0CI_")} == {
        "F0CI_METRIC=m",
        "F0CI_ENVIRONMENT=prod",
        "F0CI_RELEASE=abc123",
        "F0CI_WINDOW_START=2026-11-21T09:00:00Z",
        "F0CI_WINDOW_END=2026-11-21T09:10:00Z",
    }
    assert not [line for line in said if "planted-secret" in line]
    assert Path(said[-1]) == tmp_path.resolve()
