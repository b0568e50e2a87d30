from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.analysis.providers.base import Measurement, Query, nothing
from f0ci.analysis.providers.http_json import _counted, _measured, measure
from f0ci.core.errors import ProviderError
from tests.local_service import Reply, local_service, one_after_another

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
END = START + timedelta(minutes=10)
NOWHERE = Path("/nowhere")


def query(settings: dict[str, Any], now: datetime = END) -> Query:
    return Query("prod", "abc123", START, END, now, settings, "m")


def ask(body: Any, settings: dict[str, Any], now: datetime = END) -> Measurement:
    with local_service(one_after_another(Reply(body))) as service:
        return measure(query({"url": service.url, **settings}, now), NOWHERE)


BODY = {
    "value": 0.25,
    "text": "1.5e-3",
    "none": None,
    "found": True,
    "data": {"items": [{"n": 4}, {"n": None}], "empty": [], "prod": {"p95": 120}, "": 6},
    "good": 99,
    "bad": 1,
    "requests": 100.0,
    "zero": 0,
}
ANSWERS: list[tuple[str, dict[str, Any], Measurement]] = [
    ("a number", {"value": "value"}, Measurement(0.25, 1)),
    ("a number as text", {"value": "text"}, Measurement(0.0015, 1)),
    ("true", {"value": "found"}, Measurement(1, 1)),
    ("in a list", {"value": "data.items.0.n"}, Measurement(4, 1)),
    ("by environment", {"value": "data.{{ environment }}.p95"}, Measurement(120, 1)),
    ("an empty key", {"value": "data."}, Measurement(6, 1)),
    ("null", {"value": "none"}, nothing("the answer holds nothing at 'none'")),
    ("null on the way", {"value": "none.x.y"}, nothing("the answer holds nothing at 'none.x.y'")),
    ("null in a list", {"value": "data.items.1.n"}, nothing("the answer holds nothing at 'data.items.1.n'")),
    ("an empty list", {"value": "data.empty.0.n"}, nothing("the answer holds nothing at 'data.empty.0.n'")),
    (
        "a key that was not counted yet",
        {"value": "data.lost", "missing": "no_data"},
        nothing("there is no 'lost' at 'data' of the answer ('value')"),
    ),
    (
        "a bad count that was not counted yet is not none",
        {"bad": "lost", "total": "requests", "missing": "no_data"},
        nothing("there is no 'lost' at the top of the answer ('bad')"),
    ),
    (
        "a key that nothing stands for",
        {"bad": "data.{{ environment }}.bad", "total": "requests", "missing": "no_match"},
        nothing("there is no 'bad' at 'data.prod' of the answer ('bad')", unmatched=True),
    ),
    (
        "a list of all there is, and it is empty",
        {"value": "data.empty.0.n", "missing": "no_match"},
        nothing("the list at 'data.empty' of the answer has no item 0 ('value')", unmatched=True),
    ),
    (
        "null, where missing means no match",
        {"value": "none", "missing": "no_match"},
        nothing("the answer holds nothing at 'none'"),
    ),
    ("with samples", {"value": "value", "samples": "requests"}, Measurement(0.25, 100)),
    ("no samples", {"value": "value", "samples": "zero"}, Measurement(None, 0, no_traffic=True)),
    ("unknown samples", {"value": "value", "samples": "none"}, Measurement(0.25, 0)),
    ("bad of total", {"bad": "bad", "total": "requests"}, Measurement(0.01, 100, "ratio", hits=1)),
    ("good of total", {"good": "good", "total": "requests"}, Measurement(0.99, 100, "ratio", hits=99)),
    ("no traffic", {"bad": "zero", "total": "zero"}, Measurement(None, 0, no_traffic=True)),
    ("no total", {"bad": "bad", "total": "none"}, nothing("the answer holds nothing at 'none'")),
    ("no part", {"bad": "none", "total": "requests"}, Measurement(None, 0, "ratio", note="'bad' has no value")),
]


