from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.core.diagnostics import Diagnostic, Edit, Fix, Location, Related, Severity, Span
from f0ci.lint.reporters import json as reporter
from f0ci.lint.reporters.base import Summary
from f0ci.source.schema import load_schema
from tests.unit.lint.reporters.found import diagnostics, examined, source, written


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


def check(report: Any) -> None:
    schema = load_schema("validation")
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(report, schema, cls=jsonschema.Draft202012Validator)


def test_report_of_real_files_fits_the_published_schema() -> None:
    """What programs are promised is what they get, with related places and edits."""
    report = examined()
    printed = json.loads(reporter.report(report.diagnostics, source, report.summary))

    check(printed)
    parts = load_schema("validation")["$defs"]
    described = {name for part in ("span", "place", "diagnostic") for name in parts[part]["properties"]}
    assert {name for one in printed["diagnostics"] for name in one} == described
    assert any(one["related"] for one in printed["diagnostics"])
    assert printed["summary"]["errors"] > 1


@given(st.lists(diagnostics, max_size=4))
def test_any_report_fits_the_published_schema(found: list[Diagnostic]) -> None:
    """Whatever files are called and say."""
    check(json.loads(written("json", *found)))


def test_a_byte_order_mark_fits_the_published_schema() -> None:
    """Its edit alone stands before the first column."""
    mark = Fix("remove it", (Edit(Span(1, 0, 1, 1), ""),))
    check(json.loads(written("json", Diagnostic("byte-order-mark", Severity.WARNING, "m", Location("a"), fix=mark))))


@pytest.mark.parametrize("name", ["rule", "severity", "message", "path", "line", "column", "hint", "related", "fix"])
def test_the_published_schema_misses_every_field(name: str) -> None:
    """A check that could not fail would prove nothing."""
    printed = json.loads(written("json", Diagnostic("syntax", Severity.ERROR, "m", Location("a"))))
    del printed["diagnostics"][0][name]
    with pytest.raises(jsonschema.ValidationError):
        check(printed)
