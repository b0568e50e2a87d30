from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from f0ci.analysis.providers.base import Measurement, Query
from f0ci.analysis.providers.file import measure
from f0ci.core.errors import ProviderError

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
END = START + timedelta(minutes=10)
RELEASE = "0123456789abcdef0123456789abcdef"


def query(settings: dict[str, Any], now: datetime = END, release: str = RELEASE) -> Query:
    return Query("prod", release, START, END, now, settings, "m")


def ask(folder: Path, name: str, text: str, settings: dict[str, Any], now: datetime = END) -> Measurement:
    (folder / name).write_text(text, encoding="utf-8")
    return measure(query({"path": name, **settings}, now), folder)


def no_row(name: str) -> dict[str, Any]:
    return {"series": 0, "note": f"no row of {name!r} is about 'prod'"}


TIMED = """\
time,env,rel,requests,errors,ms
2026-11-21T08:59:59Z,prod,0123456789abcdef0123456789abcdef,1000,1000,9000
2026-11-21T09:00:00Z,prod,0123456789abcdef0123456789abcdef,100,1,10
2026-11-21T10:05:00+01:00,prod,0123456789ab,200,2,30
2026-11-21T09:10:00Z,prod,0123456789abcdef0123456789abcdef,300,6,20
2026-11-21T09:10:01Z,prod,0123456789abcdef0123456789abcdef,1000,1000,9000
2026-11-21T09:05:00Z,prod,fedcba987654,50,50,5000
2026-11-21T09:05:00Z,prod,0123,50,50,5000
2026-11-21T09:05:00Z,staging,0123456789ab,50,50,5000
"""
COLUMNS = {"environment": "env", "release": "rel"}
ANSWERS: list[tuple[str, str, str, dict[str, Any], float | None, int, dict[str, Any]]] = [
    (
        "bad of total",
        "m.csv",
        TIMED,
        {"bad": "errors", "total": "requests", **COLUMNS},
        9 / 600,
        600,
        {"unit": "ratio", "hits": 9},
    ),
    ("mean", "m.csv", TIMED, {"value": "ms", **COLUMNS}, 20, 3, {}),
    ("max", "m.csv", TIMED, {"value": "ms", "aggregate": "max", **COLUMNS}, 30, 3, {}),
    ("min", "m.csv", TIMED, {"value": "ms", "aggregate": "min", **COLUMNS}, 10, 3, {}),
    ("last", "m.csv", TIMED, {"value": "ms", "aggregate": "last", **COLUMNS}, 20, 3, {}),
    ("median", "m.csv", TIMED, {"value": "ms", "aggregate": "p50", **COLUMNS}, 20, 3, {}),
    ("all releases", "m.csv", TIMED, {"value": "ms", "aggregate": "max", "environment": "env"}, 5000, 5, {}),
    ("all environments", "m.csv", TIMED, {"value": "ms"}, (10 + 30 + 20 + 3 * 5000) / 6, 6, {}),
    (
        "last by time, not by line",
        "m.csv",
        "time,v\n2026-11-21T09:02Z,1\n2026-11-21T09:01Z,2\n",
        {"value": "v", "aggregate": "last"},
        1,
        2,
        {},
    ),
    (
        "seconds since 1970",
        "m.csv",
        f"t,v\n{START.timestamp() - 1},9\n{START.timestamp()},4\n",
        {"value": "v", "time": "t"},
        4,
        1,
        {},
    ),
    ("a snapshot", "m.csv", "v\n1\n3\n", {"value": "v"}, 2, 2, {}),
    ("a byte-order mark", "m.csv", "\ufeffv\r\n1\r\n\r\n3\r\n", {"value": "v"}, 2, 2, {}),
    ("quoted text", "m.csv", 'note,v\n"a, ""b""\nc",7\n', {"value": "v"}, 7, 1, {}),
    ("format by setting", "metrics.txt", "v\n1\n", {"value": "v", "format": "csv"}, 1, 1, {}),
    (
        "good of total",
        "m.json",
        json.dumps([{"ok": 99, "all": 100}, {"ok": 0, "all": 0}]),
        {"good": "ok", "total": "all"},
        0.99,
        100,
        {"unit": "ratio", "hits": 99},
    ),
    ("one object", "m.json", '{"v": 1.5}', {"value": "v"}, 1.5, 1, {}),
    ("numbers as texts", "m.json", '[{"v": "1e-3"}]', {"value": "v"}, 0.001, 1, {}),
    (
        "time as a number",
        "m.json",
        json.dumps([{"t": START.timestamp() + 1, "v": 3}]),
        {"value": "v", "time": "t"},
        3,
        1,
        {},
    ),
    ("lines", "m.jsonl", '{"v": 1}\n\n{"v": 4}', {"value": "v", "aggregate": "last"}, 4, 2, {}),
    ("nothing happened", "m.csv", "ok,all\n0,0\n0,0\n", {"good": "ok", "total": "all"}, None, 0, {"no_traffic": True}),
    (
        "no row of the environment",
        "m.csv",
        "env,v\ndev,1\n",
        {"value": "v", "environment": "env"},
        None,
        0,
        no_row("m.csv"),
    ),
    (
        "no row in the window",
        "m.csv",
        "time,v\n2026-11-20T09:01Z,1\n",
        {"value": "v"},
        None,
        0,
        {"series": 0, "note": "no row of 'm.csv' lies in the window"},
    ),
    ("no rows", "m.csv", "v\n", {"value": "v"}, None, 0, no_row("m.csv")),
    (
        "an empty list",
        "m.json",
        "[]",
        {"value": "v"},
        None,
        0,
        no_row("m.json"),
    ),
    ("no lines", "m.jsonl", "", {"value": "v"}, None, 0, no_row("m.jsonl")),
]


