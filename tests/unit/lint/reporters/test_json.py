from __future__ import annotations

import json

from f0ci.core.diagnostics import Diagnostic, Edit, Fix, Location, Related, Severity, Span
from f0ci.lint.reporters import json as reporter
from f0ci.lint.reporters.base import Summary


def test_every_field_of_version_1() -> None:
    """Programs rely on exactly these fields, in one order."""
    other = Related(Location("environments/dev/config.json", Span(15, 3, 15, 15)), "'processing' of 'dev'")
    first = Diagnostic(
        "config-key-undefined",
        Severity.ERROR,
        "the key 'é' is read here",
        Location("recipes/a.yaml", Span(4, 21, 4, 54)),
        "define it",
        (other,),
    )
    mended = Fix("write 'a'", (Edit(Span(1, 2, 1, 3), "a"),))
    second = Diagnostic("unused-ignore", Severity.NOTE, "why", Location("b.yaml"), fix=mended)
    text = reporter.report([first, second], lambda _: None, Summary(3, 1, 0, 1))

    assert text.endswith("}\n")
    assert "é" in text
    assert json.loads(text) == {
        "version": 1,
        "diagnostics": [
            {
                "rule": "config-key-undefined",
                "severity": "error",
                "message": "the key 'é' is read here",
                "path": "recipes/a.yaml",
                "line": 4,
                "column": 21,
                "end_line": 4,
                "end_column": 54,
                "hint": "define it",
                "related": [
                    {
                        "message": "'processing' of 'dev'",
                        "path": "environments/dev/config.json",
                        "line": 15,
                        "column": 3,
                        "end_line": 15,
                        "end_column": 15,
                    }
                ],
                "fix": None,
            },
            {
                "rule": "unused-ignore",
                "severity": "note",
                "message": "why",
                "path": "b.yaml",
                "line": 1,
                "column": 1,
                "end_line": 1,
                "end_column": 1,
                "hint": None,
                "related": [],
                "fix": {
                    "message": "write 'a'",
                    "edits": [{"line": 1, "column": 2, "end_line": 1, "end_column": 3, "text": "a"}],
                },
            },
        ],
        "summary": {"files": 3, "errors": 1, "warnings": 0, "notes": 1},
    }


def test_nothing_found_is_a_document_too() -> None:
    """A program never has to parse an empty text."""
    data = json.loads(reporter.report([], lambda _: None, Summary(files=2)))

    assert data == {
        "version": 1,
        "diagnostics": [],
        "summary": {"files": 2, "errors": 0, "warnings": 0, "notes": 0},
    }
