from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from f0ci.core.diagnostics import Diagnostic, Location, Severity, Span
from f0ci.core.errors import UsageError
from f0ci.lint import engine, registry
from f0ci.lint.engine import examine
from f0ci.lint.reporters.base import Summary
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace, load_workspace
from f0ci.recipes.model import Recipe
from f0ci.source import schema
from f0ci.source.project import load_project
from f0ci.source.schema import MORE_MISFITS
from f0ci.source.tree import DirectoryTree
from tests.unit.lint.running import RECIPE, examine_files, lint_files, lint_recipe, places

TWO_FAULTS = "metadata: {name: a}\nsteps:\n  - {name: a, run: x, owner: me, depends_on: [b]}\n"


def test_counts_files_and_severities() -> None:
    """The summary counts files that f0ci reads, not those it passes over."""
    report = examine_files(
        {"recipes/a.yaml": TWO_FAULTS, "recipes/b.yaml": RECIPE, "k8s.yaml": "kind: Pod\nsteps: 1\n"}
    )

    assert report.summary == Summary(files=2, errors=1, warnings=1, notes=0)


def test_reports_are_sorted_and_each_once() -> None:
    """The order is by place, whatever order the rules ran in, and an alias does not repeat a finding."""
    recipe = "steps:\n  - {name: b, run: x, depends_on: &d [zzz], owner: me}\n  - {name: b, run: x, depends_on: *d}\n"
    found = places(lint_recipe(recipe))

    assert found == [
        "unknown-dependency recipes/example.yaml:2:39",
        "unknown-key recipes/example.yaml:2:45",
        "duplicate-step-name recipes/example.yaml:3:12",
    ]


def test_select_takes_rules_and_groups() -> None:
    """What the caller selects stands in place of what the settings select."""
    files = {"recipes/a.yaml": TWO_FAULTS, "f0ci.yaml": "rules: {select: [reading]}\n"}

    assert lint_files(files) == ()
    assert [d.rule for d in lint_files(files, select=["graph"])] == ["unknown-dependency"]
    assert [d.rule for d in lint_files(files, select=["unknown-key", "graph"])] == ["unknown-key", "unknown-dependency"]


def test_ignore_adds_to_the_settings() -> None:
    """Both the settings' and the caller's list are left out."""
    files = {"recipes/a.yaml": TWO_FAULTS, "f0ci.yaml": "rules: {ignore: [unknown-key]}\n"}

    assert [d.rule for d in lint_files(files)] == ["unknown-dependency"]
    assert lint_files(files, ignore=["graph"]) == ()


def test_a_rule_that_there_is_not_is_wrong_usage() -> None:
    """A misspelt name on the command line is no silent run."""
    with pytest.raises(UsageError) as caught:
        lint_recipe(RECIPE, select=["unknown-dependancy"])

    assert caught.value.message == "there is no rule 'unknown-dependancy'"
    assert caught.value.hint == "did you mean 'unknown-dependency'?"


def test_strict_makes_unknown_keys_errors() -> None:
    """Nothing else changes under strict."""
    severities = {d.rule: d.severity for d in lint_recipe(TWO_FAULTS, strict=True)}

    assert severities == {"unknown-key": Severity.ERROR, "unknown-dependency": Severity.ERROR}


def test_what_others_found_is_settled_with_the_rest() -> None:
    """Diagnostics of rendering are sorted in, and comments silence them too."""
    recipe = "metadata: {name: a}\nsteps:\n  - {name: a, run: x}  # f0ci: ignore[render] known\n"

    def other(line: int) -> Diagnostic:
        place = Location("recipes/example.yaml", Span(line, 1, line, 2))
        return Diagnostic("render", Severity.ERROR, "cannot be rendered", place)

    found = lint_recipe(recipe, further=[other(3), other(1)])

    assert [d.location.span.line for d in found if d.rule == "render"] == [1]


