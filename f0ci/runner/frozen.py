"""What a run follows, frozen when it is started: later edits of files change nothing for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci.core.canonical import canonical_json, sha256_hex
from f0ci.core.errors import InputError, MissingFile
from f0ci.environments.secrets import SCHEME
from f0ci.recipes.composition import is_dynamic, load_closure, sub_recipes
from f0ci.recipes.graph import StepGraph, order
from f0ci.recipes.model import Recipe
from f0ci.recipes.reading import read_recipe
from f0ci.runner.kinds import check_kinds
from f0ci.source.project import Project
from f0ci.source.reading import Path as Place
from f0ci.source.tree import DirectoryTree, Tree, resolve_path

if TYPE_CHECKING:
    from f0ci.environments.model import Environment

VERSION = 1
# a text without any of them is its own value
_MARKS = ("#{", "{{", SCHEME)
_SUFFIXES = (".yaml", ".yml", ".json")


class FrozenTree:
    """The files of recipes as they were.

    Args:
        files: text by path.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            MissingFile: the run was started without such a file.
        """
        try:
            return self._files[path].encode()
        except KeyError:
            raise MissingFile(f"there was no recipe {path!r} when the run was started", "start a new run") from None

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return path in self._files

    def files(self, prefix: str = "") -> Iterator[str]:
        """Yield the paths of all files below a folder, sorted."""
        return (path for path in sorted(self._files) if path.startswith(prefix))


class _KeepingTree:
    """A folder that remembers what was read of it."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.kept: dict[str, str] = {}

    def read(self, path: str) -> bytes:
        content = self._tree.read(path)
        self.kept[path] = content.decode("utf-8", "replace")
        return content

    def exists(self, path: str) -> bool:
        return self._tree.exists(path)

    def files(self, prefix: str = "") -> Iterator[str]:
        return self._tree.files(prefix)


@dataclass(frozen=True)
class Plan:
    """What a run follows.

    Attributes:
        root: the repository, where scriptlets are and steps start.
        recipe: the recipe.
        recipes: by file, itself and every recipe it calls by a fixed path.
        files: texts of the recipes by path.
        environment: where it runs, or None.
        providers: what is asked for secrets, in order; empty for the default.
    """

    root: Path
    recipe: Recipe
    recipes: Mapping[str, Recipe]
    files: Mapping[str, str]
    environment: Environment | None = None
    providers: tuple[Mapping[str, Any], ...] = ()
    tree: FrozenTree = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", FrozenTree(self.files))

    @cached_property
    def _graphs(self) -> dict[str, StepGraph]:
        return {}

    def graph(self, recipe: Recipe) -> StepGraph:
        """Return which step of a recipe of this plan waits for which."""
        if recipe.path not in self._graphs:
            self._graphs[recipe.path] = order(recipe)
        return self._graphs[recipe.path]

    @cached_property
    def _literal(self) -> dict[tuple[str, Place, str], bool]:
        return {}

    def is_literal(self, recipe: Recipe, at: Place, key: str, data: Any) -> bool:
        """Tell whether what a step says under a key is its value: no expression, no secret."""
        place = (recipe.path, at, key)
        if place not in self._literal:
            self._literal[place] = _is_literal(data)
        return self._literal[place]

    @cached_property
    def document(self) -> str:
        """Return the plan as one text."""
        environment = self.environment
        data = {
            "version": VERSION,
            "recipe": self.recipe.path,
            "files": dict(self.files),
            "secrets": [dict(one) for one in self.providers],
            "environment": environment
            and {"name": environment.name, "folder": environment.folder, "config": environment.config},
        }
        return canonical_json(data).decode()

    @cached_property
    def digest(self) -> str:
        """Return what identifies the plan: the same files and configuration have the same."""
        return sha256_hex(self.document.encode())


def freeze(root: Path, project: Project, recipe_path: str, environment: Environment | None) -> Plan:
    """Return the plan of a recipe that can be started: all recipes it needs can be read and ordered.

    Args:
        root: folder that holds recipes and scriptlets.
        project: its folders of recipes are searched where the path itself is no file.
        recipe_path: the recipe's file, with or without its suffix.
        environment: where it runs, or None.

    Raises:
        InputError: one of the recipes cannot be read or ordered.
    """
    tree = _KeepingTree(DirectoryTree(root))
    recipe, closure = checked(tree, project, recipe_path)
    if any(is_dynamic(path) for called in closure.values() for _, path in sub_recipes(called)):
        # only the run knows which, so every recipe is kept
        for folder in project.recipes:
            for path in tree.files(folder):
                if path.endswith(_SUFFIXES):
                    tree.read(path)
    return Plan(root.resolve(), recipe, closure, tree.kept, environment, project.secrets)


def thaw(document: Mapping[str, Any], root: Path) -> Plan:
    """Return the plan that a journal holds.

    Raises:
        InputError: it cannot be used.
    """
    if document["version"] > VERSION:
        raise InputError("the run was started by a newer f0ci", "use that one to take it further")
    files, said = document["files"], document["environment"]
    closure = load_closure(FrozenTree(files), document["recipe"])
    environment = None
    if said:
        from f0ci.environments.model import Environment

        environment = Environment(said["name"], said["folder"], said["config"])
    return Plan(root, closure[document["recipe"]], closure, files, environment, tuple(document["secrets"]))


def checked(tree: Tree, project: Project, recipe_path: str) -> tuple[Recipe, dict[str, Recipe]]:
    """Return a recipe that can be started, and every recipe it calls by a fixed path.

    Raises:
        InputError: one of the recipes cannot be read or ordered.
    """
    file = _find(tree, project, recipe_path)
    closure = load_closure(tree, file)
    for recipe in closure.values():
        check_kinds(recipe)
        order(recipe)
    return closure[file], closure


def called_recipe(plan: Plan, path: str) -> Recipe:
    """Return a recipe that a step calls."""
    return plan.recipes.get(path) or read_recipe(plan.tree, path)


def _is_literal(data: Any) -> bool:
    if isinstance(data, str):
        return not any(mark in data for mark in _MARKS)
    if isinstance(data, Mapping | list | tuple):
        return all(_is_literal(item) for item in (data.values() if isinstance(data, Mapping) else data))
    return True


def _find(tree: Tree, project: Project, recipe_path: str) -> str:
    here = resolve_path(recipe_path)
    if here is None:
        raise InputError(
            f"the path {recipe_path!r} leaves the repository", "write it relative to the repository's root"
        )
    places = [here, *(path for folder in project.recipes if (path := resolve_path(recipe_path, folder)) is not None)]
    names = (f"{place}{suffix}" for place in places for suffix in ("", ".yaml", ".yml"))
    return next((name for name in names if tree.exists(name)), here)
