"""What every report is made of.

A reporter is one file of this folder with a function
`report(diagnostics, sources, summary, *, colour=False) -> str`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from typing import Protocol

from f0ci.core import plugins
from f0ci.core.diagnostics import Diagnostic, Severity
from f0ci.core.values import dataclass

FOLDER = "f0ci.lint.reporters"
# returns the bytes of a file by its path, or None where it cannot be read
Sources = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Summary:
    """The sums under a report.

    Attributes:
        files: files that were checked.
        errors: diagnostics of that severity; so the others.
        checked: the paths of those files, for reports that list what is in order as well.
    """

    files: int = 0
    errors: int = 0
    warnings: int = 0
    notes: int = 0
    checked: tuple[str, ...] = field(default=(), compare=False)


class Report(Protocol):
    """What a reporter does."""

    def __call__(
        self, diagnostics: Sequence[Diagnostic], sources: Sources, summary: Summary, *, colour: bool = False
    ) -> str:
        """Return the whole report, ending with a newline unless it is empty.

        Args:
            diagnostics: in the order to report them.
            sources: texts of the files they are in.
            summary: the sums.
            colour: use terminal colours, where the format knows any.
        """
        ...


def summarize(diagnostics: Iterable[Diagnostic], files: int, checked: Sequence[str] = ()) -> Summary:
    """Return the sums of some diagnostics, and of the files that were checked."""
    counts = dict.fromkeys(Severity, 0)
    for diagnostic in diagnostics:
        counts[diagnostic.severity] += 1
    return Summary(
        files=files,
        errors=counts[Severity.ERROR],
        warnings=counts[Severity.WARNING],
        notes=counts[Severity.NOTE],
        checked=tuple(checked),
    )


def encodable(text: str) -> str:
    """Return a text that UTF-8 has bytes for: half a surrogate pair, as in odd file names, is escaped as in JSON."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def names() -> tuple[str, ...]:
    """Return the names of all report formats."""
    return plugins.names(FOLDER)


def load(name: str) -> Report:
    """Return the reporter of a format.

    Raises:
        UsageError: there is none of the name; the message says the closest.
    """
    reporter: Report = plugins.load(FOLDER, name, noun="report format").report
    return reporter