def test_a_crash_costs_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that crashes on every file is reported once, what it found before and all other rules count."""
    crashing = ModuleType("crashing")

    def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
        del workspace
        yield Finding(recipe.document, ("steps",), "found in time", key=True)
        raise ZeroDivisionError("no such luck")

    vars(crashing).update(RULE=Rule("self-dependency", Group.GRAPH, Severity.ERROR), check_recipe=check_recipe)
    real = registry.module
    monkeypatch.setattr(registry, "module", lambda name: crashing if name == "self-dependency" else real(name))
    found = lint_files({"recipes/a.yaml": TWO_FAULTS, "recipes/b.yaml": RECIPE})

    assert places(found) == [
        "internal-error recipes/a.yaml:1:1",
        "self-dependency recipes/a.yaml:2:1",
        "unknown-key recipes/a.yaml:3:23",
        "unknown-dependency recipes/a.yaml:3:47",
        "self-dependency recipes/b.yaml:2:1",
    ]
    assert found[0].message == "the rule 'self-dependency' failed: ZeroDivisionError: no such luck"


def test_a_file_of_20_megabytes_is_not_read() -> None:
    """Its size is the finding, in time and without its content."""
    found = lint_recipe("steps:\n  - {name: a, run: x}\n" + "# filler\n" * 2_300_000)

    assert places(found) == ["too-large recipes/example.yaml:1:1"]
    assert found[0].message == "20,700,029 bytes; at most 20,000,000 are read"


def test_findings_stay_inside_what_is_named() -> None:
    """A folder names the files below it, and no file beside it that starts alike."""
    files = {"recipes/a.yaml": TWO_FAULTS, "recipes/b.yaml": TWO_FAULTS, "recipes-old/c.yaml": TWO_FAULTS}

    assert {d.location.path for d in lint_files(files, ["recipes"])} == {"recipes/a.yaml", "recipes/b.yaml"}
    assert {d.location.path for d in lint_files(files, ["recipes/b.yaml"])} == {"recipes/b.yaml"}
    assert {d.location.path for d in lint_files(files, [""])} == set(files)
    assert examine_files(files, ["recipes/b.yaml"]).summary.files == 1


def test_severities_of_the_settings_come_first(tmp_path: Path) -> None:
    """Severities of the settings apply to findings that have one of their own, too."""
    (tmp_path / "f0ci.yaml").write_text("rules: {severity: {undeclared-parameter: note}}\n")
    (tmp_path / "a.yaml").write_text('steps: [{name: a, run: x, env: {A: "#{params.a}"}}]\n')
    tree = DirectoryTree(tmp_path)
    report = examine(load_workspace(tree, load_project(tree)))

    assert [(d.rule, d.severity) for d in report.diagnostics] == [("undeclared-parameter", Severity.NOTE)]


def test_a_file_of_mistakes_gets_all_findings_and_guesses_for_the_first() -> None:
    steps = "".join(f"  - {{name: step_{n}, run: x, depends_on: [stepp_{n}]}}\n" for n in range(800))

    found = lint_recipe(f"metadata: {{name: a}}\nsteps:\n{steps}", select=["unknown-dependency"])

    assert len(found) == 800
    assert str(found[0].hint).startswith("did you mean 'step_")
    assert found[-1].hint == "remove it"


def test_more_findings_than_anybody_reads_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file made to have a million findings fills neither the memory nor the screen; other rules and files go on."""
    monkeypatch.setattr(engine, "MOST_OF_A_KIND", 3)
    step = "  - {{name: s{n}, run: x, k: 1, depends_on: [zzz]}}  # f0ci: ignore[{rule}] known\n"
    texts = {
        f"recipes/{name}.yaml": "steps:\n" + "".join(step.format(n=n, rule=rule) for n in range(count))
        for name, count, rule in (("many", 5, "unknown-dependency"), ("few", 2, "tab"))
    }

    found = lint_files(texts)

    assert [f"{one.rule} {one.location}" for one in found if one.rule == "unknown-key"] == [
        "unknown-key recipes/few.yaml:2:24",
        "unknown-key recipes/few.yaml:3:24",
        "unknown-key recipes/many.yaml:1:1",
        "unknown-key recipes/many.yaml:2:24",
        "unknown-key recipes/many.yaml:3:24",
        "unknown-key recipes/many.yaml:4:24",
    ]
    assert [one.rule for one in found if one.location.path == "recipes/many.yaml" and "more than" in one.message] == [
        "unknown-dependency",
        "unknown-key",
    ]
    # comments may silence what is not listed
    assert [one.location.path for one in found if one.rule == "unused-ignore"] == ["recipes/few.yaml"] * 2
    assert len([one for one in found if one.rule == "unknown-dependency"]) == 2 + 1


def test_where_very_many_places_do_not_fit_it_is_said_that_more_may_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody looked at may be what a comment silences."""
    monkeypatch.setattr(schema, "_MOST_MISFITS", 3)
    steps = "".join(f"  - {{name: s{n}, run: x, k: 1}}  # f0ci: ignore[unknown-key] known\n" for n in range(5))

    (found,) = lint_recipe(f"metadata: {{name: a}}\nsteps:\n{steps}")

    assert (found.rule, found.severity, found.message) == ("bad-value", Severity.ERROR, MORE_MISFITS.message)
