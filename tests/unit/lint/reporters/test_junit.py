from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from junitparser import Failure, JUnitXml

from f0ci.core.diagnostics import Diagnostic, Location, Related, Severity, Span
from f0ci.lint.reporters import junit
from f0ci.lint.reporters.base import summarize
from tests.unit.lint.reporters.found import diagnostics, examined, saying, source, written


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text.encode())


def cases_of(text: str) -> list[ET.Element]:
    return list(parsed(text).iter("testcase"))


def test_a_consumer_reads_a_report_of_real_files(tmp_path: Path) -> None:
    """Every file is a case, also one that is in order; the counts are those of its cases."""
    report = examined()
    path = tmp_path / "report.xml"
    path.write_text(junit.report(report.diagnostics, source, report.summary), encoding="utf-8")

    [suite] = JUnitXml.fromfile(str(path))
    cases = list(suite)
    assert [(case.name, case.is_passed) for case in cases] == [
        ("recipes/a.yaml", False),
        ("recipes/b c.yaml", False),
        ("recipes/fine.yaml", True),
    ]
    assert (suite.tests, suite.failures, suite.errors) == (3, 2, 0)
    [failure] = cases[0].result
    assert isinstance(failure, Failure)
    assert failure.type == "unknown-step-type"
    assert failure.message == "there is no step type 'pyhton' (and 3 more)"
    assert "recipes/a.yaml:3:21: error[unknown-step-type] there is no step type 'pyhton'" in str(failure.text)


@given(st.lists(diagnostics, max_size=5))
def test_any_report_can_be_read(found: list[Diagnostic]) -> None:
    """Whatever files are called and say, there is a case a file and a failure a file with errors."""
    root = parsed(written("junit", *found))
    failing = {one.location.path for one in found if one.severity is Severity.ERROR}

    assert len(list(root.iter("testcase"))) == len({one.location.path for one in found})
    assert len(list(root.iter("failure"))) == len(failing)
    assert root.get("failures") == str(len(failing))


@given(st.text())
def test_any_message_comes_back(message: str) -> None:
    """Character by character, but for those that XML has no way to write: these are pictures."""
    [case] = cases_of(written("junit", saying(message)))
    failure = case.find("failure")
    shown = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", lambda match: chr(0x2400 + ord(match[0])), message)
    shown = re.sub("[\ufffe\uffff]", "\ufffd", shown)

    assert failure is not None
    assert failure.get("message") == shown
    assert failure.text == f"a.yaml:1:2: error[syntax] {shown}"


def test_warnings_and_notes_do_not_fail_a_case() -> None:
    """They are what the case printed."""
    other = Related(Location("b.yaml", Span(4, 5, 4, 6)), "first")
    [case] = cases_of(
        written("junit", Diagnostic("empty", Severity.WARNING, "bad", Location("a.yaml"), "mend it", (other,)))
    )

    assert case.find("failure") is None
    assert case.findtext("system-out") == "a.yaml:1:1: warning[empty] bad\n  hint: mend it\n  b.yaml:4:5: first"


def test_nothing_checked_is_an_empty_suite() -> None:
    """There is a report all the same."""
    [suite] = JUnitXml.fromstring(junit.report([], source, summarize([], 0)))

    assert suite.tests == 0
