from __future__ import annotations

from pathlib import Path

import pytest

from f0ci.core.diagnostics import Severity, Span
from f0ci.lint.lines import first_line, narrowed, split_lines, trimmed
from f0ci.lint.locating import locate
from f0ci.lint.rules.base import Finding
from f0ci.lint.uses import read_uses
from f0ci.recipes.reading import recipe_from
from f0ci.source.document import parse_document

PROJECTS = Path(__file__).parents[2] / "projects"


@pytest.mark.parametrize(
    ("line", "column", "value", "within", "expected"),
    [
        pytest.param("a: one #{x}", 4, "one #{x}", (6, 1), (10, 11), id="plain"),
        pytest.param('a: "one #{x}"', 4, "one #{x}", (6, 1), (11, 12), id="in double quotes"),
        pytest.param("a: 'one #{x}'", 4, "one #{x}", (6, 1), (11, 12), id="in single quotes"),
        pytest.param("a: 'é #{x}'", 4, "é #{x}", (4, 1), (9, 10), id="counted in code points"),
        pytest.param("a: one", 4, "one", (9, 1), (6, 7), id="what is missing at the end"),
        pytest.param("a: one", 4, "one", (1, 9), (5, 7), id="no further than the text"),
        pytest.param('a: "\\tx"', 4, "\tx", (1, 1), None, id="escapes"),
        pytest.param("a: 'it''s x'", 4, "it's x", (5, 1), None, id="a doubled quote"),
        pytest.param('a: ""', 4, "", (0, 1), None, id="nothing"),
    ],
)
def test_narrowed(
    line: str, column: int, value: str, within: tuple[int, int], expected: tuple[int, int] | None
) -> None:
    """Only what is written as it reads has parts that can be pointed at."""
    found = narrowed(Span(1, column, 1, len(line) + 1), value, within, [line])

    assert (found and (found.column, found.end_column)) == expected


def test_narrowed_needs_one_line() -> None:
    """A block of text has no columns that its reader would recognise."""
    assert narrowed(Span(1, 4, 2, 3), "one two", (4, 3), ["a: one", "  two"]) is None


def test_trimmed_ends_with_the_last_word() -> None:
    """A block scalar's span reaches the next key; what is shown does not."""
    lines = ["a: |", "  one  ", "", "b: 1"]

    assert trimmed(Span(1, 4, 4, 1), lines) == Span(1, 4, 2, 6)
    assert trimmed(Span(4, 4, 4, 5), lines) == Span(4, 4, 4, 5)


def test_first_line_of_a_mapping() -> None:
    """A mapping is pointed at by the line it begins with."""
    lines = ["- name: a  ", "  run: x"]

    assert first_line(Span(1, 3, 2, 9), lines) == Span(1, 3, 1, 10)
    assert first_line(Span(2, 3, 2, 9), lines) == Span(2, 3, 2, 9)


def test_lines_end_where_the_reader_says() -> None:
    """Libyaml ends lines at more characters than JSON does; a byte-order mark is no character."""
    raw = "\ufeffa\r\nb\u2028c".encode()

    assert split_lines("a.yaml", raw) == ["a", "b", "c"]
    assert split_lines("a.json", raw) == ["a\r", "b\u2028c"]


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(PROJECTS.glob("*/**/*.yaml")) if "\nsteps:" in path.read_text()],
    ids=lambda path: path.relative_to(PROJECTS).as_posix(),
)
def test_every_name_of_a_real_recipe_is_found_where_it_stands(path: Path) -> None:
    """The text at the place of a name is the name."""
    document = parse_document("recipe.yaml", path.read_bytes())
    lines = split_lines("recipe.yaml", document.raw)
    for use in read_uses(recipe_from(document)).names:
        span = locate(Finding(document, use.at, "", within=use.within), "rule", Severity.NOTE).location.span
        if document.span(use.at).line == document.span(use.at).end_line:
            assert lines[span.line - 1][span.column - 1 : span.end_column - 1] == use.reference.text
