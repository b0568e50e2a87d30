"""Reports for programs, version 1. The fields are written out here, so that inner names may change and these stay."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from f0ci.core.diagnostics import Diagnostic, Fix, Location, Span
from f0ci.lint.reporters.base import Sources, Summary, encodable

VERSION = 1


def report(diagnostics: Sequence[Diagnostic], sources: Sources, summary: Summary, *, colour: bool = False) -> str:
    """Return one JSON document; lines and columns from 1, the end column exclusive."""
    del sources, colour
    return encodable(json.dumps(as_data(diagnostics, summary), indent=2, ensure_ascii=False)) + "\n"


def as_data(diagnostics: Sequence[Diagnostic], summary: Summary) -> dict[str, Any]:
    """Return the report as data, for callers that add to it."""
    return {
        "version": VERSION,
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in diagnostics],
        "summary": {
            "files": summary.files,
            "errors": summary.errors,
            "warnings": summary.warnings,
            "notes": summary.notes,
        },
    }


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "rule": diagnostic.rule,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        **_location(diagnostic.location),
        "hint": diagnostic.hint,
        "related": [{"message": other.message, **_location(other.location)} for other in diagnostic.related],
        "fix": None if diagnostic.fix is None else _fix(diagnostic.fix),
    }


def _fix(fix: Fix) -> dict[str, Any]:
    """Return edits whose columns count from 1; the byte-order mark alone stands in column 0."""
    return {"message": fix.message, "edits": [{**_span(edit.span), "text": edit.text} for edit in fix.edits]}


def _location(location: Location) -> dict[str, Any]:
    return {"path": location.path, **_span(location.span)}


def _span(span: Span) -> dict[str, Any]:
    return {
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
