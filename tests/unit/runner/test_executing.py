"""Runs of small recipes, from end to end."""

from __future__ import annotations

from f0ci.core.outcome import Outcome
from tests.unit.runner.conftest import Workspace

PASS = "{name: %s, type: python, module: scriptlets.answers, function: Legacy}"


def test_a_recipe_passes_when_its_steps_pass(zoo: Workspace) -> None:
    record = zoo.run(f"  - {PASS % 'one'}\n  - {PASS % 'two'}\n")

    assert record.outcome is Outcome.PASSED
    assert [(step.name, step.outcome, step.attempts) for step in record.steps] == [
        ("one", Outcome.PASSED, 1),
        ("two", Outcome.PASSED, 1),
    ]
    assert zoo.context.get("legacy.done") is True
