"""What linting a workspace found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from f0ci.core.diagnostics import Diagnostic, Edit, Fix, Location, Related, Severity, Span
from f0ci.core.values import dataclass
from f0ci.lint.reporters.base import Summary


@dataclass(frozen=True, slots=True)
class Report:
    """What linting found.

    Attributes:
        diagnostics: sorted by place, each once.
        summary: how many files were read and how many diagnostics of each severity there are.
    """

    diagnostics: tuple[Diagnostic, ...]
    summary: Summary


def diagnostic_to_json(one: Diagnostic) -> list[Any]:
    """Return a diagnostic as JSON data of plain texts, numbers and lists."""
    related = [[place.location.path, _numbers(place.location.span), str(place.message)] for place in one.related]
    hint = None if one.hint is None else str(one.hint)
    span = _numbers(one.location.span)
    fix = one.fix and [str(one.fix.message), [[_numbers(edit.span), str(edit.text)] for edit in one.fix.edits]]
    return [str(one.rule), int(one.severity), str(one.message), one.location.path, span, hint, related, fix]


def diagnostic_from_json(data: Sequence[Any]) -> Diagnostic:
    """Return the diagnostic that JSON data of `diagnostic_to_json` stands for."""
    rule, severity, message, path, span, hint, related, fix = data
    return Diagnostic(
        rule,
        Severity(severity),
        message,
        Location(path, Span(*span)),
        hint,
        tuple(Related(Location(path, Span(*span)), message) for path, span, message in related),
        fix and Fix(fix[0], tuple(Edit(Span(*span), text) for span, text in fix[1])),
    )


def _numbers(span: Span) -> list[int]:
    return [span.line, span.column, span.end_line, span.end_column]
