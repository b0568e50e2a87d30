"""Recipes that others refer to: what callers ask of them stays in memory, the rest is read when asked for.

A repository of ten thousand recipes has a thousand that are called. Their parameters are asked for at every call, their
steps and text next to never. What every caller may ask without reading the file is its interface: one text of bytes,
which goes from process to process, and whose digest tells whether callers have to be examined again.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from f0ci.core.patterns import pattern
from f0ci.lint.source import Kind, Source
from f0ci.recipes.model import Dialect, Parameter, Recipe, Step
from f0ci.recipes.reading import heading_from, steps_from
from f0ci.source.document import Document

_AGAIN = frozenset({"steps", "document"})
_HEADING = tuple(name for name in Recipe.__slots__ if name not in _AGAIN and not name.startswith("_"))
_KEPT = (*_HEADING, "may_call")
_heading_of = attrgetter(*_HEADING)
_parameter_of = attrgetter(*Parameter.__slots__)
# later versions write the same values in different ways, by who else holds them
_MARSHAL = 2
# where YAML may say again by a name what it said before
_ALIAS = pattern(rb"[\s\[{,:?-]\*[^\s*]")


class CalledRecipe(Recipe):
    """A recipe whose steps are made when somebody asks for them."""

    __slots__ = ("_made",)
    _made: tuple[Step, ...] | None

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its steps."""
        made = self._made
        if made is None:
            made = steps_from(self.document)
            object.__setattr__(self, "_made", made)
        return made


def called_recipe_from(document: Document) -> Recipe:
    """Return the recipe that a document holds, for one who calls it; the document must look like one."""
    recipe = object.__new__(CalledRecipe)
    for name, value in {**heading_from(document), "_declared": {}, "_named": {}, "_made": None}.items():
        object.__setattr__(recipe, name, value)
    return recipe


class KeptRecipe(Recipe):
    """A recipe of which only the interface is in memory.

    Attributes:
        may_call: False where it certainly calls no other recipe.
    """

    __slots__ = ("_again", "may_call")
    _again: Callable[[], Recipe]
    may_call: bool

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its steps, read again."""
        return self._again().steps

    @property
    def document(self) -> Document:
        """Its document, read again."""
        return self._again().document

    def step(self, name: str) -> Step | None:
        """Return the step of that name; whoever asks reads the file."""
        return self._again().step(name)


class KeptSource(Source):
    """A file without its document."""

    __slots__ = ("_again",)
    _again: Callable[[], Source]

    @property
    def document(self) -> Document:
        """Its document, read again."""
        return self._again().document


def may_call(recipe: Recipe) -> bool:
    """Tell whether a recipe may call another: next to none of those that somebody calls do."""
    if isinstance(recipe, KeptRecipe):
        return recipe.may_call
    steps = recipe.document.get(("steps",))
    return isinstance(steps, list) and any("recipe_path" in step for step in steps if isinstance(step, dict))


def interface_of(source: Source | None) -> bytes | None:
    """Return what its callers may ask of a recipe without reading it, the same bytes for the same answers.

    Returns:
        The interface; None where the file is no recipe that can be read, or may be much longer than it is written.
    """
    if source is None or source.recipe is None or _may_repeat(source.document.raw):
        return None
    heading = _heading(source.recipe)
    heading["dialect"] = heading["dialect"].value
    heading["parameters"] = list(map(_parameter_of, heading["parameters"]))
    # values are those of JSON, and no deeper than what reads them lets them be
    return marshal.dumps(list(heading.values()), _MARSHAL)


def kept(source: Source | None, again: Callable[[], Source]) -> Source | None:
    """Return what of a file is worth keeping: all of it where it is no recipe that can be read.

    Args:
        source: the file.
        again: reads it again.
    """
    return source if source is None or source.recipe is None else _kept(_heading(source.recipe), again)


def kept_from(interface: bytes, again: Callable[[], Source]) -> Source:
    """Return the file of a recipe of which somebody else told the interface.

    Args:
        interface: of `interface_of`; what comes from outside the program is never read so.
        again: reads the file.
    """
    heading = dict(zip(_KEPT, marshal.loads(interface), strict=True))  # noqa: S302
    heading["dialect"] = Dialect(heading["dialect"])
    heading["parameters"] = tuple([Parameter(*one) for one in heading["parameters"]])
    return _kept(heading, again)


def _heading(recipe: Recipe) -> dict[str, Any]:
    return dict(zip(_KEPT, (*_heading_of(recipe), may_call(recipe)), strict=True))


def _kept(heading: dict[str, Any], again: Callable[[], Source]) -> Source:
    def recipe_again() -> Recipe:
        recipe = again().recipe
        # the file was one a moment ago; whoever changes it meanwhile is told that it could not be examined
        assert recipe is not None  # noqa: S101
        return recipe

    recipe = object.__new__(KeptRecipe)
    for name, value in {**heading, "_declared": {}, "_named": {}, "_again": recipe_again}.items():
        object.__setattr__(recipe, name, value)
    small = object.__new__(KeptSource)
    fields = {"path": recipe.path, "kind": Kind.RECIPE, "recipe": recipe, "workflow": None, "_again": again}
    for name, value in fields.items():
        object.__setattr__(small, name, value)
    return small


def _may_repeat(raw: bytes) -> bool:
    """Tell whether values may stand for longer ones: written out, they would be as long as nobody can foresee."""
    return b"&" in raw and _ALIAS.search(raw) is not None