@pytest.mark.parametrize(
    ("name", "text", "settings", "value", "samples", "more"),
    [row[1:] for row in ANSWERS],
    ids=[row[0] for row in ANSWERS],
)
def test_what_a_file_answers(
    tmp_path: Path,
    name: str,
    text: str,
    settings: dict[str, Any],
    value: float | None,
    samples: int,
    more: dict[str, Any],
) -> None:
    assert ask(tmp_path, name, text, settings) == Measurement(value, samples, **more)


V: dict[str, Any] = {"value": "v"}
RATIO: dict[str, Any] = {"good": "g", "total": "t"}
ERRORS: list[tuple[str, str, str, dict[str, Any], str | None, str, str]] = [
    ("nothing to read", "m.csv", "v\n1\n", {}, None, "does not say which columns", "'value'"),
    ("both ways", "m.csv", "v\n1\n", {"value": "v", "total": "t"}, None, "does not say which columns", "'value'"),
    ("half a ratio", "m.csv", "g\n1\n", {"good": "g"}, None, "does not say which columns", "'total'"),
    ("missing column", "m.csv", "vv\n1\n", V, "m.csv:2", "there is no column 'v'", "did you mean 'vv'?"),
    ("missing in one row", "m.jsonl", '{"v": 1}\n{"w": 1}\n', V, "m.jsonl:2", "there is no column 'v'", "columns: w"),
    ("missing environment", "m.csv", "v\n1\n", {**V, "environment": "env"}, "m.csv:2", "no column 'env'", "columns"),
    ("missing release", "m.csv", "v\n1\n", {**V, "release": "rel"}, "m.csv:2", "no column 'rel'", "columns"),
    ("missing time", "m.csv", "v\n1\n", {**V, "time": "t"}, "m.csv:2", "no column 't'", "columns"),
    ("empty cell", "m.csv", "time,v\n2026-11-21T09:01Z,\n", V, "m.csv:2", "the column 'v' is empty", "write a value"),
    ("null", "m.json", '[\n  {"v": 1},\n  {"v": null}\n]', V, "m.json:3:3", "the column 'v' is empty", "write a value"),
    ("a word", "m.csv", "v\nmany\n", V, "m.csv:2", "'many' in column 'v' is not a number", "finite"),
    ("NaN", "m.csv", "v\nNaN\n", V, "m.csv:2", "'NaN' in column 'v' is not a number", "finite"),
    ("infinite", "m.csv", "v\ninf\n", V, "m.csv:2", "'inf' in column 'v' is not a number", "finite"),
    ("huge", "m.json", f'[{{"v": {"9" * 400}}}]', V, "m.json:1:2", "is not a number", "finite"),
    ("true", "m.json", '[{"v": true}]', V, "m.json:1:2", "True in column 'v' is not a number", "finite"),
    ("a list", "m.json", '[{"v": [1]}]', V, "m.json:1:2", "[1] in column 'v' is not a number", "finite"),
    ("more good than all", "m.csv", "g,t\n5,4\n", RATIO, "m.csv:2", "'5' of '4'", "whole numbers"),
    ("negative", "m.csv", "g,t\n1,4\n-1,4\n", RATIO, "m.csv:3", "'-1' of '4'", "whole numbers"),
    ("broken count", "m.csv", "g,t\n1,2.5\n", RATIO, "m.csv:2", "'1' of '2.5'", "whole numbers"),
    ("no offset", "m.csv", "time,v\n2026-11-21T09:01,1\n", V, "m.csv:2", "is not a time", "with an offset"),
    ("not a time", "m.csv", "time,v\nsoon,1\n", V, "m.csv:2", "'soon' in column 'time' is not a time", "ISO 8601"),
    ("no such time", "m.csv", "time,v\n1e300,1\n", V, "m.csv:2", "is not a time", "ISO 8601"),
    ("NaN as a time", "m.csv", "time,v\nnan,1\n", V, "m.csv:2", "is not a time", "ISO 8601"),
    (
        "some with a time",
        "m.jsonl",
        f'{{"time": {START.timestamp()}, "v": 1}}\n{{"v": 1}}',
        V,
        "m.jsonl:2",
        "has no time",
        "or none",
    ),
    ("unknown aggregate", "m.csv", "v\n1\n", {**V, "aggregate": "sum"}, None, "'sum' is no way", "mean, max"),
    ("p above 100", "m.csv", "v\n1\n", {**V, "aggregate": "p101"}, None, "'p101' is no way", "p95"),
    ("p of nothing", "m.csv", "v\n1\n", {**V, "aggregate": "p"}, None, "'p' is no way", "p95"),
    ("p of a fraction of 0", "m.csv", "v\n1\n", {**V, "aggregate": "p1/0"}, None, "'p1/0' is no way", "p95"),
    ("bad grace", "m.csv", "v\n1\n", {**V, "grace": "a bit"}, None, "'grace' of metric 'm'", "1m"),
    ("unknown format", "m.txt", "v\n1\n", V, "m.txt", "of no known format", "csv, json, jsonl or junit"),
    (
        "unknown format named",
        "m.csv",
        "v\n1\n",
        {**V, "format": "xml"},
        "m.csv",
        "of no known format",
        "csv, json, jsonl or junit",
    ),
    ("no file", "m.csv", "", {**V, "path": "n.csv"}, "n.csv", "there is no file 'n.csv'", "check 'path'"),
    ("a folder", "m.csv", "", {**V, "path": ".", "format": "csv"}, ".", "there is no file '.'", "check 'path'"),
    ("outside", "m.csv", "", {**V, "path": "../m.csv"}, "../m.csv", "leaves the repository", "inside"),
    ("absolute", "m.csv", "", {**V, "path": "/m.csv"}, "/m.csv", "is an absolute path", "allow_absolute"),
    ("no header", "m.csv", "", V, "m.csv:1", "the header line is missing", "first line"),
    ("two columns of a name", "m.csv", "v,v\n1,2\n", V, "m.csv:1", "two columns are called 'v'", "of its own"),
    ("a short row", "m.csv", "v,w\n1\n", V, "m.csv:2", "1 values stand under 2 columns", "quote"),
    ("a long row", "m.csv", "v\n1\n1,5\n", V, "m.csv:3", "2 values stand under 1 columns", "quote"),
    ("an open quote", "m.csv", 'v\n"1\n', V, "m.csv:2", "not valid CSV", "quotes"),
    ("broken JSON", "m.json", '[{"v": 1}', V, "m.json:1:10", "not valid JSON", ""),
    ("a key twice", "m.json", '[{"v": 1, "v": 2}]', V, "m.json:1:11", "the key 'v' is written twice", "remove"),
    ("a number alone", "m.json", "7", V, "m.json:1:1", "not a JSON object", "list of JSON objects"),
    ("a list of numbers", "m.json", "[7]", V, "m.json:1:2", "not a JSON object", "list of JSON objects"),
    ("a broken line", "m.jsonl", '{"v": 1}\n{"v": \n', V, "m.jsonl:2", "not valid JSON", "one JSON object a line"),
    ("a deep line", "m.jsonl", "[" * 100_000, V, "m.jsonl:1", "not valid JSON: it cannot be read", "one JSON object"),
    ("a line of a number", "m.jsonl", "7\n", V, "m.jsonl:1", "not a JSON object", "one JSON object a line"),
]


