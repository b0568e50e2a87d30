from __future__ import annotations

import pytest

from f0ci.core.diagnostics import Diagnostic, Location, Related, Severity, Span
from f0ci.core.errors import UsageError
from f0ci.lint.reporters import base, text
from f0ci.lint.reporters.base import Summary, summarize


def diagnostic(span: Span, path: str = "a.yaml", **more: object) -> Diagnostic:
    return Diagnostic("some-rule", Severity.ERROR, "bad 'value'", Location(path, span), **more)  # type: ignore[arg-type]


def report(source: str | None, *diagnostics: Diagnostic, colour: bool = False) -> str:
    raw = None if source is None else source.encode()
    return text.report(diagnostics, lambda _: raw, summarize(diagnostics, 1), colour=colour)


def test_a_block_and_the_sums() -> None:
    """Place, message, line, mark, hint and related places stand in fixed columns."""
    other = Related(Location("b.yaml", Span(7, 3, 7, 4)), "declared here")
    found = diagnostic(Span(10, 6, 10, 11), hint="mend it", related=(other,))

    assert report("\n" * 9 + "key: value # why\n", found) == (
        "a.yaml:10:6: error[some-rule] bad 'value'\n"
        " 10 | key: value # why\n"
        "    |      ^^^^^\n"
        "     hint: mend it\n"
        "     b.yaml:7:3: declared here\n"
        "\n"
        "1 file checked: 1 error\n"
    )


@pytest.mark.parametrize(
    ("line", "span", "shown", "marks"),
    [
        pytest.param("\tkey: v", Span(1, 7, 1, 8), " key: v", "      ^", id="tabs are one blank"),
        pytest.param("鍵: v", Span(1, 4, 1, 5), "鍵: v", "    ^", id="wide characters take two cells"),
        pytest.param("k: 値段", Span(1, 4, 1, 6), "k: 値段", "   ^^^^", id="wide characters are marked whole"),
        pytest.param("e\u0301: v", Span(1, 5, 1, 6), "e\u0301: v", "   ^", id="combining characters take none"),
        pytest.param("ที่: v", Span(1, 6, 1, 7), "ที่: v", "   ^", id="marks of other scripts take none"),
        pytest.param("⚠️: v", Span(1, 5, 1, 6), "⚠️: v", "    ^", id="what is made a picture takes two cells"),
        pytest.param("🚀️: v", Span(1, 5, 1, 6), "🚀️: v", "    ^", id="a picture stays one"),
        pytest.param("k: \x1b[31m", Span(1, 4, 1, 9), "k: ␛[31m", "   ^^^^^", id="escape sequences are pictures"),
        pytest.param("k: a\u202eb", Span(1, 4, 1, 7), "k: a\ufffdb", "   ^^^", id="direction marks are pictures"),
        pytest.param("k:", Span(1, 3, 1, 3), "k:", "  ^", id="a place after the line"),
        pytest.param("k: |", Span(1, 4, 3, 1), "k: |", "   ^", id="several lines show the first"),
    ],
)
def test_snippets(line: str, span: Span, shown: str, marks: str) -> None:
    """The mark stands under what is meant, whatever the line holds."""
    lines = report(f"{line}\n\n\n", diagnostic(span)).splitlines()

    assert lines[1:3] == [f" 1 | {shown}", f"   | {marks}"]


def test_the_line_of_a_secret_is_not_shown() -> None:
    """What the rule found in one file must not go on into every log."""
    found = Diagnostic(
        "plain-text-secret", Severity.ERROR, "a secret", Location("a.yaml", Span(1, 4, 1, 12)), "mend it"
    )

    assert report("k: hK3vTq81\n", found).splitlines()[:2] == [
        "a.yaml:1:4: error[plain-text-secret] a secret",
        "    hint: mend it",
    ]


def test_long_lines_are_cut_around_the_mark() -> None:
    """A line of a minified file does not fill the screen."""
    line = "k: " + "x" * 500 + " VALUE " + "y" * 500
    shown, marks = report(line, diagnostic(Span(1, 505, 1, 510))).splitlines()[1:3]

    assert len(shown) < 160
    assert shown.startswith(" 1 | ...")
    assert shown.endswith("...")
    start = marks.index("^")
    assert shown[start : start + 5] == "VALUE"
    assert marks.count("^") == 5


@pytest.mark.parametrize("source", [None, "", "one\n"])
def test_without_a_line_there_is_no_snippet(source: str | None) -> None:
    """A file that is gone, empty or shorter is no reason to fail."""
    assert report(source, diagnostic(Span(3, 1, 3, 2))).splitlines()[0] == "a.yaml:3:1: error[some-rule] bad 'value'"
    assert "|" not in report(source, diagnostic(Span(3, 1, 3, 2)))


def test_messages_cannot_speak_to_the_terminal() -> None:
    """Paths, messages and hints come from files too."""
    found = Diagnostic("x", Severity.NOTE, "bad \x1b]0;title\x07", Location("a\x1b[2J.yaml"), "do\nnot")

    assert "\x1b" not in report("k: v\n", found)
    assert "\x07" not in report("k: v\n", found)


def test_colour_only_when_asked() -> None:
    """Colour adds to the text and changes nothing of it."""
    import re

    plain = report("key: value\n", diagnostic(Span(1, 6, 1, 11), hint="mend it"))
    painted = report("key: value\n", diagnostic(Span(1, 6, 1, 11), hint="mend it"), colour=True)

    assert "\x1b" not in plain
    assert "\x1b[1;31merror[some-rule]\x1b[0m" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain


@pytest.mark.parametrize(
    ("summary", "line"),
    [
        (Summary(), "0 files checked: nothing to report\n"),
        (Summary(1, 0, 0, 0), "1 file checked: nothing to report\n"),
        (Summary(3, 1, 2, 0), "3 files checked: 1 error, 2 warnings\n"),
        (Summary(3, 0, 0, 2), "3 files checked: 2 notes\n"),
    ],
)
def test_sums(summary: Summary, line: str) -> None:
    """The last line says how much was checked and what came of it."""
    assert text.report([], lambda _: None, summary) == line


def test_formats_are_found_by_name() -> None:
    """A reporter is a file of the folder."""
    assert {"github", "json", "text"} <= set(base.names())
    assert base.load("text") is text.report
    with pytest.raises(UsageError, match="there is no report format 'txt'"):
        base.load("txt")
