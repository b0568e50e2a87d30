"""Reading line by line, in C: what libyaml would say, or nothing.

A library that stands in for libyaml and reads nothing shows which texts do without it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.source.native_yaml import YamlReader, python_reader
from f0ci.source.plain_yaml import KNOWN
from f0ci.source.reading import MAX_DEPTH
from f0ci.source.scalars import meaningful_starts
from tests.conftest import require_compiler, rounds
from tests.fuzz import seeds

Lines = Callable[[bytes], Any]
ROOT = Path(__file__).parents[3]
_READS_NOTHING = """
void yaml_get_version(int *a, int *b, int *c) { *a = 0; *b = 2; *c = 5; }
int yaml_parser_initialize(void *p) { return 1; }
void yaml_parser_set_input_string(void *p, void *s, unsigned long n) {}
void yaml_event_delete(void *e) {}
void yaml_parser_delete(void *p) {}
int yaml_parser_parse(void *p, void *e) { return 0; }
"""


@pytest.fixture(scope="module")
def lines(native: YamlReader, tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """Return what reads a text line by line, or gives None."""
    assert native.description
    from f0ci.source import _libyaml

    folder = tmp_path_factory.mktemp("nothing")
    source, built = folder / "nothing.c", folder / "nothing.so"
    source.write_text(_READS_NOTHING, encoding="ascii")
    subprocess.run([*require_compiler(), "-w", "-shared", "-fPIC", str(source), "-o", str(built)], check=True)
    connected, _ = _libyaml.connect(str(built))
    starts = "".join(meaningful_starts()).encode()
    return lambda raw: _libyaml.read(connected, raw, MAX_DEPTH, starts, KNOWN, None)


def in_python(raw: bytes) -> Any:
    return python_reader("a comparison").plain(raw, MAX_DEPTH)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1",
        "---\na: 1\n",
        "# c\n\n  # d\na: b # e\n#f\n",
        "a: b #c\nd: e#f\ng:h: i\nj : k\nl:   m  \n",
        "a:\n  b:\n    c: d\n  e:\nf:\n",
        "a:\n- b\n-\n-  c: d\n   e: f\n- - g\n  - h\n-   # i\n  j\nk: l\n",
        "  - a:\n    - b\n    c: d\n  - e\n",
        "- a:\n  - b:\n    - c\n  d:\n- e\n",
        "a:\n  b\nc:\n  'd'\ne:\n  [f]\n",
        "a: 'it''s'\nb: ''\nc: ''''\nd: \"e\"\nf: \"\"\n'g h': i\n\"j: k\": l\n",
        'a: "say \\"b\\"\\n\\tc \\\\"\n',
        "a: [b, 'c', \"d\", 1, ~, [e, [f]], {g: h}, http://i/j, k l ]\nm: []\nn: {}\no: [p,]\n",
        "a: {b: 1, 'c': d, \"e\": f, g: {h: [i]}, j: '#{k}', }\n",
        "- [a]\n- {b: c} # d\n-  [] \n",
        "a: |\n  b\n   c\n\n  d\n\n\ne: |-\n    f\n  \ng: |+\n  h\n\n# i\nj: k\n",
        "a: >\n  b\n  c\n\n  d\n   e\n   f\n  g\n\nh: >-\n  i\n  j\nk: >+\n  l\n\n",
        "- |\n a\n- b: |\n    c\n  d: e\n",
        "a: -1\nb: --c\nd: 0\ne: 123456789012345\nf: 1234567890123456\n",
        "g: 1.5\nh: 2026-11-26\ni: true\nj: null\nk: ''\n",
        "a: b\r\nc: |\r\n  d\r\n\r\n  e\r\nf:\r\n- g # h\r\n\r\n",
        "# a\tb\nc: |\n  d\te\n  \tf\n   \tg\n  # h\ti\n",
        "a: é\n日本: 語\nb: '🚀' # ü\n",
        "run: echo ${A:-b} && c > d | e\nf: a[0] {b} c?\ng: '@h'\ni: '%j'\n",
        "a: '#{b}'\nc: {d: '{{ e }}'}\nf: g #{h}\ni: g#{h}\n",
    ],
)
def test_what_nearly_everybody_writes_does_without_libyaml(lines: Lines, text: str) -> None:
    raw = text.encode()

    assert lines(raw) is not None
    assert repr(lines(raw)) == repr(in_python(raw))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "# a\n",
            "---\n",
            "a",
            "'a'",
            "[a]",
            "- a\n...\n",
            "--- a\n",
            "a: b\n---\nc: d\n",
            "%YAML 1.1\n---\na: b\n",
        ),
        *("a: &b c\n", "a: *b\n", "a: !!str 1\n", "a: ! b\n", "<<: a\n", "? a\n: b\n", "a: ?b\n", "a: :b\n"),
        *("a: yes\n", "a: 1.10\n", "no: 1\n", "a: b\na: c\n", "a: {b: 1, b: 2}\n", "a: '\\ud800\n"),
        *(
            "a: b\n  c\n",
            "a: 'b\n  c'\n",
            'a: "b\n  c"\n',
            "a: [b,\n  c]\n",
            "a: {b: c\n}\n",
            "a:\n  b\n  c\n",
            "- a\n  b\n",
        ),
        *("a: b: c\n", "a: - b\n", "a: 'b' c\n", "a: 'b'c\n", "'a': 'b': c\n", "a: [b] c\n", "[a]: b\n", "a: [b]#c\n"),
        *(
            "a: |2\n   b\n",
            "a: |\n\n  b\n",
            "a: | # c\n  b\n",
            "a: |\nb: c\n",
            "a: |\n  b",
            "a: >\n",
            "|\n a\n",
            "- |\n- a\n",
        ),
        *("a: [b: c]\n", "a: {b}\n", "a: {b, c}\n", 'a: {"b":1}\n', "a: {b: }\n", "a: [,]\n", "a: [b}\n", "a: [b]]\n"),
        *("a: [b?]\n", "a: [b:]\n", "a: [-]\n", "a: [#b]\n", "a: [b #c]\n", "a: [b, c\n", "a: ]\n", "a: [b {c}]\n"),
        *(
            "a:\n  b: c\n d: e\n",
            "  a: b\nc: d\n",
            "a: b\n- c\n",
            "- a\nb: c\n",
            "a:\n- b\n - c\n",
            "-\ta\n",
            "a:\tb\n",
        ),
        *(
            "a: b\rc: d\n",
            "a: b\r\n\rc: d\r\n",
            "a: |\n  b\n\tc\n",
            "a: |\n\tb\n",
            "a: >\n  b\n  \tc\n",
            "a: b\tc\n",
            "\ta: b\n",
            "\ufeffa: b\n",
            "a: b\x85c\n",
            "a: b\u2028",
            "a: b\x7f\n",
            "a: b\0\n",
            "a: \ufffe\n",
            "a: b\x1b[0m\n",
        ),
        *(
            'a: "\\x41"\n',
            'a: "\\u00e9"\n',
            'a: "b\\',
            f"{'a' * 501}: b\n",
            f"a: {'[' * 101}{']' * 101}\n",
            "a: @b\n",
            "a: `b\n",
        ),
    ],
)
def test_all_else_is_libyamls(lines: Lines, text: str) -> None:
    assert lines(text.encode("utf-8", "surrogatepass")) is None


@pytest.mark.parametrize(
    "raw", [b"a: \xff\n", b"# \xe9\na: b\n", b"# \xc3", b"a: \xed\xa0\x80\n", b"a: \xc2\x85", b"a: \xe2\x80\xa8"]
)
def test_what_is_no_text_is_libyamls(lines: Lines, raw: bytes) -> None:
    assert lines(raw) is None


_PIECES = st.sampled_from(
    [
        *(
            "a",
            "b",
            "c d",
            "key: v",
            "k:\n",
            "- ",
            "-",
            "- - ",
            ": ",
            ":",
            " : ",
            "  ",
            " ",
            "\n",
            "\n\n",
            "\n  ",
            "\n    ",
        ),
        *(
            "#",
            " # c",
            "'q'",
            "'it''s'",
            '"r"',
            '"\\n"',
            '"\\"',
            "'",
            '"',
            "|",
            ">",
            "|-",
            ">-",
            "|+",
            ">+",
            "|2",
            "|\n  x\n",
            "|\n  x\ty\n",
        ),
        *("[", "]", "{", "}", ", ", ",", "[a, b]", "{a: 1}", "{a}", "[a: b]", "[1, 2,]", '{"a":1}', "[]", "{}"),
        *(
            "?",
            "? ",
            "&a ",
            "*a",
            "!",
            "!!str ",
            "%",
            "@",
            "`",
            "---\n",
            "---",
            "...\n",
            "\t",
            "\r\n",
            "\\",
            "<<: ",
            "~",
        ),
        *(
            "null",
            "yes",
            "1",
            "01",
            "1.50",
            "-1",
            "12:30",
            "é",
            "日本",
            "\x85",
            "\u2028",
            "\ufeff",
            "#{x}",
            "{{ y }}",
            "http://x",
        ),
    ]
)


@settings(max_examples=rounds(1500, 300_000))
@given(st.lists(st.tuples(st.integers(0, 6), st.lists(_PIECES, max_size=5)), min_size=1, max_size=7), st.booleans())
def test_of_any_text_it_says_what_libyaml_says_or_nothing(
    lines: Lines, drawn: list[tuple[int, list[str]]], is_ended: bool
) -> None:
    raw = "\n".join(" " * indent + "".join(pieces) for indent, pieces in drawn).encode() + b"\n" * is_ended

    found = lines(raw)

    assert found is None or repr(found) == repr(in_python(raw)), raw


def _files() -> Iterator[bytes]:
    for folder in ("tests/cases", "recipes", "environments", "examples", "f0ci/commands"):
        for path in sorted((ROOT / folder).rglob("*.y*ml")):
            yield path.read_bytes()
    yield from seeds.documents()


def test_most_files_at_hand_do_without_libyaml(lines: Lines) -> None:
    usual = [raw for raw in _files() if in_python(raw) is not None]
    found = [(raw, lines(raw)) for raw in usual]

    assert all(repr(data) == repr(in_python(raw)) for raw, data in found if data is not None)
    assert sum(data is not None for _, data in found) / len(found) > 0.8
