"""Running a recipe of a work tree, as a function for people who embed f0ci."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from f0ci.core.errors import InputError
from f0ci.environments.loading import load_environment
from f0ci.environments.model import Environment
from f0ci.recipes.records import RunRecord
from f0ci.runner import planning
from f0ci.runner.context import Context
from f0ci.runner.executing import load_checked, run_recipe
from f0ci.runner.options import RunOptions
from f0ci.runner.planning import RunPlan
from f0ci.source.project import Project, load_project
from f0ci.source.tree import DirectoryTree, resolve_path


def run(
    root: Path,
    recipe: str,
    environment: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    *,
    context: Context | None = None,
    options: RunOptions | None = None,
    on_event: Callable[[Any], None] | None = None,
) -> RunRecord:
    """Run a recipe of a work tree to its end.

    Args:
        root: the work tree.
        recipe: file of the recipe, relative to the root.
        environment: any name of an environment; None where the recipe needs no configuration.
        parameters: values by name.
        context: values to start with, and to read afterwards.
        options: how the run differs from what the recipe says.
        on_event: is told what happens.

    Raises:
        F0ciError: see `f0ci.runner.executing.run_recipe`.
    """
    tree = DirectoryTree(root)
    project = load_project(tree)
    return run_recipe(
        recipe,
        tree_root=root,
        project=project,
        environment=_environment(tree, project, environment),
        parameters=parameters or {},
        context=context,
        options=options,
        on_event=on_event,
    )


def plan_run(
    root: Path,
    recipe: str,
    environment: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    options: RunOptions | None = None,
) -> RunPlan:
    """Return what a run would do, running nothing.

    Raises:
        F0ciError: as `run`.
    """
    tree = DirectoryTree(root)
    project = load_project(tree)
    return planning.plan_run(
        recipe,
        tree_root=root,
        project=project,
        environment=_environment(tree, project, environment),
        parameters=parameters or {},
        options=options,
    )


def read_parameters(root: Path, recipe: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return parameters that somebody typed as values, each of the type that the recipe declares.

    Raises:
        InputError: the recipe cannot be read, or a text is no value of its parameter's type.
    """
    from f0ci.recipes.parameters import read_texts

    if not texts:
        return {}
    tree = DirectoryTree(root)
    return dict(read_texts(load_checked(tree, load_project(tree), recipe), texts))


def recipe_path(root: Path, base: Path, name: Path) -> str:
    """Return a path that somebody typed as the work tree names it.

    Args:
        root: the work tree.
        base: the folder it was typed in.
        name: as typed.

    Raises:
        InputError: it lies outside the work tree.
    """
    given = (base / name).resolve()
    if given.is_relative_to(root) and given.exists():
        return given.relative_to(root).as_posix()
    path = resolve_path(name.as_posix())
    if path is None:
        raise InputError(
            f"{str(name)!r} lies outside the repository {str(root)!r}", "name a recipe inside it, or use -C"
        )
    return path


def _environment(tree: DirectoryTree, project: Project, name: str | None) -> Environment | None:
    return load_environment(tree, project, name) if name is not None else None
