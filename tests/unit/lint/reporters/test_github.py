from __future__ import annotations

import pytest

from f0ci.core.diagnostics import Diagnostic, Location, Related, Severity, Span
from f0ci.lint.reporters import github
from f0ci.lint.reporters.base import Summary


def report(*diagnostics: Diagnostic) -> str:
    return github.report(diagnostics, lambda _: None, Summary())


@pytest.mark.parametrize(
    ("severity", "command"), [(Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.NOTE, "notice")]
)
def test_a_command_for_each_severity(severity: Severity, command: str) -> None:
    """GitHub has a word for each of ours."""
    diagnostic = Diagnostic("syntax", severity, "no good", Location("a.yaml", Span(3, 5, 3, 9)))

    assert report(diagnostic) == f"::{command} title=f0ci syntax,file=a.yaml,line=3,col=5,endColumn=8::no good\n"


def test_hint_and_related_places_follow_in_the_message() -> None:
    """An annotation has one text, in which lines are escaped."""
    other = Related(Location("b.yaml", Span(1, 2, 1, 3)), "first")
    diagnostic = Diagnostic("x", Severity.ERROR, "bad", Location("a.yaml", Span(1, 1, 1, 2)), "mend it", (other,))

    assert report(diagnostic).endswith("::bad%0Ahint: mend it%0Ab.yaml:1:2: first\n")


def test_several_lines_have_no_columns() -> None:
    """GitHub refuses columns on an annotation of several lines."""
    diagnostic = Diagnostic("x", Severity.ERROR, "bad", Location("a.yaml", Span(2, 3, 4, 5)))

    assert report(diagnostic) == "::error title=f0ci x,file=a.yaml,line=2,endLine=4::bad\n"


def test_no_value_becomes_a_command() -> None:
    """Whatever a file is called or says, a diagnostic is one line and one command."""
    diagnostic = Diagnostic(
        "x",
        Severity.ERROR,
        "100%\r\n::set-output name=a::b",
        Location("a,b:c%\n::error::.yaml", Span(1, 1, 1, 1)),
    )

    assert report(diagnostic) == (
        "::error title=f0ci x,file=a%2Cb%3Ac%25%0A%3A%3Aerror%3A%3A.yaml,line=1,col=1,endColumn=1"
        "::100%25%0D%0A::set-output name=a::b\n"
    )


def test_nothing_found_says_nothing() -> None:
    """There is no annotation for a clean run."""
    assert report() == ""
