"""Whom somebody may send something: a step that there is, and that can use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from f0ci.core.errors import UsageError
from f0ci.core.suggestions import did_you_mean
from f0ci.recipes.composition import find_recipe, is_dynamic
from f0ci.recipes.model import Recipe, Step
from f0ci.runner.frozen import Plan, called_recipe

# types of which it is known that they ask for nothing; a type of another package may
_DEAF = frozenset({"python", "shell", "http", "sub_recipe"})
_WAITS_FOR = {"approve": "approval", "reject": "approval", "event": "event"}


def check_recipient(plan: Plan, path: str, kind: str) -> None:
    """Refuse to send to a step that will never look at it; what only the run can know is not refused.

    Args:
        plan: what the run follows.
        path: the step, inside sub-recipes `parent/child`.
        kind: `approve`, `reject` or `event`.

    Raises:
        UsageError: there is no such step, or it waits for nothing of that kind.
    """
    step = _found(plan, plan.recipe, path)
    if step is None:
        return
    waiting = sorted(_waiting(plan.recipe))
    if step.kind in _DEAF:
        raise UsageError(f"step {path!r} waits for nothing, it is of the type {step.kind!r}", _those(waiting))
    wanted = _WAITS_FOR[kind]
    if step.kind == "wait" and wanted not in step.arguments:
        other = next((name for name in _WAITS_FOR.values() if name in step.arguments), "time")
        hint = {"approval": "--approve or --reject", "event": f"--event {step.arguments.get('event')}"}.get(other)
        raise UsageError(
            f"step {path!r} waits for no {wanted}, it waits for {'an' if other != 'time' else 'a'} {other}",
            f"send it with {hint}" if hint else "it goes on by itself, `f0ci runs cancel` ends the run",
        )


def _found(plan: Plan, recipe: Recipe, path: str) -> Step | None:
    """Return a step by its path, or None where only the run knows it.

    Raises:
        UsageError: there is none.
    """
    step = recipe.step(path)
    if step is None and "/" in path:
        name, _, rest = path.partition("/")
        parent = recipe.step(name)
        if parent is not None and parent.recipe_path is not None:
            if is_dynamic(parent.recipe_path):
                return None
            called = called_recipe(plan, find_recipe(plan.tree, parent.recipe_path, recipe.path))
            return _found(plan, called, rest)
    if step is None:
        if ".compensate" in path:
            # what undoes is made when something failed
            return None
        known = [one.name for one in recipe.steps]
        raise UsageError(
            f"{recipe.path} has no step {path!r}", did_you_mean(path, sorted(_waiting(recipe)) or known, noun="steps")
        )
    handling = step.raw.get("error_handling")
    # what is tried instead of a step has its name
    return None if isinstance(handling, Mapping) and "fallback_action" in handling else step


def _waiting(recipe: Recipe) -> Iterator[str]:
    return (step.name for step in recipe.steps if step.kind not in _DEAF)


def _those(names: list[str]) -> str | None:
    return f"steps that wait: {', '.join(names)}" if names else None
