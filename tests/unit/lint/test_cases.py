"""Cases of rules, as data: `tests/cases/rules/<rule>.yaml`.

A file is a list of cases: `name`, `files` (path to text), optionally `named` (paths of the command line), `options` (of
`examine`), and `findings` of the rule that the file is called after: `path`, `line`, `column`, and where they matter
`text` (what the place says), `end_column`, `severity`, `message`, `hint`, `related`. Without `findings` the rule is
silent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from f0ci.core.diagnostics import Diagnostic
from f0ci.lint import registry
from f0ci.lint.source import Source
from f0ci.lint.workspace import Workspace
from tests.unit.lint.running import lint_files

FOLDER = Path(__file__).parents[2] / "cases" / "rules"
CASES = [
    pytest.param(file.stem, case, id=f"{file.stem}: {case['name']}")
    for file in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(file.read_text())
]


def as_expected(diagnostic: Diagnostic, keys: Any, files: dict[str, Any]) -> dict[str, Any]:
    """Return those facts of a diagnostic that a case names."""
    span = diagnostic.location.span
    facts = {
        "path": diagnostic.location.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "text": "text" in keys
        and files[diagnostic.location.path].splitlines()[span.line - 1][span.column - 1 : span.end_column - 1],
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "related": [f"{other.location} {other.message}" for other in diagnostic.related],
    }
    return {key: facts[key] for key in keys}


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_case(rule: str, case: dict[str, Any]) -> None:
    """The rule finds exactly what the case says, where it says."""
    diagnostics = lint_files(case["files"], case.get("named"), **case.get("options", {}))
    own = [diagnostic for diagnostic in diagnostics if diagnostic.rule == rule]
    expected = case.get("findings", [])

    assert [d.message for d in diagnostics if d.rule == "internal-error"] == []
    # where the numbers differ, show what was found instead
    shown = expected if len(own) == len(expected) else [{"path": 0, "line": 0, "column": 0, "message": 0}] * len(own)
    assert [as_expected(one, wanted, case["files"]) for one, wanted in zip(own, shown, strict=True)] == expected


@pytest.mark.parametrize(("rule", "case"), CASES[::2])
def test_a_case_comes_out_the_same_where_others_have_called_the_file(
    rule: str, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read for callers is not all that is read for rules; a file may still be at hand from the one."""
    expected = lint_files(case["files"], case.get("named"), **case.get("options", {}))
    real = Workspace.read

    def read(self: Workspace, path: str) -> Source | None:
        self.source(path)
        return real(self, path)

    monkeypatch.setattr(Workspace, "read", read)

    assert lint_files(case["files"], case.get("named"), **case.get("options", {})) == expected, rule


def test_every_rule_has_cases() -> None:
    """A rule without cases is a rule that nobody tested beyond its page."""
    assert {file.stem for file in FOLDER.glob("*.yaml")} == set(registry.names())
