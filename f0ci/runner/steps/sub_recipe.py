"""Step type `sub_recipe`: another recipe with its own parameters, in the same context.

Its steps count as part of this step: a retry runs all of them again, and `steps.<name>.outputs.<child>` holds the
outputs of each child.
"""

from __future__ import annotations

from f0ci.core.errors import StepError
from f0ci.runner.steps.base import StepCall, StepResult


def run(call: StepCall) -> StepResult:
    """Run the other recipe once."""
    if call.step.recipe_path is None:
        raise StepError("a sub_recipe step needs 'recipe_path'", "name the recipe's file", terminal=True)
    return call.run_recipe(call.step.recipe_path, call.arguments)