@pytest.mark.parametrize(("settings", "answer"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_what_a_service_answers(settings: dict[str, Any], answer: Measurement) -> None:
    assert ask(BODY, settings) == answer


@pytest.mark.parametrize(
    ("body", "settings", "value"),
    [
        (b"7", {"value": "0"}, None),
        (b"[7, 8]", {"value": "1"}, 8),
        (b'{"v": Infinity}', {"value": "v"}, math.inf),
        (b'{"v": 1' + b"0" * 400 + b"}", {"value": "v"}, math.inf),
        (b'\xef\xbb\xbf{"v": 1}', {"value": "v"}, 1),
    ],
)
def test_answers_of_other_shapes(body: bytes, settings: dict[str, Any], value: float | None) -> None:
    if value is None:
        with pytest.raises(ProviderError, match="a whole number stands at the top, where 'value' goes on"):
            ask(body, settings)
    else:
        assert ask(body, settings) == Measurement(value, 1)


def test_what_is_no_number_has_no_value() -> None:
    measured = ask(b'{"v": NaN}', {"value": "v"})

    assert measured.value is not None
    assert math.isnan(measured.value)


ERRORS: list[tuple[str, dict[str, Any], str, str]] = [
    ("nothing to read", {}, "metric 'm' does not say where its numbers stand", "'value'"),
    ("both ways", {"value": "value", "total": "requests"}, "does not say where", "'value'"),
    ("half a ratio", {"good": "good"}, "does not say where", "'total'"),
    ("no such key", {"value": "valeu"}, "there is no 'valeu' at the top of the answer ('value')", "mean 'value'?"),
    ("no such key below", {"value": "data.prod.p99"}, "there is no 'p99' at 'data.prod' of the answer", "mean 'p95'?"),
    (
        "a key of a list",
        {"value": "data.items.n"},
        "a list stands at 'data.items', which 'value' enters by 'n'",
        "index",
    ),
    ("a negative index", {"value": "data.items.-1"}, "a list stands at 'data.items'", "index"),
    ("beyond a number", {"value": "value.x"}, "a number stands at 'value', where 'value' goes on", "path"),
    ("beyond text", {"value": "text.0"}, "text stands at 'text'", "path"),
    ("a mapping", {"value": "data"}, "'data' ('value') is a mapping, not a number", "path"),
    ("a list", {"value": "data.items"}, "'data.items' ('value') is a list, not a number", "path"),
    (
        "true as a count",
        {"bad": "found", "total": "requests"},
        "'found' ('bad') is true or false, not a number",
        "path",
    ),
    ("true as samples", {"value": "value", "samples": "found"}, "'found' ('samples') is true or false", "path"),
    ("more bad than all", {"bad": "requests", "total": "bad"}, "'bad' is 100, more than the 1 of 'total'", "both"),
    ("unknown placeholder", {"value": "{{ enviroment }}"}, "'value' of metric 'm': ", "'environment'"),
    ("bad grace", {"value": "value", "grace": "a bit"}, "'grace' of metric 'm'", "1m"),
]


@pytest.mark.parametrize(("settings", "message", "hint"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_what_is_no_answer(settings: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(ProviderError) as caught:
        ask(BODY, settings)

    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(("value", "message"), [("many", "is text that is not a number"), ("", "is text that is not")])
def test_text_that_is_no_number_is_refused(value: str, message: str) -> None:
    with pytest.raises(ProviderError, match=message):
        ask({"v": value}, {"value": "v"})


@pytest.mark.parametrize("samples", [-1, math.inf, -math.inf])
def test_samples_are_a_count(samples: float) -> None:
    with pytest.raises(ProviderError, match=r"'samples' of metric 'm' is -?(1|inf), which is no count"):
        ask({"v": 1, "n": samples}, {"value": "v", "samples": "n"})


def test_a_service_that_fails_is_no_answer() -> None:
    with (
        local_service(one_after_another(Reply(b"database is down", 500))) as service,
        pytest.raises(ProviderError) as caught,
    ):
        measure(query({"url": f"{service.url}/m?key=planted", "value": "v"}), NOWHERE)

    assert str(caught.value) == f"{service.url}/m answered 500: database is down"


@pytest.mark.parametrize(
    ("late", "settings", "value"),
    [
        (timedelta(), {}, 1),
        (timedelta(minutes=2), {}, None),
        (timedelta(minutes=2), {"grace": "2m"}, 1),
        (timedelta(days=2), {"by_time": True}, 1),
        (timedelta(days=2), {"by_time": "yes"}, None),
        (timedelta(minutes=-20), {}, None),
    ],
)
def test_what_knows_only_the_present_is_not_asked_about_the_past(
    late: timedelta, settings: dict[str, Any], value: float | None
) -> None:
    with local_service(one_after_another(Reply({"v": 1}))) as service:
        answer = measure(query({"url": service.url, "value": "v", **settings}, END + late), NOWHERE)

    assert answer.value == value
    assert len(service.asked) == (value is not None)


def test_what_knows_the_past_is_asked_for_the_window() -> None:
    url = "/v1/{{ environment }}?from={{ start_iso }}&to={{ end * 1000 }}&release={{ release }}"
    with local_service(one_after_another(Reply({"v": 1}))) as service:
        measure(query({"url": service.url + url, "value": "v", "by_time": True}, END + timedelta(days=9)), NOWHERE)

    (asked,) = service.asked
    assert asked.path == "/v1/prod"
    assert asked.query == {"from": "2026-11-21T09:00:00Z", "to": "1795252200000", "release": "abc123"}


answers = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab0"), inner, max_size=3),
    max_leaves=8,
)
paths = st.lists(st.sampled_from(["a", "b", "0", "1", ""]), min_size=1, max_size=3).map(".".join)


@given(answers, paths, paths)
def test_no_answer_is_too_odd(answer: Any, first: str, second: str) -> None:
    answer = json.loads(json.dumps(answer))
    for settings in ({"value": first, "samples": second}, {"bad": first, "total": second}):
        asked = query(settings)
        try:
            measured = _measured(asked, answer) if "value" in settings else _counted(asked, answer, "bad")
        except ProviderError:
            # anything else would end the command
            continue
        assert measured.samples >= 0
        assert not (measured.no_traffic and measured.samples)
