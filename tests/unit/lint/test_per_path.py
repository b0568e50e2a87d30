from __future__ import annotations

import pytest

from f0ci.core.diagnostics import Severity
from f0ci.lint.per_path import PathRules
from tests.unit.lint.running import lint_files

BAD = "metadata: {name: a}\nsteps: [{name: a, run: x, colour: red, depends_on: [b]}]\n"
SAME = (
    "metadata: {name: a}\nsteps: [{name: a, run: x, colour: red, depends_on: [b]}] # f0ci: ignore[unused-parameter]\n"
)


def found(settings: str, *paths: str, text: str = BAD) -> dict[str, list[tuple[str, Severity]]]:
    """Return the rules that each file breaks under some settings, with their severities."""
    files = {"f0ci.yaml": f"rules:\n  paths: {settings}\n", **dict.fromkeys(paths, text)}
    diagnostics = lint_files(files)
    return {path: [(d.rule, d.severity) for d in diagnostics if d.location.path == path] for path in paths}


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("recipes/old", "recipes/old/a.yaml", True),
        ("recipes/old/", "recipes/old/deep/a.yaml", True),
        ("recipes/old", "recipes/older/a.yaml", False),
        ("recipes/a.yaml", "recipes/a.yaml", True),
        ("./recipes/a.yaml", "recipes/a.yaml", True),
        ("**/a.yaml", "a.yaml", True),
        ("**/a.yaml", "x/y/a.yaml", True),
        ("**/a.yaml", "x/ba.yaml", False),
        ("recipes/*.yaml", "recipes/a.yaml", True),
        ("recipes/*.yaml", "recipes/x/a.yaml", False),
        ("recipes/**", "recipes/x/a.yaml", True),
        ("recipes/**/a.yaml", "recipes/a.yaml", True),
        ("recipes/?.yaml", "recipes/a.yaml", True),
        ("recipes/?.yaml", "recipes/ab.yaml", False),
        ("a.yaml", "axyaml", False),
    ],
)
def test_patterns(pattern: str, path: str, *, matches: bool) -> None:
    """A folder means what is below it; `*` stays within a name, `**` does not."""
    assert PathRules(pattern).matches(path) is matches


def test_rules_are_off_for_some_files_only() -> None:
    """By their name or by their group."""
    answer = found("{old/: {ignore: [schema]}}", "old/a.yaml", "new/a.yaml")

    assert [rule for rule, _ in answer["old/a.yaml"]] == ["unknown-dependency"]
    assert [rule for rule, _ in answer["new/a.yaml"]] == ["unknown-key", "unknown-dependency"]


def test_a_selection_leaves_only_its_rules() -> None:
    """All others are off there."""
    assert found("{old: {select: [unknown-key]}}", "old/a.yaml") == {"old/a.yaml": [("unknown-key", Severity.WARNING)]}


def test_severities_and_several_patterns() -> None:
    """What is written later has the last word."""
    settings = "{'**': {severity: {unknown-key: error}}, old: {severity: {unknown-key: note}, ignore: [graph]}}"
    answer = found(settings, "old/a.yaml", "new/a.yaml")

    assert answer["old/a.yaml"] == [("unknown-key", Severity.NOTE)]
    assert answer["new/a.yaml"][0] == ("unknown-key", Severity.ERROR)


def test_a_comment_is_useless_only_where_its_rule_is_on() -> None:
    """Where the rule is off, nobody can tell."""
    settings = "{old: {ignore: [unused-parameter]}}"
    answer = found(settings, "old/a.yaml", "new/a.yaml", text=SAME)

    assert "unused-ignore" not in [rule for rule, _ in answer["old/a.yaml"]]
    assert "unused-ignore" in [rule for rule, _ in answer["new/a.yaml"]]


def test_what_tells_of_missing_checks_is_always_said() -> None:
    """A pattern that switches everything off does not hide a slip in the settings."""
    files = {"f0ci.yaml": "rules:\n  paths:\n    '**': {ignore: [project, graf]}\n", "recipes/a.yaml": BAD}
    [slip] = [d for d in lint_files(files) if d.location.path == "f0ci.yaml"]

    assert (slip.rule, slip.location.span.line, slip.location.span.column) == ("unknown-rule", 3, 30)
    assert slip.hint == "did you mean 'graph'?"
