"""Recipes as one environment gets them: what is known before a run is written out, the rest stays as written."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from f0ci.core.errors import InputError
from f0ci.expressions.errors import ExpressionError
from f0ci.recipes.model import Dialect, Recipe
from f0ci.recipes.reading import looks_like_recipe, read_recipe, recipe_from
from f0ci.render.emitting import emit_yaml
from f0ci.render.layout import RenderedFile, recipe_output
from f0ci.source.document import read_document
from f0ci.source.project import Project
from f0ci.source.reading import Path
from f0ci.source.tree import Tree, resolve_path

_RUN_ROOTS = frozenset({"context", "steps", "params", "error"})
# commands go to the shell as they are written; their braces may be the shell's
_NOT_EVALUATED = frozenset({"run", "command"})
_EVALUATED_SECTIONS = ("steps", "execution")


def find_recipes(tree: Tree, project: Project, roots: Sequence[str] | None = None) -> dict[str, Recipe]:
    """Return the recipes that a tree is rendered with, by file: those of the project, or those that roots need.

    Args:
        tree: the workspace's files.
        project: its settings.
        roots: files of recipes; None for every recipe in the project's recipe folders.

    Raises:
        InputError: a recipe cannot be read, or one that it calls is missing.
    """
    found: dict[str, Recipe] = {}
    waiting = [read_recipe(tree, path) for path in roots] if roots is not None else [*_of_project(tree, project)]
    while waiting:
        recipe = waiting.pop()
        if recipe.path not in found:
            found[recipe.path] = recipe
            waiting.extend(read_recipe(tree, path) for path in _called(tree, recipe) if path not in found)
    return dict(sorted(found.items()))


def _of_project(tree: Tree, project: Project) -> Iterator[Recipe]:
    paths = {
        path
        for folder in project.recipes
        for path in ((folder,) if tree.exists(folder) else tree.files(folder))
        if path.endswith((".yaml", ".yml"))
    }
    for path in sorted(paths):
        document = read_document(tree, path)
        if looks_like_recipe(document.require()):
            yield recipe_from(document)


def _called(tree: Tree, recipe: Recipe) -> Iterator[str]:
    from f0ci.recipes.composition import find_recipe, is_dynamic, sub_recipes

    for step, written in sub_recipes(recipe):
        try:
            if not is_dynamic(written):
                yield find_recipe(tree, written, recipe.path)
        except InputError as error:
            place = str(recipe.document.location((*step.at, "recipe_path")))
            raise InputError(f"step {step.name!r}: {error.message}", error.hint, place=place) from error


def render_recipe(tree: Tree, recipe: Recipe, scope: Mapping[str, Any], recipes: Mapping[str, Recipe]) -> RenderedFile:
    """Return a recipe with everything resolved that `scope` knows.

    Args:
        tree: the workspace, in which sub-recipes are looked for.
        recipe: the recipe.
        scope: the static names: `config`, `environment`, and where they are known `release` and `params`.
        recipes: all recipes of the rendered tree, so that those that move are still found.

    Raises:
        InputError: an expression cannot be evaluated; carries its place.
    """
    known = _Known(recipe, scope)
    data = dict(recipe.document.data)
    for key in _EVALUATED_SECTIONS:
        if key == "steps" and isinstance(data.get(key), list):
            data[key] = [known.step(step, (key, index)) for index, step in enumerate(data[key])]
            data[key] = [_relocated(tree, recipe, step, recipes) for step in data[key]]
        elif key in data:
            data[key] = known.resolve(data[key], (key,))
    return RenderedFile(recipe_output(recipe.path), emit_yaml(data).encode(), recipe.path)


class _Known:
    """What of one recipe is known before it runs."""

    def __init__(self, recipe: Recipe, scope: Mapping[str, Any]) -> None:
        self.recipe = recipe
        self.scope = scope
        self.unknown = _RUN_ROOTS - scope.keys() | ({"release"} - scope.keys())

    def step(self, step: Any, at: Path) -> Any:
        if not isinstance(step, Mapping):
            return step
        return {
            key: self._condition(value, (*at, key))
            if key == "condition"
            else value
            if key in _NOT_EVALUATED
            else self.resolve(value, (*at, key))
            for key, value in step.items()
        }

    def resolve(self, value: Any, at: Path) -> Any:
        from f0ci.expressions.evaluation import resolve_static

        try:
            return resolve_static(value, self.scope, dynamic_roots=self._dynamic(value))
        except ExpressionError as error:
            raise self._blame(error, (*at, *error.at)) from error

    def _condition(self, value: Any, at: Path) -> Any:
        from f0ci.expressions.evaluation import evaluate_condition
        from f0ci.expressions.parsing import parse_condition

        if not isinstance(value, str):
            return value
        try:
            condition = parse_condition(value)
            if self._dynamic(condition) & _roots(condition):
                return value
            return evaluate_condition(value, self.scope)
        except ExpressionError as error:
            raise self._blame(error, at) from error

    def _dynamic(self, value: Any) -> frozenset[str]:
        if self.recipe.dialect is not Dialect.TEMPLATE:
            return self.unknown
        # this dialect names its parameters without `params.`
        return self.unknown | (_roots(value) - self.scope.keys())

    def _blame(self, error: ExpressionError, at: Path) -> InputError:
        return InputError(error.message, error.hint, place=str(self.recipe.document.location(at)))


def _roots(value: Any) -> frozenset[str]:
    from f0ci.expressions.parsing import references

    return frozenset(reference.root for reference in references(value))


def _relocated(tree: Tree, recipe: Recipe, step: Any, recipes: Mapping[str, Recipe]) -> Any:
    """Return a step whose `recipe_path` names the called recipe where the rendered tree has it."""
    from f0ci.recipes.composition import find_recipe, is_dynamic

    written = step.get("recipe_path") if isinstance(step, Mapping) else None
    if not isinstance(written, str) or is_dynamic(written):
        return step
    called = find_recipe(tree, written, recipe.path)
    if called not in recipes:
        return step
    meant = recipe_output(called)
    outputs = {recipe_output(path) for path in recipes}
    beside = posixpath.dirname(recipe_output(recipe.path))
    reached = (path for path in (resolve_path(written), resolve_path(written, beside)) if path in outputs)
    return step if next(reached, None) == meant else {**step, "recipe_path": meant}
