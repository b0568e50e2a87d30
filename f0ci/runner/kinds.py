"""Step types by name."""

from __future__ import annotations

from f0ci.core import plugins
from f0ci.core.errors import InputError
from f0ci.core.suggestions import did_you_mean
from f0ci.recipes.model import Recipe

STEP_TYPES = "f0ci.runner.steps"


def check_kinds(recipe: Recipe) -> None:
    """Check that every step is of a known type.

    Raises:
        InputError: one is not; carries its place.
    """
    own = plugins.own_names(STEP_TYPES)
    known = {name.replace("-", "_") if name in own else name for name in plugins.names(STEP_TYPES)}
    for step in recipe.steps:
        if step.kind not in known:
            raise InputError(
                f"there is no step type {step.kind!r}",
                did_you_mean(step.kind, known, noun="there are"),
                place=str(recipe.document.location((*step.at, "type"))),
            )
