"""YAML: the values of PyYAML's safe loader, where they stand, and what is refused."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from f0ci.core.diagnostics import Span
from f0ci.source.reading import MAX_DEPTH, Path, Reading
from f0ci.source.yaml import read_yaml

pytestmark = pytest.mark.usefixtures("each_reader")


class _Reference(yaml.CSafeLoader):
    """PyYAML's safe loader on libyaml, with the two decisions that f0ci made: dates are text, keys are as written."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML declares it
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":value"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


def _reference(text: str) -> Any:
    return yaml.load(text, _Reference)  # noqa: S506 - derived from the safe loader


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return left == right or (math.isnan(left) and math.isnan(right))
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return type(left) is type(right) and bool(left == right)


_PLAIN = st.one_of(
    st.sampled_from(
        [
            "",
            "1",
            "-1",
            "0",
            "017",
            "0o17",
            "0x1F",
            "0b101",
            "1_000",
            "+12",
            "08",
            "1.5",
            "1.10",
            "-0.0",
            "1e3",
            "1.0e+3",
            ".5",
            ".inf",
            "-.INF",
            ".nan",
            "190:20:30",
            "20:30.5",
            "yes",
            "No",
            "ON",
            "off",
            "true",
            "False",
            "TRUE",
            "null",
            "Null",
            "~",
            "2026-11-21",
            "2026-11-21T09:30:00Z",
            "a",
            "a-b",
            "a:b",
            "http://x/y",
            "v1.10",
            "==a",
            "<<",
            "y",
            "n",
            "1.",
            "1_",
            "0_1",
            "-",
            "--",
            "é",
            "日本",
        ]
    ),
    st.from_regex(r"[-+.0-9_:xobeE]{1,8}", fullmatch=True),
    st.from_regex(r"[A-Za-z][A-Za-z0-9 _.-]{0,8}", fullmatch=True),
)


@settings(deadline=None, max_examples=500)
@given(_PLAIN)
def test_a_plain_scalar_means_what_pyyaml_says(word: str) -> None:
    for text in (word, f"k: {word}", f"- {word}", f"[{word}, 1]", f"'{word}'"):
        try:
            expected = _reference(text)
        except (yaml.YAMLError, ValueError):
            continue
        reading = read_yaml(text.encode())
        assert _same(reading.data, expected), (text, reading.data, expected)
        assert not reading.broken


_DATA = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=12),
        st.sampled_from(
            ["yes", "017", "1.10", "2026-11-21", "=", "<<", " a ", "a: b", "#x", "*a", "&b", "!c", "a\nb\n", "\t"]
        ),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(_DATA, st.sampled_from([True, False, None]), st.sampled_from([None, '"', "'", "|", ">"]), st.integers(2, 5))
def test_whatever_pyyaml_writes_is_read_as_pyyaml_reads_it(
    data: Any, flow: bool | None, style: str | None, indent: int
) -> None:
    text = yaml.safe_dump(
        data, default_flow_style=flow, default_style=style, indent=indent, sort_keys=False, allow_unicode=True
    )
    reading = read_yaml(text.encode())

    assert _same(reading.data, _reference(text)), text
    assert reading.problems == []


@pytest.mark.parametrize(
    "text",
    [
        "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n",
        "a: &x {b: 1}\ny: &y {b: 2, e: 3}\nd: {f: 0, <<: [*x, *y]}\n",
        "a: &x {b: 1}\ny: &y {<<: *x, c: 2}\nd: {<<: *y}\n",
        "d: {<<: {a: 1, b: 2}, b: 3}\n",
        "a: &x [1, 2]\nb: *x\nc: [*x, *x]\n",
        "&k a: 1\nb: *k\n",
        "a: &n 017\nb: *n\n",
        "!!map {a: !!str 1, b: !!int '7', c: !!float 1, d: !!bool yes, e: !!null '', f: !!seq []}\n",
        "a: ! 12\n",
        "? a\n: b\n? c\n",
        "- - - 1\n    - 2\n-\n- {}\n- []\n",
        "a: |\n  x\n   y\n\nb: >-\n  x\n  y\n",
        "\ufeffa: 1\n",
        "%YAML 1.1\n---\na: 1\n...\n",
        "a: 1 # comment\n# more\n",
        "a: 'it''s'\nb: \"\\u00e9\\n\"\n",
        "a:\r\n  - 1\r\n  - 2\r\n",
    ],
)
def test_yaml_that_people_write_is_read_as_pyyaml_reads_it(text: str) -> None:
    reading = read_yaml(text.encode(), positions=True)

    assert _same(reading.data, _reference(text)), reading.data
    assert not reading.broken


