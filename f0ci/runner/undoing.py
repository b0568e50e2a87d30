"""How steps are undone: `compensate` of each, or of those inside a sub-recipe, then the recipe's own procedures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from f0ci.core.outcome import Outcome
from f0ci.recipes.model import Recipe, Step
from f0ci.recipes.reading import step_from
from f0ci.recipes.records import StepRecord

ROLLBACK = "rollback"
# of a step that undoes what a sub-recipe did, by what that one says
UNDO = "undo"


def undo_steps(recipe: Recipe, undoable: Callable[[Recipe, Step], bool]) -> tuple[Step, ...]:
    """Return what undoes a recipe, as steps: `NAME.compensate` for each step that says how, then its procedures.

    The procedures stand under `error_handling.rollback_procedures` of the recipe, in written order.

    Args:
        recipe: the recipe.
        undoable: tells whether the recipe that a step calls says how something of it is undone.
    """
    found = []
    for step in recipe.steps:
        how = step.raw.get("compensate")
        if isinstance(how, Mapping):
            found.append(
                step_from({**how, "name": f"{step.name}.compensate"}, (*step.at, "compensate"), recipe.dialect)
            )
        elif step.kind == "sub_recipe" and undoable(recipe, step):
            name = f"{step.name}.compensate"
            # called with the same parameters; what says how the step is tried and judged is about doing it
            found.append(Step(name, step.kind, step.at, trigger=UNDO, **_call_of(step)))
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


def is_left(step: Step, outcome: Outcome, inside: Iterable[StepRecord]) -> bool:
    """Tell whether something is left of a step that is to be undone.

    | step | outcome | something is left |
    |---|---|---|
    | any | passed | yes |
    | sub-recipe that says inside how | failed or errored after a step of it passed | yes |
    | the same | undid itself | no |
    | any other | not passed | no |

    Args:
        step: what undoes it.
        outcome: how it ended.
        inside: records of the steps inside it.
    """
    if outcome is Outcome.PASSED or step.trigger != UNDO:
        return outcome is Outcome.PASSED
    records = tuple(inside)
    undid_itself = any(one.name.endswith(".compensate") for one in records)
    return any(one.outcome is not Outcome.SKIPPED for one in records) and not undid_itself


def _call_of(step: Step) -> dict[str, Any]:
    return {"recipe_path": step.recipe_path, "arguments": step.arguments, "arguments_key": step.arguments_key}


def _handling(recipe: Recipe) -> Mapping[str, Any]:
    handling = recipe.document.get(("error_handling",))
    return handling if isinstance(handling, Mapping) else {}
