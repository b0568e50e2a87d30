from __future__ import annotations

import json

import pytest

from f0ci.core.diagnostics import Diagnostic, Location, Severity
from f0ci.lint.reporters import base
from f0ci.lint.reporters.base import Summary, summarize

ODD = "a\udce9.yaml"


@pytest.mark.parametrize("name", base.names())
def test_every_report_can_be_written(name: str) -> None:
    """A file name that is no UTF-8 keeps no report from being printed."""
    diagnostic = Diagnostic("x", Severity.ERROR, f"{ODD!s} is odd", Location(ODD))
    report = base.load(name)([diagnostic], lambda _: b"steps:\n", Summary(1, 1))

    assert report.encode()


def test_json_keeps_an_odd_name() -> None:
    """A program gets the name back as Python has it."""
    report = base.load("json")([Diagnostic("x", Severity.ERROR, "odd", Location(ODD))], lambda _: None, Summary())

    assert json.loads(report)["diagnostics"][0]["path"] == ODD


def test_summarize_counts_each_severity() -> None:
    """What is counted is what is reported."""
    found = [
        Diagnostic("x", severity, "", Location("a")) for severity in (Severity.ERROR, Severity.NOTE, Severity.NOTE)
    ]

    assert summarize(found, 7) == Summary(files=7, errors=1, warnings=0, notes=2)
