"""Recipes that call recipes: finding their files, and everything one recipe needs."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from functools import lru_cache

from f0ci.core.errors import InputError, MissingFile, OutsideTree
from f0ci.core.suggestions import closest, may_compare
from f0ci.core.values import dataclass
from f0ci.expressions.errors import ExpressionError
from f0ci.recipes.model import Recipe, Step
from f0ci.recipes.parameters import bind_parameters
from f0ci.recipes.reading import read_recipe
from f0ci.source.tree import Tree, resolve_path

__all__ = ["bind_parameters", "find_recipe", "is_dynamic", "load_closure", "sub_recipes"]

# names that are compared with a missing one, and paths that a hint lists
_MOST_NAMES = 2_000
_SHOWN = 8


def find_recipe(tree: Tree, recipe_path: str, from_recipe: str) -> str:
    """Return the file that a `recipe_path` names: below the workspace first, then beside the calling recipe.

    Args:
        tree: the workspace.
        recipe_path: as the step writes it.
        from_recipe: the calling recipe's file.

    Raises:
        InputError: the path is absolute, leaves the repository, or names no readable file.
    """
    if posixpath.isabs(recipe_path) or recipe_path.startswith(("~", "\\")) or recipe_path[1:2] == ":":
        hint = "write it relative to the repository or to this recipe"
        raise OutsideTree(f"the path {recipe_path!r} is absolute", hint)
    below = resolve_path(recipe_path)
    if below is not None and tree.exists(below):
        return below
    beside = resolve_path(recipe_path, posixpath.dirname(from_recipe))
    candidates = [path for path in (below, beside) if path is not None]
    if not candidates:
        raise OutsideTree(f"the path {recipe_path!r} leaves the repository", "keep the recipe inside the repository")
    if beside is not None and tree.exists(beside):
        return beside
    for path in candidates:
        # what exists in some broken form says best itself what is wrong with it
        try:
            tree.read(path)
        except MissingFile:
            continue
    raise InputError(f"there is no recipe {recipe_path!r}", _closest(tree, candidates, from_recipe))


def sub_recipes(recipe: Recipe) -> Iterator[tuple[Step, str]]:
    """Yield the steps that call another recipe, each with its `recipe_path` as written."""
    for step in recipe.steps:
        if step.kind == "sub_recipe" and step.recipe_path is not None:
            yield step, step.recipe_path


def is_dynamic(recipe_path: str) -> bool:
    """Tell whether a `recipe_path` holds an expression, so that only a run knows the file.

    Raises:
        ExpressionError: the expression is not in the language.
    """
    if "{" not in recipe_path:
        return False
    from f0ci.expressions.parsing import parse

    return not parse(recipe_path).is_plain


def load_closure(tree: Tree, path: str) -> dict[str, Recipe]:
    """Return a recipe and every recipe it calls, directly or through others, by file; the recipe itself first.

    Paths that hold expressions cannot be followed and are left out.

    Raises:
        InputError: a file is missing or not a recipe, or recipes call each other in a circle.
    """
    found: dict[str, Recipe] = {}
    # the files on the way down, each with the calls that are still to be followed
    way: list[tuple[str, Iterator[tuple[Step, str]]]] = []

    def enter(name: str) -> None:
        found[name] = read_recipe(tree, name)
        way.append((name, sub_recipes(found[name])))

    enter(path)
    while way:
        name, calls = way[-1]
        call = next(calls, None)
        if call is None:
            way.pop()
            continue
        called = _called(tree, found[name], *call)
        if called is None:
            continue
        names = [entered for entered, _ in way]
        if called in names:
            circle = " -> ".join([*names[names.index(called) :], called])
            hint = "a recipe cannot call itself, directly or through others"
            raise InputError(f"recipes call each other in a circle: {circle}", hint, place=_place(found[name], call[0]))
        if called not in found:
            enter(called)
    return found


def _called(tree: Tree, recipe: Recipe, step: Step, recipe_path: str) -> str | None:
    try:
        return None if is_dynamic(recipe_path) else find_recipe(tree, recipe_path, recipe.path)
    except ExpressionError as error:
        raise InputError(f"step {step.name!r}: {error.message}", error.hint, place=_place(recipe, step)) from error
    except InputError as error:
        raise InputError(f"step {step.name!r}: {error.message}", error.hint, place=_place(recipe, step)) from error


def _place(recipe: Recipe, step: Step) -> str:
    return str(recipe.document.location((*step.at, "recipe_path")))


def _closest(tree: Tree, candidates: list[str], caller: str) -> str | None:
    known = tuple(tree.files())
    if not may_compare("", known):
        return None
    index = _index(known)
    wanted = posixpath.basename(candidates[0])
    # no recipe calls itself
    same_name = sorted(path for path in index.by_name.get(wanted, ()) if path != caller)
    if same_name:
        return f"did you mean {same_name[0]!r}?"
    # folders that two paths share say nothing of how close they are: names are compared, those beside it first
    folders = {posixpath.dirname(candidate) for candidate in candidates}
    neighbours = [path for folder in folders for path in index.by_folder.get(folder, ()) if path != caller]
    recipes = [path for path in index.recipes if path != caller]
    for paths in (neighbours, recipes if len(recipes) <= _MOST_NAMES else []):
        by_name = {_stem(path): path for path in sorted(paths, reverse=True)}
        near = closest(_stem(wanted), by_name)
        if near is not None:
            return f"did you mean {by_name[near]!r}?"
    shown = sorted(neighbours or recipes)
    return f"recipes: {', '.join(shown[:_SHOWN])}{', ...' if len(shown) > _SHOWN else ''}" if shown else None


@dataclass(frozen=True, slots=True)
class _Index:
    """Files that may be recipes: all of them, by name, and by folder."""

    recipes: tuple[str, ...]
    by_name: Mapping[str, list[str]]
    by_folder: Mapping[str, list[str]]


# where a folder was moved, all its callers ask
@lru_cache(maxsize=1)
def _index(files: tuple[str, ...]) -> _Index:
    recipes = tuple(path for path in files if path.endswith((".yaml", ".yml", ".json")))
    by_name: dict[str, list[str]] = {}
    by_folder: dict[str, list[str]] = {}
    for path in recipes:
        folder, _, name = path.rpartition("/")
        by_name.setdefault(name, []).append(path)
        by_folder.setdefault(folder, []).append(path)
    return _Index(recipes, by_name, by_folder)


def _stem(path: str) -> str:
    """Return a file's name without folders and suffix; quicker than pathlib, which thousands of paths would feel."""
    name = path[path.rfind("/") + 1 :]
    return name.rpartition(".")[0] or name