def _scalars(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _scalars(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _scalars(value, (*path, index))
    else:
        yield path, data


def _cut(text: str, span: Span) -> str:
    lines = text.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


@settings(deadline=None, max_examples=300)
@given(
    st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]), max_size=8),
        ),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text("abcé-_ ", min_size=1, max_size=4), inner, max_size=4)
        ),
        max_leaves=12,
    ),
    st.booleans(),
)
def test_a_span_is_that_of_the_values_own_text(data: Any, flow: bool) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, sort_keys=False, allow_unicode=True, width=10**6)
    reading = read_yaml(text.encode(), positions=True)

    assert reading.positions is not None
    for path, value in _scalars(reading.data):
        piece = _cut(text, reading.positions.values[path])
        assert _same(_reference(piece), value), (piece, value)
        if path and isinstance(path[-1], str):
            assert yaml.safe_load(f"{_cut(text, reading.positions.keys[path])}: 1") is not None
            assert (
                _reference(f"[{_cut(text, reading.positions.keys[path])}]") == [path[-1]]
                or path[-1].strip() != path[-1]
            )


def test_spans_of_everything_in_a_document() -> None:
    text = "name: 'é x'\nsteps:\n- a: 1\n  b: [x, {c: yes}]\n- |\n  text\nend: &e {k: v}\nagain: *e\n"
    reading = read_yaml(text.encode(), positions=True)

    assert reading.positions is not None
    values = {path: (s.line, s.column, s.end_line, s.end_column) for path, s in reading.positions.values.items()}
    assert values == {
        (): (1, 1, 8, 10),
        ("name",): (1, 7, 1, 12),
        ("steps",): (3, 1, 7, 1),
        ("steps", 0): (3, 3, 4, 19),
        ("steps", 0, "a"): (3, 6, 3, 7),
        ("steps", 0, "b"): (4, 6, 4, 19),
        ("steps", 0, "b", 0): (4, 7, 4, 8),
        ("steps", 0, "b", 1): (4, 10, 4, 18),
        ("steps", 0, "b", 1, "c"): (4, 14, 4, 17),
        ("steps", 1): (5, 3, 7, 1),
        ("end",): (7, 6, 7, 15),
        ("end", "k"): (7, 13, 7, 14),
        ("again",): (8, 8, 8, 10),
    }
    assert reading.positions.keys[("steps", 0, "b")] == Span(4, 3, 4, 4)
    assert reading.positions.aliases == {("again",): ("end",)}
    assert reading.ambiguous == [("yes", Span(4, 14, 4, 17))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: yes\nb: 'yes'\nc: no", ["yes", "no"]),
        ("[017, 1_000, 190:20:30, 1.10, 1.50]", ["017", "1_000", "190:20:30", "1.10", "1.50"]),
        ("[true, 17, 1.5, 1e3, null, ~, 2026-11-21, y, 0o17, 0]", []),
    ],
)
def test_scalars_that_yaml_1_2_reads_otherwise_are_named(text: str, words: list[str]) -> None:
    assert [word for word, _ in read_yaml(text.encode()).ambiguous] == words


def test_a_key_that_is_written_twice_is_a_problem_and_the_last_value_counts() -> None:
    reading = read_yaml(b"a: 1\nb: {c: 1, c: 2}\na: 3\n")

    assert reading.data == {"a": 3, "b": {"c": 2}}
    assert not reading.broken
    assert [(p.rule, p.span, p.first) for p in reading.problems] == [
        ("duplicate-key", Span(2, 11, 2, 12), Span(2, 5, 2, 6)),
        ("duplicate-key", Span(3, 1, 3, 2), Span(1, 1, 1, 2)),
    ]


def test_a_second_merge_key_is_a_problem_because_versions_of_pyyaml_differ() -> None:
    text = b"a: &x {b: 1, c: 1}\ny: &y {b: 2, d: 2}\nm:\n  <<: *x\n  <<: *y\n"
    reading = read_yaml(text, positions=True)

    assert not reading.broken
    assert reading.data["m"] == {"b": 1, "c": 1, "d": 2}
    (problem,) = reading.problems
    assert (problem.rule, problem.span, problem.first) == ("duplicate-key", Span(5, 3, 5, 5), Span(4, 3, 4, 5))
    assert reading.positions is not None
    assert reading.positions.merges == {("m",): [(("a",), None), (("y",), None)]}


_LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("raw", "rule", "line", "column"),
    [
        (b"[" * 100_000, "too-deep", 1, 101),
        ("é: ".encode() + b"[" * 100_000, "too-deep", 1, 103),
        (b"- " * 50_000, "too-deep", 1, 201),
        (b"{a: " * 100_000, "too-deep", 1, 401),
        (_LAUGHS.encode(), "alias-bomb", 6, None),
        (b"a: &a [*a]", "alias-cycle", 1, 8),
        (b"a: &a {b: *a}", "alias-cycle", 1, 11),
        (b"a: &a {<<: *a}", "alias-cycle", 1, 12),
        (b"a: *nope", "syntax", 1, 4),
        (b"a: b\xff", "not-utf8", 1, 5),
        ("é: ".encode() + b"\xc3\x28", "not-utf8", 1, 4),
        (b"\xff\xfea\x00", "not-utf8", 1, 1),
        (b"a: 1\nb: \x00", "syntax", 2, 4),
        (b"a: 1\n\tb: 2", "tab", 2, 1),
        (b"a:\n\t- 2", "tab", 2, 1),
        (b"a: 1\n---\nb: 2\n", "several-documents", 2, 1),
        (b"a: b: c", "syntax", 1, 5),
        (b"a: [1, 2", "syntax", 1, 4),
        (b"a: 'b", "syntax", 1, 4),
        (b"? [a]\n: b", "syntax", 1, 3),
        (b"k: &k {a: 1}\n*k : b", "syntax", 2, 1),
        (b"a: !!python/object/apply:os.system [id]", "syntax", 1, 4),
        (b"a: !custom x", "syntax", 1, 4),
        (b"x: 1\na: !!binary aGk=", "syntax", 2, 4),
        (b"a: !!map x", "syntax", 1, 4),
        (b"a: !!int ''", "syntax", 1, 4),
        (b"a: !!float ''", "syntax", 1, 4),
        (b"a: !!int x", "syntax", 1, 4),
        (b"a: !!bool x", "syntax", 1, 4),
        (b"a: 0b_", "syntax", 1, 4),
        (b"a: " + b"9" * 5000, "syntax", 1, 4),
        (b"a: 0x" + b"f" * 5000, "syntax", 1, 4),
        (b"a: " + b"1:" * 500_000 + b"1", "syntax", 1, 4),
        (b"a: 1\n...\n" + b"".join(b"%%TAG !a%d! !b\n" % n for n in range(50_000)), "syntax", 3, 1),
        (b"a: {<<: [1]}", "syntax", 1, 9),
        (b"a: {<<: x}", "syntax", 1, 9),
        (b"@", "syntax", 1, 1),
    ],
)
def test_hostile_and_broken_text_is_a_problem_at_its_place(
    raw: bytes, rule: str, line: int, column: int | None
) -> None:
    began = time.process_time()
    reading = read_yaml(raw)

    assert time.process_time() - began < 5
    assert reading.broken
    assert reading.data is None
    (problem,) = reading.problems
    assert (problem.rule, problem.span.line) == (rule, line)
    assert column in (None, problem.span.column)
    assert len(problem.message) < 200


def test_the_deepest_text_that_is_read() -> None:
    assert not read_yaml(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH).broken
    assert read_yaml(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)).broken


def test_tabs_are_explained() -> None:
    assert read_yaml(b"a: 1\n\tb: 2").problems[0].hint == "indent with blanks"
    assert read_yaml(b"a: b: c").problems[0].hint == "quote a value that holds ': '"


@settings(deadline=None, max_examples=400)
@given(st.binary(max_size=60))
@example(b"\xef\xbb\xbf")
@example(b"")
@example(b"&a")
@example(b"*a")
@example(b"<<: &a\n<<: *a")
@example(b"%TAG ! tag:x:\n--- !a b")
def test_no_bytes_raise(raw: bytes) -> None:
    _check(read_yaml(raw, positions=True))


@settings(deadline=None, max_examples=600)
@given(st.text(" \n:-?[]{},&*!|>'\"%@`#ab1<\t~.", max_size=40))
def test_no_text_raises(text: str) -> None:
    reading = read_yaml(text.encode(), positions=True)

    _check(reading)
    try:
        expected = _reference(text)
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError):
        return
    if not reading.broken:
        assert _same(reading.data, expected) or "*" in text, (reading.data, expected)


def _check(reading: Reading) -> None:
    assert reading.broken == any(problem.rule != "duplicate-key" for problem in reading.problems)
    for problem in reading.problems:
        assert problem.span.line >= 1
        assert problem.span.column >= 1
