"""One message at one place: what every check of f0ci reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from enum import IntEnum

from f0ci.core.values import dataclass


class Severity(IntEnum):
    """How much a diagnostic matters; larger is worse."""

    NOTE = 0
    WARNING = 1
    ERROR = 2

    def __str__(self) -> str:
        return self.name.lower()

    @classmethod
    def parse(cls, name: str) -> Severity:
        """Return the severity of that name.

        Raises:
            KeyError: no severity has the name.
        """
        return cls[name.upper()]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Where something stands in a text; 1-based lines and columns (in code points), end column exclusive."""

    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A span of a file; the path is relative to the workspace, with forward slashes."""

    path: str
    span: Span = Span()

    def __str__(self) -> str:
        return f"{self.path}:{self.span.line}:{self.span.column}"


@dataclass(frozen=True, slots=True, order=True)
class Related:
    """Another place that a diagnostic speaks of, and what is there ("declared here")."""

    location: Location
    message: str


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Another text in the place of a span of a file; a byte-order mark stands in column 0 of line 1."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Fix:
    """Edits of one file that mend a finding and change nothing else.

    Attributes:
        message: what they do: "write 'depends_on'".
        edits: none of them touches another.
    """

    message: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding of one rule at one place."""

    rule: str
    severity: Severity
    message: str
    location: Location
    hint: str | None = None
    related: tuple[Related, ...] = field(default=())
    fix: Fix | None = None

    @property
    def sort_key(self) -> tuple[Location, str, str]:
        """Order of reports: by place, then rule, then text."""
        return (self.location, self.rule, self.message)


def settle(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return diagnostics sorted by place, each once."""
    unique = {(d.location, d.rule, d.message): d for d in diagnostics}
    return tuple(sorted(unique.values(), key=lambda d: d.sort_key))
