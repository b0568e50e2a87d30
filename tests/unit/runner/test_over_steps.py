"""What expressions see of steps that are over."""

from __future__ import annotations

import pytest

from f0ci.core.outcome import Outcome
from f0ci.runner.over_steps import OverSteps
from f0ci.runner.steps.base import StepResult


def test_a_step_sees_what_was_over_when_it_began() -> None:
    over = OverSteps()
    over.add("a", StepResult(Outcome.PASSED, outputs={"n": 1}))
    seen = over.now()
    over.add("b", StepResult(Outcome.FAILED))

    assert dict(seen) == {"a": {"outputs": {"n": 1}, "outcome": "passed"}}
    assert (len(seen), "b" in seen, seen.get("b")) == (1, False, None)
    with pytest.raises(KeyError):
        seen["b"]
    assert list(over.now()) == ["a", "b"]


def test_looking_through_them_survives_that_others_end() -> None:
    over = OverSteps()
    over.add("a", StepResult(Outcome.PASSED))
    found = []
    for name in over.now():
        over.add(f"after {name}", StepResult(Outcome.PASSED))
        found.append(name)

    assert found == ["a"]
