"""What a run would do, without doing it: `--dry-run`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci.core.errors import InputError
from f0ci.core.redaction import Redactor
from f0ci.expressions.errors import ExpressionError
from f0ci.recipes.composition import bind_parameters, find_recipe, is_dynamic
from f0ci.recipes.graph import ON_ERROR, order
from f0ci.recipes.model import Dialect, Recipe, Step
from f0ci.recipes.parameters import check_parameters, default_of
from f0ci.recipes.reading import read_recipe
from f0ci.runner.frozen import checked
from f0ci.runner.options import RunOptions, check_options, left_out
from f0ci.runner.secret_values import hide_sensitive
from f0ci.runner.session import names_around, names_in_scope
from f0ci.source.project import Project
from f0ci.source.tree import DirectoryTree, Tree

if TYPE_CHECKING:
    from f0ci.environments.model import Environment

# what only a run knows
_DYNAMIC = frozenset({"context", "steps", "error"})


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """What would become of one step.

    Attributes:
        name: the step.
        kind: its type.
        runs: True, False, or None where only the run itself can tell.
        reason: why it does not run, or what decides; empty where it runs in any case.
        stage: steps of one stage can run side by side, counted from 1; 0 where it has no place in the order.
        after: steps it waits for.
        action: what it does: `module:function`, the command, the recipe's file, the address, or what it waits for.
        arguments: with every expression replaced that is known before the run.
        steps: the steps of a sub-recipe.
    """

    name: str
    kind: str
    runs: bool | None
    reason: str
    stage: int
    after: tuple[str, ...]
    action: str
    arguments: Mapping[str, Any]
    steps: tuple[PlannedStep, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the step as plain JSON data."""
        return {
            "name": self.name,
            "kind": self.kind,
            "runs": self.runs,
            "reason": self.reason,
            "stage": self.stage,
            "after": list(self.after),
            "action": self.action,
            "arguments": dict(self.arguments),
            "steps": [step.to_json() for step in self.steps],
        }


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run would do.

    Attributes:
        recipe: the recipe's file.
        environment: name of the environment, or None.
        parameters: as bound, redacted.
        steps: stage by stage, those that answer a failure last.
    """

    recipe: str
    environment: str | None
    parameters: Mapping[str, Any]
    steps: tuple[PlannedStep, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON data."""
        return {
            "version": 1,
            "recipe": self.recipe,
            "environment": self.environment,
            "parameters": dict(self.parameters),
            "steps": [step.to_json() for step in self.steps],
        }


def plan_run(
    recipe_path: str,
    *,
    tree_root: Path,
    project: Project,
    environment: Environment | None,
    parameters: Mapping[str, Any],
    options: RunOptions | None = None,
    redactor: Redactor | None = None,
) -> RunPlan:
    """Return what `run_recipe` would do with the same arguments; nothing is imported or started.

    Raises:
        UsageError: the options name an unknown step.
        InputError: a recipe cannot be read, parameters do not fit, or an expression that is known before the run has
            no value.
    """
    tree = DirectoryTree(tree_root)
    recipe, _ = checked(tree, project, recipe_path)
    options, redactor = options or RunOptions(), redactor or Redactor()
    params = bind_parameters(recipe, parameters, names_around(environment, options))
    check_options(options, recipe)
    hide_sensitive(recipe, params, redactor)
    scope = _Scope(tree, environment, options, redactor)
    steps = _steps(scope, recipe, params, _DYNAMIC, left_out(options, recipe.steps, order(recipe)))
    return RunPlan(recipe.path, environment.name if environment else None, redactor.data(params), steps)


@dataclass(frozen=True, slots=True)
class _Scope:
    tree: Tree
    environment: Environment | None
    options: RunOptions
    redactor: Redactor


