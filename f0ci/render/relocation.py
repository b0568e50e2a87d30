"""Where a rendered tree has the recipes that one recipe calls."""

from __future__ import annotations

import posixpath
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from f0ci.recipes.model import Recipe
from f0ci.render.layout import recipe_output
from f0ci.source.tree import Tree, resolve_path


@dataclass(frozen=True, slots=True)
class Relocation:
    """Where a rendered tree has the recipes that one recipe calls.

    Attributes:
        tree: the workspace.
        recipe: who calls.
        recipes: files of all recipes of the rendered tree.
        outputs: where these go.
    """

    tree: Tree
    recipe: Recipe
    recipes: Container[str]
    outputs: Container[str]

    def path(self, written: Any) -> Any:
        """Return a `recipe_path` that names the called recipe where the rendered tree has it."""
        from f0ci.recipes.composition import find_recipe, is_dynamic

        if not isinstance(written, str) or is_dynamic(written):
            return written
        called = find_recipe(self.tree, written, self.recipe.path)
        if called not in self.recipes:
            return written
        meant = recipe_output(called)
        beside = posixpath.dirname(recipe_output(self.recipe.path))
        reached = (path for path in (resolve_path(written), resolve_path(written, beside)) if path in self.outputs)
        return written if next(reached, None) == meant else meant
