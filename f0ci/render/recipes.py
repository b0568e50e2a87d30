"""Which recipes a tree is rendered with: those of the project, or those that some need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from f0ci.core.errors import InputError
from f0ci.recipes.model import Recipe
from f0ci.recipes.reading import looks_like_recipe, read_recipe, recipe_from
from f0ci.source.document import read_document
from f0ci.source.project import Project
from f0ci.source.tree import Tree


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
