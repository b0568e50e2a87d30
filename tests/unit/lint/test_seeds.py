"""The documents that the project starts from: everything that is wrong with them is found, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from f0ci.core.diagnostics import Diagnostic, Severity
from f0ci.lint.engine import Report, examine
from f0ci.lint.lines import split_lines
from f0ci.lint.workspace import load_workspace
from f0ci.source.project import load_project
from f0ci.source.tree import DirectoryTree

PROJECTS = Path(__file__).parents[2] / "projects"
EXERCISES = "FYI/exercises"
COMPOSITION = f"{EXERCISES}/enterprise_workflow_composition.yaml"
INGESTION = f"{EXERCISES}/recipe_library/data/ingestion_template.yaml"
DASHBOARD = f"{EXERCISES}/recipe_library/reporting/executive_dashboard.yaml"
STAGING = f"{EXERCISES}/environments/staging"


@pytest.fixture
def enterprise(tmp_path: Path) -> Path:
    """The files of the composition exercise where it puts them, and the folders that its first command makes."""
    root = tmp_path / "enterprise"
    shutil.copytree(PROJECTS / "enterprise", root)
    for name in ("dev", "staging", "prod"):
        (root / EXERCISES / "environments" / name).mkdir(parents=True, exist_ok=True)
    return root


def examine_folder(root: Path) -> Report:
    tree = DirectoryTree(root)
    return examine(load_workspace(tree, load_project(tree)))


def written_at(root: Path, diagnostic: Diagnostic) -> str:
    """Return the text that a diagnostic points at."""
    span = diagnostic.location.span
    path = root / diagnostic.location.path
    line = split_lines(diagnostic.location.path, path.read_bytes())[span.line - 1]
    return line[span.column - 1 : span.end_column - 1]


def test_enterprise_finds_everything_and_nothing_else(enterprise: Path) -> None:
    """Every finding in files that are nearly right, and staging without a configuration."""
    found = examine_folder(enterprise).diagnostics

    assert [(d.rule, d.location.path, d.location.span.line) for d in found] == [
        ("environment-config-missing", COMPOSITION, 11),
        ("unused-parameter", COMPOSITION, 13),
        ("unknown-parameter", COMPOSITION, 40),
        ("unknown-parameter", COMPOSITION, 93),
        ("unknown-parameter", COMPOSITION, 94),
        ("unknown-parameter", COMPOSITION, 95),
        ("config-key-undefined", COMPOSITION, 119),
        ("config-key-undefined", COMPOSITION, 134),
        ("environment-config-missing", STAGING, 1),
        ("undeclared-parameter", INGESTION, 27),
        ("config-key-undefined", INGESTION, 51),
        ("config-key-undefined", INGESTION, 62),
        ("config-key-undefined", DASHBOARD, 16),
        ("config-key-undefined", DASHBOARD, 39),
    ]


def test_enterprise_points_at_the_words(enterprise: Path) -> None:
    """Each place is the name itself, not the line or the step around it."""
    found = [d for d in examine_folder(enterprise).diagnostics if d.location.path != STAGING]

    assert [written_at(enterprise, diagnostic) for diagnostic in found] == [
        "staging",
        '"processing_mode"',
        "environment_config",
        "dashboard_type",
        "real_time_updates",
        "export_formats",
        "config.monitoring.thresholds",
        "config.error_handling.escalation",
        "params.environment_config",
        "config.processing.validation_rules",
        "config.processing.transformations",
        "config.processing.refresh_interval",
        "config.reporting.distribution_list",
    ]


def test_enterprise_says_which_environments_were_looked_at(enterprise: Path) -> None:
    """The reader learns where the key is missing, and where it would belong."""
    found = examine_folder(enterprise).diagnostics
    [rules] = [d for d in found if "processing.validation_rules" in d.message]

    assert rules.message == (
        "the configuration key 'processing.validation_rules' is read here, and no environment defines it"
        " (looked in 'dev' and 'prod')"
    )
    assert [(str(other.location), other.message) for other in rules.related] == [
        (f"{EXERCISES}/environments/dev/config.json:15:3", "'processing' of 'dev'"),
        (f"{EXERCISES}/environments/prod/config.json:15:3", "'processing' of 'prod'"),
    ]


def test_enterprise_with_a_staging_configuration_says_no_more_of_it(enterprise: Path) -> None:
    """Writing the missing file is what silences both places that miss it."""
    shutil.copy(enterprise / EXERCISES / "environments/dev/config.json", enterprise / STAGING)

    assert "environment-config-missing" not in {d.rule for d in examine_folder(enterprise).diagnostics}


def test_library_path_that_does_not_exist(enterprise: Path) -> None:
    """A recipe moved within its library is missed at the line that calls it, and found again by the hint."""
    shutil.move(enterprise / DASHBOARD, enterprise / EXERCISES / "recipe_library" / "executive_dashboard.yaml")
    found = [d for d in examine_folder(enterprise).diagnostics if d.rule == "recipe-path-missing"]

    assert [(d.location.path, d.location.span.line, d.hint) for d in found] == [
        (COMPOSITION, 90, f"did you mean '{EXERCISES}/recipe_library/executive_dashboard.yaml'?")
    ]


def test_only_what_is_named_is_reported(enterprise: Path) -> None:
    """Naming one recipe reports its findings alone, though what it refers to is still read."""
    tree = DirectoryTree(enterprise)
    workspace = load_workspace(tree, load_project(tree), [COMPOSITION])

    assert [d.location.span.line for d in examine(workspace).diagnostics] == [11, 13, 40, 93, 94, 95, 119, 134]


def test_real_recipes_are_silent() -> None:
    """One real recipe of each dialect has nothing that is worth a word."""
    report = examine_folder(PROJECTS / "framework0")

    assert report.diagnostics == ()
    assert report.summary.files == 3


def test_production_workflow_has_no_errors() -> None:
    """What the workflow leaves open is warned of, name by name; the Kubernetes file beside it is none of ours."""
    report = examine_folder(PROJECTS / "production_workflow")

    assert {d.severity for d in report.diagnostics} == {Severity.WARNING}
    assert sorted(_subjects(report)) == [
        ("environment-config-missing", "environments"),
        ("metric-without-provider", "0.95"),
        ("metric-without-provider", "error_rate"),
        ("metric-without-provider", "error_rate"),
        ("metric-without-provider", "latency_p95"),
        ("unbound-name", "exercise7_anomaly_detected"),
        ("unbound-name", "exercise8/container-build"),
        ("unbound-name", "integration_tests"),
        ("unbound-name", "security_scans"),
        ("unbound-name", "unit_tests"),
    ]


def _subjects(report: Report) -> Iterator[tuple[str, str]]:
    for diagnostic in report.diagnostics:
        yield diagnostic.rule, written_at(PROJECTS / "production_workflow", diagnostic)
