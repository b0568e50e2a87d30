from __future__ import annotations

import pytest

from f0ci.lint.ignoring import read_ignores
from f0ci.source.document import parse_document


def ignored(text: str, path: str = "a.yaml") -> list[tuple[str, int | None]]:
    return [(ignore.rule, ignore.line) for ignore in read_ignores(parse_document(path, text.encode()))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: 1\nb: 2  # f0ci: ignore[x] why\n", [("x", 2)], id="at the end of a line"),
        pytest.param("a: 1\n# f0ci: ignore[x]\nb: 2\n", [("x", 3)], id="above a line"),
        pytest.param("a: 1\n  # f0ci: ignore[x]\n\n# more\nb: 2\n", [("x", 5)], id="above a line, further up"),
        pytest.param("# f0ci: ignore[x]\na: 1\n", [("x", None)], id="before the first line"),
        pytest.param("%YAML 1.1\n---\n# f0ci: ignore[x]\na: 1\n", [("x", None)], id="after the mark of a document"),
        pytest.param("a: 1\nb: 2\n# f0ci: ignore[x]\n", [("x", 3)], id="after the last line"),
        pytest.param("a: 1\nb: 2 #f0ci:ignore[ x , y ]\n", [("x", 2), ("y", 2)], id="several, with and without blanks"),
        pytest.param("a: 1\nb: 2 #\u00a0\u2003f0ci: ignore[x]\n", [("x", 2)], id="with blanks beyond ASCII"),
        pytest.param("a: 1\nb: 2 # f0ci: ignore\n", [("", 2)], id="without a rule"),
        pytest.param("a: 1\nb: 2 # f0ci: ignored\n", [], id="another word"),
        pytest.param("a: 1\nb: x#f0ci: ignore[x]\n", [], id="no comment without a blank"),
        pytest.param("a: 1\nb: |\n  # f0ci: ignore[x]\nc: 1\n", [], id="in a block of text"),
        pytest.param("a: 1\nb: 'x # f0ci: ignore[x]'\n", [], id="in quotes"),
        pytest.param("a: 1\n'x # f0ci: ignore[x]': 2\n", [], id="in a key"),
        pytest.param("a: 1\nb: 'x' # f0ci: ignore[x]\n", [("x", 2)], id="after quotes"),
        pytest.param("a: |\n  one\n# f0ci: ignore[x]\nb: 1\n", [("x", 4)], id="after a block of text"),
        pytest.param("a: [\n  b: 2, # f0ci: ignore[syntax]\n", [("syntax", 2)], id="in a broken file"),
        pytest.param("a: 1\n", [], id="nothing"),
    ],
)
def test_comments(text: str, expected: list[tuple[str, int | None]]) -> None:
    """A comment silences its own line, the next one, or the whole file."""
    assert ignored(text) == expected


def test_json_has_no_comments() -> None:
    """What looks like one in JSON is data."""
    assert ignored('{"a": "x # f0ci: ignore[x]"}', "a.json") == []
