"""Documents: data, places, and what keeps them from being used."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from f0ci.core.diagnostics import Location, Severity, Span
from f0ci.core.errors import InputError, MissingFile
from f0ci.source import document as module
from f0ci.source.document import Document, parse_document, read_document
from f0ci.source.reading import Path
from f0ci.source.tree import MemoryTree

_TEXT = """name: r
steps:
- name: a
  args: {x: 1}
- name: b
base: &base
  k: v
  deep: {er: 1}
one:
  <<: *base
  own: 1
two:
  <<: [*base, {z: 2}]
same: *base
"""


def _document(text: str = _TEXT, path: str = "r.yaml") -> Document:
    return parse_document(path, text.encode())


@pytest.mark.parametrize(
    ("path", "key", "place"),
    [
        ((), False, (1, 1)),
        (("name",), False, (1, 7)),
        (("name",), True, (1, 1)),
        (("steps", 1, "name"), False, (5, 9)),
        (("steps", 0, "args", "x"), True, (4, 10)),
        # what is missing is missing from its nearest parent that has a place
        (("steps", 0, "depends_on"), False, (3, 3)),
        (("steps", 0, "args", "y"), False, (4, 3)),
        (("steps", 7), False, (2, 1)),
        (("nope", "x", 3), False, (1, 1)),
        # what an alias or a merge brings stands where it was written
        (("same", "deep", "er"), False, (8, 14)),
        (("one", "k"), False, (7, 6)),
        (("one", "deep", "er"), True, (8, 10)),
        (("one", "own"), False, (11, 8)),
        (("two", "k"), True, (7, 3)),
        (("two", "z"), False, (13, 19)),
    ],
)
def test_every_part_has_a_place(path: Path, key: bool, place: tuple[int, int]) -> None:
    span = _document().span(path, key=key)

    assert (span.line, span.column) == place


def test_a_location_names_the_file() -> None:
    assert str(_document().location(("steps", 1, "name"))) == "r.yaml:5:9"


def test_data_are_reached_by_path() -> None:
    document = _document()

    assert document.get(("steps", 1, "name")) == "b"
    assert document.get(("two", "k")) == "v"
    assert document.get(("steps", "x")) is None
    assert document.get(("name", "x", 1), "default") == "default"


def test_the_suffix_tells_the_language() -> None:
    assert parse_document("a.json", b'{"a": "x: y"}').data == {"a": "x: y"}
    assert parse_document("a.json", b"a: 1").broken
    assert parse_document("a.yml", b"a: 1").data == {"a": 1}


@pytest.mark.parametrize("path", ["a.yaml", "a.json"])
@pytest.mark.parametrize("raw", [b"", b" \n\n", b"\xef\xbb\xbf", b"# nothing but this\n"])
def test_a_file_that_says_nothing_is_empty(path: str, raw: bytes) -> None:
    document = parse_document(path, raw)

    assert document.broken
    assert [problem.rule for problem in document.problems] == ["empty"]
    with pytest.raises(InputError, match="the file is empty"):
        document.require()


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 10)

    assert parse_document("a.yaml", b"a: 12345").data == {"a": 12345}
    document = parse_document("a.yaml", b"a: 12345678")
    assert (document.broken, document.problems[0].rule) == (True, "too-large")
    assert document.problems[0].message == "11 bytes; at most 10 are read"


def _table(cell: str, count: int, suffix: str = "yaml") -> Document:
    text = f"[{', '.join([cell] * count)}]" if suffix == "json" else f"a: [{', '.join([cell] * count)}]"
    return parse_document(f"a.{suffix}", text.encode())


@pytest.mark.parametrize(
    ("document", "is_dense"),
    [
        pytest.param(lambda: _table("1", 90_000), False, id="many short values"),
        pytest.param(lambda: _table("1", 101_000), True, id="very many short values"),
        pytest.param(lambda: _table("1", 101_000, "json"), True, id="in JSON"),
        pytest.param(lambda: _table("1024", 101_000), False, id="very many that take room"),
        pytest.param(lambda: _table("{}", 90_000), False, id="many empty mappings"),
        pytest.param(lambda: _table("{a}", 40_000), True, id="keys and values of many mappings"),
        pytest.param(lambda: _table("{name: abcd, run: wxyz}", 40_000), False, id="many mappings that say something"),
        pytest.param(lambda: parse_document("a.yaml", b"# " + b"x" * 200_000 + b"\n5\n"), False, id="one value"),
        pytest.param(
            lambda: parse_document("a.yaml", b"x: &x [1, 2, 3, 4]\nb: [" + b"*x , " * 30_000 + b"]\n"),
            False,
            id="what is said again",
        ),
    ],
)
def test_a_file_that_is_next_to_nothing_but_values_is_too_large(
    document: Callable[[], Document], is_dense: bool
) -> None:
    found = document()

    assert found.broken is is_dense
    assert [problem.rule for problem in found.problems] == ["too-large"] * is_dense


def test_what_is_wrong_with_the_text_becomes_diagnostics() -> None:
    (diagnostic,) = _document("a: 1\na: 2\n").diagnostics()

    assert diagnostic.rule == "duplicate-key"
    assert diagnostic.severity is Severity.ERROR
    assert diagnostic.location == Location("r.yaml", Span(2, 1, 2, 2))
    assert [related.location for related in diagnostic.related] == [Location("r.yaml", Span(1, 1, 1, 2))]


def test_a_broken_document_cannot_be_used_and_says_where() -> None:
    with pytest.raises(InputError) as caught:
        _document("a: 1\nb: [").require()

    assert caught.value.place == "r.yaml:2:4"
    assert _document("a: 1\na: 2\n").require() == {"a": 2}


def test_a_broken_document_has_no_data_but_the_places_that_were_read() -> None:
    document = _document("a: 1\nb: [")

    assert document.span(("a",)) == Span(1, 4, 1, 5)
    assert document.span(("b", 0)) == Span()
    assert document.get(("a",)) is None


def test_documents_are_read_from_a_tree() -> None:
    tree = MemoryTree({"a.yaml": b"x: 1"})

    assert read_document(tree, "a.yaml").data == {"x": 1}
    with pytest.raises(MissingFile, match=r"there is no file 'b\.yaml'"):
        read_document(tree, "b.yaml")


def test_looking_for_what_is_missing_in_many_merges_ends() -> None:
    lines = ["m0: &m0 {a: 1}"]
    lines += [f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}]}}" for n in range(1, 16)]
    document = _document("\n".join(lines))
    began = time.process_time()

    assert document.span(("m15", "a")) == Span(1, 13, 1, 14)
    assert document.span(("m15", "nope")).line == 16
    assert time.process_time() - began < 5
