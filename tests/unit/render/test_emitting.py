from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from f0ci.render.emitting import _dumped, emit_yaml
from f0ci.source.yaml import read_yaml

_words = st.sampled_from(
    ["yes", "on", "1.10", "017", "2024-01-31", "~", "null", "", " a", "a: b", "- x", "#{a}", "12:30"]
)
_texts = st.text(max_size=20) | _words | st.text(" \n\r\t\x85\u2028ab:", max_size=12)
_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _texts
_data = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | _words, inner, max_size=3),
    max_leaves=12,
)


@given(_data)
def test_what_is_written_reads_back(data: Any) -> None:
    text = emit_yaml(data)

    assert repr(read_yaml(text.encode()).data) == repr(data)
    # and says the same to the loader that Framework0's own runner uses
    assert repr(yaml.safe_load(text)) == repr(data)


_ordinary = st.text("abyesnoftru /_.-0129e~", min_size=1, max_size=8)
_layouts = st.recursive(
    _scalars | _ordinary,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_ordinary | _words, inner, max_size=3),
    max_leaves=12,
)


@given(_layouts)
def test_it_is_written_as_pyyaml_writes_it(data: Any) -> None:
    assert emit_yaml(data) == _dumped(data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"b": 1, "a": [1, {"x": None}]}, "b: 1\na:\n- 1\n- x: null\n"),
        ({"run": "one\n  two\n"}, "run: |\n  one\n    two\n"),
        ({"run": "one\ntwo"}, "run: |-\n  one\n  two\n"),
        ({"t": "line\n"}, "t: |\n  line\n"),
        ({"t": "trailing \nblank"}, 't: "trailing \\nblank"\n'),
        ({"t": "grüße 🚀"}, "t: grüße 🚀\n"),
        ({"t": "x" * 300 + " y"}, f"t: {'x' * 300} y\n"),
        ({"t": "a\r\nb\u2028"}, 't: "a\\r\\nb\\L"\n'),
        ({"e": {}, "l": [], "s": ""}, "e: {}\nl: []\ns: ''\n"),
    ],
)
def test_emit(data: Any, text: str) -> None:
    assert emit_yaml(data) == text


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "12345678e901",
        "1E+3",
        ".5e1",
        "08",
        "0o17",
        "0X1F",
        "-0b1",
        "2024-1-1",
        "2024-1-1T5:00",
        "y",
        "N",
        "on",
        "1_0",
    ],
)
def test_what_other_readers_take_for_something_else_is_quoted(text: str) -> None:
    assert emit_yaml({text: text, "l": [text]}) == f"'{text}': '{text}'\nl:\n- '{text}'\n"


@pytest.mark.parametrize(
    "text", ["1e", "e3", "66b2686f8446", "1.2.3", "v1", "0x", "no-way", "yy", "1,000", "-", "2024-1"]
)
def test_what_every_reader_takes_for_a_text_is_not(text: str) -> None:
    assert emit_yaml({"k": text}) == ("k: '-'\n" if text == "-" else f"k: {text}\n")


def test_a_value_that_is_given_twice_is_written_twice() -> None:
    shared = {"a": [1]}

    assert emit_yaml({"x": shared, "z": shared}) == "x:\n  a:\n  - 1\nz:\n  a:\n  - 1\n"
