from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from f0ci.analysis.looking import Question, look, next_look_at
from f0ci.analysis.observing import combine, observe
from f0ci.analysis.providers.base import Measurement, Point, Query, nothing
from f0ci.core.clock import format_time
from f0ci.core.outcome import Outcome
from f0ci.workflows.conditions import parse_condition
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.model import Check

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
STEP = timedelta(seconds=10)
SPEC = MetricSpec("m", "file", {"aggregate": "max"}, interval=STEP, consecutive_error_limit=1)
ERROR = Measurement(None, 0, series=0, error="refused")
GAP = nothing("a gap")
IDLE = Measurement(None, 0, no_traffic=True)
NAN = Measurement(math.nan, 1)


def number(value: float) -> Measurement:
    return Measurement(value, 2)


def counted(hits: int, total: int) -> Measurement:
    return Measurement(hits / total, total, "ratio", hits=hits)


ROWS: list[tuple[str, list[Measurement], dict[str, Any]]] = [
    ("no point", [], {"value": None, "series": 0}),
    ("only errors", [ERROR, ERROR], {"error": "refused"}),
    ("errors at the end", [number(1), ERROR, ERROR], {"error": "refused"}),
    ("few errors at the end", [number(1), ERROR], {"value": 1, "error": None}),
    (
        "errors in between",
        [ERROR, ERROR, ERROR, number(1)],
        {"value": 1, "note": "3 of 4 points could not be measured"},
    ),
    ("several series", [number(1), replace(number(2), series=3)], {"series": 3, "value": None}),
    ("infinite", [number(1), number(math.inf)], {"value": math.inf}),
    ("no traffic at all", [IDLE, GAP, ERROR, IDLE], {"no_traffic": True, "value": None}),
    ("no traffic at times", [IDLE, number(1)], {"no_traffic": False, "value": 1}),
    ("no data at all", [GAP, NAN], {"value": None, "series": 0, "no_traffic": False, "note": "a gap"}),
    ("not a number at times", [NAN, number(1), GAP], {"value": 1, "samples": 2}),
    ("counts", [counted(1, 10), counted(5, 30)], {"value": 0.15, "samples": 40, "hits": 6, "unit": "ratio"}),
    ("values", [number(1), number(3), number(2)], {"value": 3, "samples": 6, "hits": None}),
    (
        "two units",
        [replace(number(1), unit="s"), replace(number(1), unit="ms")],
        {"error": "points are measured in ms, s"},
    ),
]


