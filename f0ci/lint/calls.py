"""Where recipes are called: steps of type `sub_recipe`, and the deploy recipes of a workflow's environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from f0ci.core.errors import InputError
from f0ci.core.values import dataclass
from f0ci.expressions.errors import ExpressionError
from f0ci.lint.kept import may_call
from f0ci.lint.workspace import Workspace
from f0ci.recipes.composition import find_recipe, is_dynamic, sub_recipes
from f0ci.recipes.model import Recipe
from f0ci.source.document import Document
from f0ci.source.reading import Path
from f0ci.source.tree import resolve_path

if TYPE_CHECKING:
    from f0ci.workflows.model import Workflow


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a recipe by a path that is known without a run.

    Attributes:
        document: the file of the caller.
        caller: who calls, as messages say it: `step 'load'`.
        at: where the path is written.
        given: the parameters as written, unevaluated.
        given_at: where they are written, whether there are any or not.
        path: file of the called recipe; None where there is none.
        recipe: the called recipe; None where it cannot be read.
        is_broken: True where the file is reported by itself already.
        fault: why there is no file.
    """

    document: Document
    caller: str
    at: Path
    given: Mapping[str, Any]
    given_at: Path
    path: str | None = None
    recipe: Recipe | None = None
    is_broken: bool = False
    fault: InputError | None = None

    @property
    def place_of_missing(self) -> Path:
        """Where something is missing from what is given: at the parameters, else at the path."""
        return self.given_at if isinstance(self.document.get(self.given_at), dict) else self.at


def calls_of(recipe: Recipe, workspace: Workspace) -> tuple[Call, ...]:
    """Return every call of another recipe by a fixed path."""
    return workspace.once("calls", recipe, lambda recipe: tuple(_calls(recipe, workspace)))


def _calls(recipe: Recipe, workspace: Workspace) -> Iterator[Call]:
    if not may_call(recipe):
        return
    for step, written in sub_recipes(recipe):
        try:
            if is_dynamic(written):
                continue
        except ExpressionError:
            continue
        caller = f"step {step.name!r}"
        places = ((*step.at, "recipe_path"), step.arguments, (*step.at, step.arguments_key))
        try:
            path = find_recipe(workspace.tree, written, recipe.path)
        except InputError as error:
            yield Call(recipe.document, caller, *places, fault=error)
        else:
            yield _found(recipe.document, caller, places, path, workspace)


def deploys_of(workflow: Workflow, workspace: Workspace) -> Iterator[Call]:
    """Yield every deploy recipe of a workflow."""
    for environment in workflow.environments:
        deploy = environment.deploy
        if deploy is None:
            continue
        caller = f"environment {environment.name!r}"
        written_out = isinstance(workflow.document.get(deploy.at), dict)
        at = (*deploy.at, "recipe") if written_out else deploy.at
        places = (at, deploy.parameters, (*deploy.at, "parameters"))
        try:
            path = _find_deploy(deploy.recipe, workspace)
        except InputError as error:
            yield Call(workflow.document, caller, *places, fault=error)
        else:
            yield _found(workflow.document, caller, places, path, workspace)


def _found(
    document: Document, caller: str, places: tuple[Path, Mapping[str, Any], Path], path: str, workspace: Workspace
) -> Call:
    source = workspace.source(path)
    recipe = source.recipe if source else None
    is_broken = source is not None and recipe is None and source.document.broken
    return Call(document, caller, *places, path, recipe, is_broken)


def _find_deploy(written: str, workspace: Workspace) -> str:
    """Return the file that a deploy recipe's path means: the runner looks into the folders of recipes as well."""
    folders = ("", *workspace.project.recipes)
    places = [path for folder in folders if (path := resolve_path(written, folder)) is not None]
    names = (f"{place}{suffix}" for place in places for suffix in ("", ".yaml", ".yml"))
    found = next((name for name in names if workspace.tree.exists(name)), None)
    return found if found is not None else find_recipe(workspace.tree, written, "")
