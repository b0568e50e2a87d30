from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from f0ci.core.diagnostics import Diagnostic, Location, Severity
from f0ci.lint.reporters import gitlab
from tests.unit.lint.reporters.found import diagnostics, examined, saying, source, written

SEVERITIES = {"info", "minor", "major", "critical", "blocker"}


def check_issue(issue: dict[str, Any]) -> None:
    """Check the fields that GitLab documents for a Code Quality report, and that there are no others."""
    assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
    assert all(isinstance(issue[name], str) for name in ("description", "check_name", "fingerprint"))
    assert issue["severity"] in SEVERITIES
    assert set(issue["location"]) == {"path", "lines"}
    assert isinstance(issue["location"]["path"], str)
    assert set(issue["location"]["lines"]) == {"begin"}
    assert issue["location"]["lines"]["begin"] >= 1


def test_report_of_real_files_has_the_documented_fields() -> None:
    """GitLab reads these and passes over others."""
    report = examined()
    issues = json.loads(gitlab.report(report.diagnostics, source, report.summary))

    assert [issue["check_name"] for issue in issues] == [one.rule for one in report.diagnostics]
    for issue in issues:
        check_issue(issue)
        assert not issue["location"]["path"].startswith(("./", "/"))


@given(st.lists(diagnostics, max_size=4))
def test_any_report_has_the_documented_fields(found: list[Diagnostic]) -> None:
    """Whatever files are called and say; and no two issues are taken for one."""
    issues = json.loads(written("gitlab", *found))

    for issue in issues:
        check_issue(issue)
    assert len({issue["fingerprint"] for issue in issues}) == len(found)


@given(st.text())
def test_any_message_comes_back(message: str) -> None:
    """A description is the message, character by character."""
    [issue] = json.loads(written("gitlab", saying(message)))

    assert issue["description"] == message


def test_severities_and_hints() -> None:
    """Errors stand out, and nothing is a blocker."""
    found = [Diagnostic("x", severity, "bad", Location("a"), "mend it") for severity in Severity]
    issues = json.loads(written("gitlab", *found))

    assert [issue["severity"] for issue in issues] == ["info", "minor", "major"]
    assert issues[0]["description"] == "bad (mend it)"


def test_nothing_found_is_an_empty_list() -> None:
    """GitLab compares with it all the same."""
    assert written("gitlab") == "[]\n"
