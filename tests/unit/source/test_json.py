"""JSON: the values of the standard library, where they stand, and what is refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.core.diagnostics import Span
from f0ci.source.json import read_json
from f0ci.source.reading import MAX_DEPTH
from f0ci.source.yaml import read_yaml

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(_DATA, st.sampled_from([None, 0, 2]), st.booleans())
def test_data_survive_and_every_span_is_that_of_its_value(data: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    reading = read_json(text.encode(), positions=True)

    assert reading.data == data
    assert (reading.broken, reading.problems) == (False, [])
    assert reading.positions is not None
    lines = text.split("\n")
    for path, span in reading.positions.values.items():
        value = data
        for part in path:
            value = value[part]
        piece = "\n".join(lines[span.line - 1 : span.end_line])
        piece = piece[span.column - 1 : len(piece) - len(lines[span.end_line - 1]) + span.end_column - 1]
        assert json.loads(piece) == value
    for path, span in reading.positions.keys.items():
        assert json.loads(lines[span.line - 1][span.column - 1 : span.end_column - 1]) == path[-1]


@settings(deadline=None, max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("abé 1", max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text("abé", min_size=1, max_size=3), inner, max_size=4)
        ),
        max_leaves=12,
    ),
    st.sampled_from([None, 2]),
)
def test_json_and_yaml_agree_on_every_place(data: Any, indent: int | None) -> None:
    raw = json.dumps(data, indent=indent, ensure_ascii=False).encode()
    one, other = read_json(raw, positions=True), read_yaml(raw, positions=True)

    assert one.data == other.data
    assert one.positions is not None
    assert other.positions is not None
    assert one.positions.values == other.positions.values
    assert one.positions.keys == other.positions.keys


def test_a_key_that_is_written_twice_is_a_problem_wherever_it_stands() -> None:
    reading = read_json(b'{"a": {"b": 1, "b": 2},\n "c": [{"d": 1, "\\u0064": 2}],\n "a": 3}')

    assert reading.data == {"a": 3, "c": [{"d": 2}]}
    assert not reading.broken
    assert [(p.rule, p.span, p.first) for p in reading.problems] == [
        ("duplicate-key", Span(1, 16, 1, 19), Span(1, 8, 1, 11)),
        ("duplicate-key", Span(2, 17, 2, 25), Span(2, 9, 2, 12)),
        ("duplicate-key", Span(3, 2, 3, 5), Span(1, 2, 1, 5)),
    ]


@pytest.mark.parametrize(
    ("raw", "rule", "line", "column", "message"),
    [
        (b"", "syntax", 1, 1, "not valid JSON: expecting value"),
        (b'{"a": 1,}', "syntax", 1, 9, None),
        (b'{"a": 1}\n{"b"}', "syntax", 2, 1, "not valid JSON: extra data"),
        (b'{\n "a": tru}', "syntax", 2, 7, "not valid JSON: expecting value"),
        (b"[NaN]", "syntax", 1, 2, "not valid JSON: NaN is not a JSON number"),
        (b'["NaN\\"",\n -Infinity]', "syntax", 2, 2, "not valid JSON: -Infinity is not a JSON number"),
        (b"[" + b"9" * 5000 + b"]", "syntax", 1, 1, None),
        (b"[" * 100_000, "too-deep", 1, 1, "nested deeper than 100 levels"),
        (b"[" * 101 + b"]" * 101, "too-deep", 1, 1, "nested deeper than 100 levels"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "too-deep", 1, 1, "nested deeper than 100 levels"),
        (b'["a\xff"]', "not-utf8", 1, 4, "byte 0xff is not UTF-8"),
        (b'["a",\n {"\\uD800b": 1}]', "syntax", 2, 3, "an escape stands for half a character"),
        (b"['a']", "syntax", 1, 2, "not valid JSON: expecting value"),
        (b'["\t"]', "syntax", 1, 3, None),
    ],
)
def test_hostile_and_broken_text_is_a_problem_at_its_place(
    raw: bytes, rule: str, line: int, column: int, message: str | None
) -> None:
    began = time.process_time()
    reading = read_json(raw, positions=True)

    assert time.process_time() - began < 5
    assert (reading.broken, reading.data) == (True, None)
    (problem,) = reading.problems
    assert (problem.rule, problem.span.line, problem.span.column) == (rule, line, column)
    assert message in (None, problem.message)


def test_what_is_unusual_but_right_is_read() -> None:
    assert read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH).broken is False
    assert read_json(b'\xef\xbb\xbf {"a": "\\ud83d\\ude00"} \r\n').data == {"a": "\U0001f600"}
    assert read_json(b"[1e400, -0, 1E-2]").data[1:] == [0, 0.01]


@settings(deadline=None, max_examples=400)
@given(st.one_of(st.binary(max_size=40), st.text('{}[]",:\\ 1eu.-tn\n', max_size=30).map(str.encode)))
def test_no_bytes_raise(raw: bytes) -> None:
    reading = read_json(raw, positions=True)

    assert reading.broken == any(problem.rule != "duplicate-key" for problem in reading.problems)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('{"a": 1,}', "remove the comma"),
        ("[1,\n]", "remove the comma"),
        ('{"a": 1 // why\n}', "JSON has no comments; remove it"),
        ("# why\n{}", "JSON has no comments; remove it"),
        ("{'a': 1}", "write texts and keys in double quotes"),
        ("{a: 1}", "write keys in double quotes"),
        ('{"a": {"b": 1}', "close what is still open"),
        ('{"a": "x\ty"}', "write its escape, such as \\n or \\t"),
        ("{} {}", "remove what follows the first value"),
        ('{"a": tru}', "check commas, quotes and brackets"),
        ("[NaN]", "write a number, or null"),
    ],
)
def test_a_mistake_says_what_to_do_next(text: str, hint: str) -> None:
    """Newer Pythons have a message of their own for a comma too many."""
    (problem,) = read_json(text.encode()).problems

    assert problem.hint is not None
    assert problem.hint.startswith(hint)