@pytest.mark.parametrize(
    ("name", "text", "settings", "place", "message", "hint"),
    [row[1:] for row in ERRORS],
    ids=[row[0] for row in ERRORS],
)
def test_what_a_file_cannot_answer_names_the_place(
    tmp_path: Path, name: str, text: str, settings: dict[str, Any], place: str | None, message: str, hint: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        ask(tmp_path, name, text, settings)

    assert message in caught.value.message
    assert caught.value.place == place
    assert hint in (caught.value.hint or "")


def test_a_file_that_git_ignores_is_written_later(make_repository: Callable[..., Path]) -> None:
    """A deploy recipe writes it, and in a fresh checkout none ran yet: no data, and no misspelt question."""
    root = make_repository()
    (root / ".gitignore").write_text("/measured/n.csv\n", encoding="utf-8")

    answer = measure(query({**V, "path": "measured/n.csv"}), root)

    note = "'measured/n.csv' is not written yet: git ignores it, and it is not there"
    assert answer == Measurement(None, 0, series=0, note=note, unwritten=True)
    with pytest.raises(ProviderError, match=r"there is no file .measured/m\.csv."):
        measure(query({**V, "path": "measured/m.csv"}), root)


LATE = [
    (START - timedelta(seconds=1), {}, None, "asked before the window, which starts at 2026-11-21T09:00:00Z"),
    (START, {}, 1.0, ""),
    (END, {}, 1.0, ""),
    (END + timedelta(minutes=1), {}, 1.0, ""),
    (END + timedelta(seconds=61), {}, None, "asked 1m1s after the window's end at 2026-11-21T09:10:00Z"),
    (END + timedelta(seconds=61), {"grace": "5m"}, 1.0, ""),
    (END + timedelta(seconds=1), {"grace": "0"}, None, "asked 1s after"),
]


@pytest.mark.parametrize(("now", "settings", "value", "note"), LATE)
def test_a_snapshot_answers_only_while_the_window_is_present(
    tmp_path: Path, now: datetime, settings: dict[str, Any], value: float | None, note: str
) -> None:
    answer = ask(tmp_path, "m.csv", "v\n1\n", {"value": "v", **settings}, now)

    assert answer.value == value
    assert note in answer.note


def test_rows_with_a_time_answer_the_same_whenever_they_are_asked(tmp_path: Path) -> None:
    settings = {"bad": "errors", "total": "requests", **COLUMNS}
    answers = {ask(tmp_path, "m.csv", TIMED, settings, END + timedelta(days=days)) for days in (0, 1, 400)}

    assert answers == {Measurement(9 / 600, 600, unit="ratio", hits=9)}


def test_a_metric_of_one_release_needs_a_release(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("rel,v\nx,1\n")

    with pytest.raises(ProviderError, match="none is known"):
        measure(query({"path": "m.csv", "value": "v", "release": "rel"}, release=""), tmp_path)


def test_a_link_out_of_the_repository_is_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "m.csv").write_text("v\n1\n")
    (root / "m.csv").symlink_to(tmp_path / "m.csv")

    with pytest.raises(ProviderError, match="leaves the repository"):
        measure(query({"path": "m.csv", "value": "v"}), root)


@pytest.mark.parametrize(("allowed", "refused"), [(True, False), (False, True), ("yes", True)])
def test_an_absolute_path_is_read_only_where_that_is_allowed(tmp_path: Path, allowed: Any, refused: bool) -> None:
    path = tmp_path / "m.csv"
    path.write_text("v\n1\n")
    asked = query({"path": str(path), "value": "v", "allow_absolute": allowed})

    if refused:
        with pytest.raises(ProviderError, match="absolute path"):
            measure(asked, tmp_path)
    else:
        assert measure(asked, tmp_path / "elsewhere") == Measurement(1, 1)


def test_bytes_that_are_no_text_are_named_by_line(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes(b"v\n1\n\xff\n")

    with pytest.raises(ProviderError, match="byte 0xff is not UTF-8") as caught:
        measure(query({"path": "m.csv", "value": "v"}), tmp_path)

    assert caught.value.place == "m.csv:3"
