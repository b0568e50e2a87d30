"""What a step's end means to the others."""

from __future__ import annotations

from f0ci.core.outcome import Outcome
from f0ci.recipes.model import Recipe, Step
from f0ci.runner.readiness import Verdict
from f0ci.runner.settings import continues
from f0ci.runner.steps.base import StepResult


def verdict_of(step: Step, result: StepResult, *, continue_on_error: bool) -> Verdict:
    """Return what a step's end means to the others.

    | outcome | satisfied | stops the run |
    |---|---|---|
    | passed | yes | no |
    | skipped | yes, but not for a step with `on_skipped_dependency: skip` | no |
    | waiting | not yet | no |
    | given up while it may still be running | no | yes |
    | failed or errored, and `on_failure` or the option says continue | no | no |
    | failed or errored | no | yes |
    """
    if result.outcome is Outcome.WAITING:
        return Verdict(waits=True)
    if result.outcome <= Outcome.PASSED:
        return Verdict(skipped=result.outcome is Outcome.SKIPPED)
    goes_on = (continues(step) or continue_on_error) and not result.abandoned
    return Verdict(satisfied=False, stops=not goes_on, because=step.name)


def strict_steps(recipe: Recipe) -> frozenset[str]:
    """Return the steps that a skipped dependency does not satisfy."""
    return frozenset(step.name for step in recipe.steps if step.raw.get("on_skipped_dependency") == "skip")