def _steps(
    scope: _Scope,
    recipe: Recipe,
    params: Mapping[str, Any],
    dynamic: frozenset[str],
    absent: Mapping[str, str],
) -> tuple[PlannedStep, ...]:
    graph = order(recipe)
    stages = {name: index for index, batch in enumerate(graph.batches(), start=1) for name in batch}
    names = names_in_scope(recipe, params, scope.environment, scope.options)
    planned = []
    for step in sorted(recipe.steps, key=lambda step: stages.get(step.name, len(recipe.steps) + 1)):
        runs, reason = _whether(recipe, step, names, dynamic, absent.get(step.name))
        arguments = {} if runs is False else _known(recipe, step, names, dynamic)
        inner = () if runs is False else _inner(scope, recipe, step, arguments, dynamic)
        planned.append(
            PlannedStep(
                name=step.name,
                kind=step.kind,
                runs=runs,
                reason=reason,
                stage=stages.get(step.name, 0),
                after=graph.predecessors.get(step.name, ()),
                action=_action(step),
                arguments=scope.redactor.data(arguments),
                steps=inner,
            )
        )
    return tuple(planned)


def _whether(
    recipe: Recipe, step: Step, names: Mapping[str, Any], dynamic: frozenset[str], absent: str | None
) -> tuple[bool | None, str]:
    from f0ci.expressions.evaluation import evaluate_condition
    from f0ci.expressions.parsing import parse_condition

    if absent is not None:
        return False, absent
    if isinstance(step.condition, str):
        try:
            used = parse_condition(step.condition).expressions[0].references
            if any(reference.root in dynamic for reference in used):
                return None, f"if {step.condition}"
            holds = evaluate_condition(step.condition, names)
        except ExpressionError as error:
            raise _blame(recipe, step, "condition", error) from error
    else:
        holds = step.condition is not False
    if not holds:
        return False, "its condition is false"
    return (None, "only after a failure") if step.trigger == ON_ERROR else (True, "")


def _known(recipe: Recipe, step: Step, names: Mapping[str, Any], dynamic: frozenset[str]) -> dict[str, Any]:
    from f0ci.expressions.evaluation import resolve_static

    try:
        values: dict[str, Any] = resolve_static(step.arguments, names, dynamic_roots=dynamic)
    except ExpressionError as error:
        raise _blame(recipe, step, step.arguments_key, error) from error
    return values


def _inner(
    scope: _Scope,
    recipe: Recipe,
    step: Step,
    arguments: Mapping[str, Any],
    dynamic: frozenset[str],
) -> tuple[PlannedStep, ...]:
    from f0ci.expressions.parsing import texts

    if step.kind != "sub_recipe" or step.recipe_path is None or is_dynamic(step.recipe_path):
        return ()
    called = read_recipe(scope.tree, find_recipe(scope.tree, step.recipe_path, recipe.path))
    for problem in check_parameters(called, arguments, unevaluated=True):
        place = recipe.document.location((*step.at, step.arguments_key))
        raise InputError(problem.message, problem.hint, place=str(place))
    around = names_around(scope.environment, scope.options)
    left = (parameter for parameter in called.parameters if parameter.name not in arguments)
    params = {parameter.name: default_of(called, parameter, around) for parameter in left} | dict(arguments)
    if next(texts(arguments), None) is not None:
        # a value that only the run knows makes all of them unknown: expressions name them together
        dynamic |= {"params"} | (set(params) if called.dialect is Dialect.TEMPLATE else set())
    return _steps(scope, called, params, dynamic, {})


def _action(step: Step) -> str:
    if step.module is not None:
        return f"{step.module}:{step.function or ''}"
    if step.kind == "http":
        return f"{step.arguments.get('method', '')} {step.arguments.get('url', '')}".strip()
    if step.kind == "wait":
        from f0ci.runner.steps.wait import as_written

        return as_written(step.arguments)
    return step.run or step.recipe_path or ""


def _blame(recipe: Recipe, step: Step, key: str, error: ExpressionError) -> InputError:
    place = recipe.document.location((*step.at, key, *error.at))
    return InputError(error.message, error.hint, place=str(place))
