from __future__ import annotations

import pytest

from f0ci.core.diagnostics import Severity
from f0ci.core.errors import UsageError
from f0ci.lint.engine import all_rules, explain
from f0ci.lint.registry import choose


def test_all_rules_are_sorted_by_name() -> None:
    """A list of rules is the same everywhere."""
    names = [rule.name for rule in all_rules()]

    assert names == sorted(set(names))
    assert "unknown-dependency" in names


def test_a_page_begins_with_name_severity_and_group() -> None:
    """The page of a rule stands for itself."""
    page = explain("config-key-undefined")

    assert page.startswith("# config-key-undefined\n\nerror, group expressions\n\nA recipe reads a configuration key")
    assert page.endswith("\n")
    assert not page.endswith("\n\n")


def test_a_page_that_there_is_not_names_the_closest() -> None:
    """A slip of the pen finds its rule."""
    with pytest.raises(UsageError) as caught:
        explain("unknown-dependancy")

    assert caught.value.hint == "did you mean 'unknown-dependency'?"


def test_a_choice_is_complete_only_with_every_rule() -> None:
    """Only then is it known that a comment silences nothing."""
    assert choose({}).complete
    assert not choose({"ignore": ["syntax"]}).complete
    assert not choose({}, select=["graph"]).complete


def test_what_tells_of_missing_checks_is_always_active() -> None:
    """A misspelt selection, or a crash, never looks like a clean run."""
    always = {"internal-error", "unknown-rule"}

    assert set(choose({"select": ["grahp"]}).active) == always
    assert always < set(choose({}, ignore=["project", "internal-error"]).active)


def test_settings_with_unknown_names_leave_the_others_standing() -> None:
    """What the settings say wrong is a finding of its own; the run goes on."""
    choice = choose({"ignore": ["unkown-key"], "severity": {"unknown-key": "note"}})

    assert choice.complete
    assert choice.severity == {"unknown-key": Severity.NOTE}
