"""Parameters whose values rendering knows: those that have a default, and that no other recipe of the tree gives.

They are written out in a rendered recipe, which declares them as `fixed`. What a caller gives, what has no default and
what is `sensitive` stays as written: only a run knows it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from f0ci.recipes.model import Parameter, Recipe
from f0ci.recipes.parameters import asked_by, default_of, is_asking
from f0ci.source.reading import Path

# stands for every recipe, and for every parameter of one
ANY = "*"

# which parameters other recipes give, by the file name of the recipe that they call
Calls = Mapping[str, frozenset[str]]


def calls_of(recipes: Iterable[Recipe]) -> Calls:
    """Return which parameters recipes give to those that they call; pure."""
    found: dict[str, set[str]] = {}
    for recipe in recipes:
        # most recipes call no other
        if b"recipe_path" not in recipe.document.raw:
            continue
        for call in _calls(recipe.document.data):
            written = str(call["recipe_path"])
            name = ANY if "{" in written else posixpath.basename(written)
            given = [call.get(key) for key in ("args", "parameters")]
            names = {str(one) for values in given if isinstance(values, Mapping) for one in values}
            is_open = any(isinstance(values, str) for values in given)
            found.setdefault(name, set()).update(names | ({ANY} if is_open else set()))
    return {name: frozenset(names) for name, names in found.items()}


def _calls(data: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(data, Mapping):
        if isinstance(data.get("recipe_path"), str):
            yield data
        for value in data.values():
            yield from _calls(value)
    elif isinstance(data, list):
        for item in data:
            yield from _calls(item)


def is_called(path: str, calls: Calls) -> bool:
    """Tell whether a recipe may be called by another one; pure."""
    return ANY in calls or posixpath.basename(path) in calls


@dataclass(frozen=True, slots=True)
class Settled:
    """The parameters of one recipe whose values are known where nobody gives any.

    Attributes:
        constants: values by name.
        asking: those whose default asks for what an environment knows.
    """

    constants: Mapping[str, Any] = field(default_factory=dict)
    asking: tuple[Parameter, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Return what they are called."""
        return frozenset((*self.constants, *(parameter.name for parameter in self.asking)))

    @property
    def parts(self) -> frozenset[Path]:
        """Return the parts of `params` that they are."""
        return frozenset(("params", name) for name in self.names)

    def values(self, recipe: Recipe, scope: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return them all, by name.

        Raises:
            InputError: a default asks for what does not exist; carries its place.
        """
        if not self.asking:
            return self.constants
        return {**self.constants, **{each.name: default_of(recipe, each, scope) for each in self.asking}}


def settled_in(recipe: Recipe, calls: Calls, names: frozenset[str]) -> Settled:
    """Return the parameters of a recipe that are known where nobody gives any; pure.

    Args:
        recipe: the recipe.
        calls: what all recipes of the tree give to others.
        names: the names that expressions of the environment can ask for.

    Raises:
        InputError: the expression in a default cannot be read; carries its place.
    """
    given = calls.get(posixpath.basename(recipe.path), frozenset())
    if not recipe.parameters or ANY in calls or ANY in given:
        return Settled()
    first: dict[str, Parameter] = {}
    for parameter in recipe.parameters:
        first.setdefault(parameter.name, parameter)
    known = [each for each in first.values() if each.default is not None and each.name not in given]
    known = [each for each in known if recipe.document.get((*each.at, "sensitive")) is not True]
    constants = {each.name: each.default for each in known if not is_asking(each.default)}
    waiting = {"release"} - names
    asking = [each for each in known if is_asking(each.default)]
    return Settled(constants, tuple(one for one in asking if not waiting & {ref.root for ref in asked_by(recipe, one)}))
