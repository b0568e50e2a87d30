"""The plain readers, in C and in Python, give what the exact one gives, or step aside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.expressions.parsing import texts
from f0ci.source.native_yaml import YamlReader
from f0ci.source.reading import MAX_DEPTH, Reading
from f0ci.source.yaml import read_exactly

ROOT = Path(__file__).parents[3]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)


def fast(reader: YamlReader, raw: bytes) -> tuple[Any] | None:
    answer = reader.plain(raw, MAX_DEPTH)
    return None if answer is None else answer[:1]


def exact(raw: bytes) -> Reading:
    found = Reading()
    read_exactly(raw, found)
    return found


@settings(deadline=None, max_examples=300)
@given(DATA, st.booleans())
def test_it_agrees_with_the_exact_reader(each_reader: YamlReader, data: Any, flow: bool) -> None:
    raw = yaml.safe_dump(data, allow_unicode=True, default_flow_style=flow).encode()

    answer = fast(each_reader, raw)

    if answer is not None:
        assert answer == (exact(raw).data,)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab:-[]{},&*!#'\"\n \t|>?%@`1.0yn<~", max_size=60))
def test_it_agrees_on_any_text(each_reader: YamlReader, text: str) -> None:
    raw = text.encode()

    answer = fast(each_reader, raw)

    if answer is not None:
        read = exact(raw)
        assert (answer, read.problems, read.ambiguous) == ((read.data,), [], [])


@pytest.mark.parametrize(
    "raw",
    [
        b"a: &x 1",
        b"a: 1\nb: *x",
        b"<<: {a: 1}",
        b"a: !!str 1",
        b"a: 1\na: 2",
        b"a: yes",
        b"a: 1.10",
        b"on: 1",
        b"[a]: 1",
        b"a: 1\n---\nb: 1",
        b"[" * 101 + b"]" * 101,
        b"a: [",
        b"a: 2001-02-31x: 3",
    ],
)
def test_it_steps_aside(each_reader: YamlReader, raw: bytes) -> None:
    assert fast(each_reader, raw) is None


def test_it_reads_every_ordinary_recipe(each_reader: YamlReader) -> None:
    files = sorted((ROOT / "tests/projects/enterprise").rglob("*.yaml"))

    assert files
    for file in files:
        assert fast(each_reader, file.read_bytes()) == (yaml.safe_load(file.read_bytes()),), file


BRACED = st.sampled_from(["a", "{", "#{a}", "{{ a }}", "x #{b} y", "{a}", 1, None])
BRACED_DATA = st.recursive(
    BRACED,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "#{b}", "name"]), inner, max_size=3)
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=200)
@given(BRACED_DATA, st.booleans())
def test_it_notes_every_text_with_an_expression_and_its_path(each_reader: YamlReader, data: Any, flow: bool) -> None:
    raw = yaml.safe_dump(data, default_flow_style=flow, sort_keys=False).encode()

    answer = each_reader.plain(raw, MAX_DEPTH)

    if answer is not None:
        assert answer[1] == tuple(texts(data))