@pytest.mark.parametrize(("measured", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_points_say_together(measured: list[Measurement], expected: dict[str, Any]) -> None:
    points = [Point(START + STEP * at, START + STEP * (at + 1), one) for at, one in enumerate(measured)]
    found = combine(SPEC, points)

    assert {name: getattr(found, name) for name in expected} == expected


def table(folder: Path, *rows: tuple[int, int, int]) -> None:
    lines = [f"{format_time(START + timedelta(seconds=at))},{bad},{total}" for at, bad, total in rows]
    (folder / "m.csv").write_text("\n".join(["time,bad,total", *lines]) + "\n")


COUNTS = MetricSpec("rate", "file", {"path": "m.csv", "bad": "bad", "total": "total"}, interval=STEP)


def query(seconds: int, now: int | None = None) -> Query:
    moment = START + timedelta(seconds=seconds if now is None else now)
    return Query("prod", "new", START, START + timedelta(seconds=seconds), moment)


def test_points_are_whole_intervals_and_an_edge_belongs_to_the_one_before(tmp_path: Path) -> None:
    table(tmp_path, (0, 9, 9), (1, 1, 10), (10, 1, 10), (11, 0, 10), (20, 0, 10), (25, 9, 9))
    found = observe(COUNTS, query(29), tmp_path)

    assert [(one.measurement.hits, one.measurement.samples) for one in found.points] == [(2, 20), (0, 20)]
    assert (found.measurement.hits, found.measurement.samples) == (2, 40)


def test_what_is_asked_of_points_does_not_depend_on_when(tmp_path: Path) -> None:
    table(tmp_path, *((at, 1, 10) for at in range(5, 60, 10)))

    assert observe(COUNTS, query(40), tmp_path).points == observe(COUNTS, query(40, now=4000), tmp_path).points


@pytest.mark.parametrize(
    ("spec", "seconds", "now", "expected"),
    [
        (COUNTS, 60, 35, 3),
        (replace(COUNTS, delay=timedelta(seconds=6)), 60, 35, 2),
        (replace(COUNTS, count=2), 60, 60, 2),
        (COUNTS, 60, 5, 0),
        (COUNTS, 60, -100, 0),
    ],
    ids=["so far", "late data", "a count", "too early", "a clock that is behind"],
)
def test_points_that_are_over(tmp_path: Path, spec: MetricSpec, seconds: int, now: int, expected: int) -> None:
    table(tmp_path, *((at, 0, 10) for at in range(5, 60, 10)))
    found = observe(spec, query(seconds, now), tmp_path)

    assert len(found.points) == expected
    assert (found.measurement.value is None) is (expected == 0)


def test_rows_that_stand_twice_count_once(tmp_path: Path) -> None:
    table(tmp_path, (5, 1, 10), (5, 1, 10), (5, 2, 10))

    assert observe(COUNTS, query(10), tmp_path).measurement.samples == 20


@pytest.mark.parametrize("interval", [STEP, None])
def test_running_totals_begin_again_after_a_restart(tmp_path: Path, interval: timedelta | None) -> None:
    table(tmp_path, (0, 5, 100), (10, 7, 200), (20, 8, 260), (30, 1, 40), (40, 3, 90))
    spec = replace(COUNTS, settings={**COUNTS.settings, "counter": True}, interval=interval)
    found = observe(spec, query(40), tmp_path).measurement

    assert (found.hits, found.samples) == (2 + 1 + 1 + 2, 100 + 60 + 40 + 50)


def test_a_look_compares_with_the_release_before_over_the_same_window(tmp_path: Path) -> None:
    rows = ["time,release,v"]
    for at in range(5, 100, 10):
        moment = format_time(START + timedelta(seconds=at))
        rows += [f"{moment},old,{1 + at / 1000}", f"{moment},new,{100 + at}"]
    (tmp_path / "m.csv").write_text("\n".join(rows) + "\n")
    spec = MetricSpec("m", "file", {"path": "m.csv", "value": "v", "release": "release"}, interval=STEP)
    asked = (Check(parse_condition("m <= baseline * 1.2"), rollback=False, at=()),)
    question = Question(query(100), "old", START, expired=False, end=START + timedelta(seconds=100))

    found = look(asked, {"m": spec}, question, tmp_path)
    alone = look(asked, {"m": spec}, replace(question, stable=""), tmp_path)
    before = look(asked, {"m": replace(spec, baseline="before")}, question, tmp_path)
    itself = look(asked, {"m": replace(spec, baseline={"value": "v", "release": "nowhere"})}, question, tmp_path)

    assert found.conclusion.outcome is Outcome.FAILED
    assert found.judgements[0].decided_at is not None
    assert alone.conclusion.outcome is Outcome.SKIPPED
    assert "no other release ran before to compare with" in alone.judgements[0].reason
    assert "baseline: metric 'm' has no value" in before.judgements[0].reason
    assert "there is no column 'nowhere'" in itself.judgements[0].reason


NEXT = [
    ("the end of the first", COUNTS, 0, 10),
    ("the end of the next", COUNTS, 25, 30),
    ("exactly at an end", COUNTS, 30, 40),
    ("with a delay", replace(COUNTS, delay=timedelta(seconds=3)), 30, 33),
    ("all are counted", replace(COUNTS, count=2), 30, None),
    ("the window is over", COUNTS, 100, None),
    ("no interval", replace(COUNTS, interval=None), 0, None),
]


@pytest.mark.parametrize(("spec", "now", "expected"), [row[1:] for row in NEXT], ids=[row[0] for row in NEXT])
def test_when_to_look_again(spec: MetricSpec, now: int, expected: int | None) -> None:
    end = START + timedelta(seconds=100)
    question = Question(query(100, now), "", START, expired=False, end=end)
    found = next_look_at([spec], question)

    assert found == (None if expected is None else START + timedelta(seconds=expected))
