"""GitLab's Code Quality report: a JSON list with the fields that GitLab documents, and no others.

GitLab compares the reports of two branches by fingerprint: a finding that only moved is not new.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from f0ci.core.diagnostics import Diagnostic, Severity
from f0ci.lint.fingerprints import fingerprints
from f0ci.lint.reporters.base import Sources, Summary, encodable

# of info, minor, major, critical, blocker
_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def report(diagnostics: Sequence[Diagnostic], sources: Sources, summary: Summary, *, colour: bool = False) -> str:
    """Return the report; an empty list where nothing was found."""
    del summary, colour
    marks = fingerprints(diagnostics, sources)
    issues = [
        {
            "description": f"{one.message} ({one.hint})" if one.hint else one.message,
            "check_name": one.rule,
            "fingerprint": mark,
            "severity": _SEVERITIES[one.severity],
            "location": {"path": one.location.path, "lines": {"begin": one.location.span.line}},
        }
        for one, mark in zip(diagnostics, marks, strict=True)
    ]
    return encodable(json.dumps(issues, indent=2, ensure_ascii=False)) + "\n"
