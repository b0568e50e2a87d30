"""What conditions come to in each environment, as far as that is known without a run.

Parameters, the context and the outputs of steps are known only to a run: what depends on them is unknown, and `and`
and `or` have three answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from f0ci.core.values import dataclass
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Dialect, Recipe, Step

if TYPE_CHECKING:
    from f0ci.environments.model import Environment
    from f0ci.expressions.template import Template

_STATIC = frozenset({"config", "environment", "overlay"})


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a condition comes to.

    Attributes:
        by_environment: True, False, or None where only a run knows, by the environment's name, with its overlay.
        everywhere: True or False where it is that in every environment, else None.
        roots: names that the condition reads.
    """

    by_environment: Mapping[str, bool | None]
    everywhere: bool | None
    roots: frozenset[str]


def verdicts_of(recipe: Recipe, workspace: Workspace) -> Sequence[tuple[Step, Verdicts]]:
    """Return what the conditions of a recipe's steps come to, in written order; none where not all is known."""
    return workspace.once("verdicts", recipe, lambda recipe: _verdicts(recipe, workspace))


def _verdicts(recipe: Recipe, workspace: Workspace) -> Sequence[tuple[Step, Verdicts]]:
    conditional = [step for step in recipe.steps if step.condition is not None]
    members = workspace.environments_of(recipe.path) if conditional else None
    if members is None or members.faults:
        return ()
    if recipe.dialect is Dialect.TEMPLATE and any(parameter.name in _STATIC for parameter in recipe.parameters):
        # a parameter of that name hides what is known
        return ()
    # the same few conditions stand all over a repository
    known: dict[Any, Verdicts | None] = workspace.shared(f"verdicts in {members.root}", lambda _: {})
    found = []
    for step in conditional:
        condition = step.condition
        # true and 1 are one key
        key = condition if isinstance(condition, str) else ("constant", condition)
        if key not in known:
            template = workspace.uses(recipe).templates.get((*step.at, "condition"))
            known[key] = _judged(condition, template, (*members.environments, *members.overlays))
        verdicts = known[key]
        if verdicts is not None:
            found.append((step, verdicts))
    return found


def _judged(
    condition: str | bool | None, template: Template | None, environments: Sequence[Environment]
) -> Verdicts | None:
    if isinstance(condition, bool):
        return Verdicts(dict.fromkeys((each.name for each in environments), condition), condition, frozenset())
    if template is None:
        # it cannot be read
        return None
    node = template.expressions[0].node
    # a run without conditions needs no part of the language
    from f0ci.lint.condition_values import UNKNOWN, roots_of, truth, value_of

    found = {}
    for environment in environments:
        value = value_of(node, {"config": environment.config, **environment.spoken})
        found[environment.name] = None if value is UNKNOWN else truth(value)
    values = set(found.values())
    return Verdicts(found, values.pop() if len(values) == 1 else None, roots_of(node))
