"""From a finding, which names its place, to a diagnostic, which has a span."""

from __future__ import annotations

from f0ci.core.diagnostics import Diagnostic, Location, Related, Severity, Span
from f0ci.lint.lines import first_line, narrowed, split_lines, trimmed
from f0ci.lint.rules.base import Finding, Place
from f0ci.source.document import Document
from f0ci.source.reading import Path


def locate(finding: Finding, rule: str, severity: Severity) -> Diagnostic:
    """Return a finding with its place as a span of its file."""
    return Diagnostic(
        rule=rule,
        severity=severity,
        message=finding.message,
        location=_location(finding),
        hint=finding.hint,
        related=tuple(Related(_place(place), place.message) for place in finding.related),
        fix=finding.fix,
    )


def _location(finding: Finding) -> Location:
    if isinstance(finding.source, str):
        return Location(finding.source, finding.at if isinstance(finding.at, Span) else Span())
    if isinstance(finding.at, Span):
        return Location(finding.source.path, finding.at)
    return Location(finding.source.path, _span(finding.source, finding.at, key=finding.key, within=finding.within))


def _place(place: Place) -> Location:
    span = place.at if isinstance(place.at, Span) else _span(place.document, place.at, key=place.key)
    return Location(place.document.path, span)


def _span(document: Document, at: Path, *, key: bool, within: tuple[int, int] | None = None) -> Span:
    """Return the span of a key, of a scalar or a part of it, or of the first line of a list or mapping."""
    span = document.span(at, key=key)
    if key:
        return span
    value = document.get(at)
    lines = split_lines(document.path, document.raw)
    if isinstance(value, dict | list):
        return first_line(span, lines)
    if within is not None and isinstance(value, str):
        part = narrowed(span, value, within, lines)
        if part is not None:
            return part
    return trimmed(span, lines)
