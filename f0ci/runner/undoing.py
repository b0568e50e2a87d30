"""How steps are undone: `compensate` of each step, then the recipe's own procedures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from f0ci.recipes.model import Recipe, Step
from f0ci.recipes.reading import step_from

ROLLBACK = "rollback"


def undo_steps(recipe: Recipe) -> tuple[Step, ...]:
    """Return what undoes a recipe, as steps: `NAME.compensate` for each step that says how, then its procedures.

    The procedures stand under `error_handling.rollback_procedures` of the recipe, in written order.
    """
    found = []
    for step in recipe.steps:
        how = step.raw.get("compensate")
        if isinstance(how, Mapping):
            found.append(
                step_from({**how, "name": f"{step.name}.compensate"}, (*step.at, "compensate"), recipe.dialect)
            )
    procedures = _handling(recipe).get("rollback_procedures")
    for index, how in enumerate(procedures if isinstance(procedures, list) else ()):
        if isinstance(how, Mapping):
            name = str(how.get("name", f"rollback {index + 1}"))
            at = ("error_handling", "rollback_procedures", index)
            found.append(step_from({**how, "name": f"{name}.compensate"}, at, recipe.dialect))
    return tuple(found)


def wants_undo(recipe: Recipe, failed: Iterable[Step]) -> bool:
    """Tell whether a failure is to be undone: a failed step, or the recipe as a whole, says `on_failure: rollback`."""
    whole: Any = _handling(recipe).get("on_failure")
    return whole == ROLLBACK or any(step.retry.on_failure == ROLLBACK for step in failed)


def _handling(recipe: Recipe) -> Mapping[str, Any]:
    handling = recipe.document.get(("error_handling",))
    return handling if isinstance(handling, Mapping) else {}
