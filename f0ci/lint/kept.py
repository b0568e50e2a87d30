"""Recipes that others refer to: what callers ask of them stays in memory, the rest is made or read when asked for.

A repository of ten thousand recipes has a thousand that are called. Their parameters are asked for at every call, their
steps and text next to never.
"""

from __future__ import annotations

from collections.abc import Callable

from f0ci.lint.source import Source
from f0ci.recipes.model import Recipe, Step
from f0ci.recipes.reading import heading_from, steps_from
from f0ci.source.document import Document

_AGAIN = frozenset({"steps", "document"})
_IN_MEMORY = tuple(name for name in Recipe.__slots__ if name not in _AGAIN)


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
    """A recipe without its steps and its document."""

    __slots__ = ("_again",)
    _again: Callable[[], Recipe]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its steps, read again."""
        return self._again().steps

    @property
    def document(self) -> Document:
        """Its document, read again."""
        return self._again().document


class KeptSource(Source):
    """A file without its document."""

    __slots__ = ("_again",)
    _again: Callable[[], Source]

    @property
    def document(self) -> Document:
        """Its document, read again."""
        return self._again().document


def kept(source: Source | None, again: Callable[[], Source]) -> Source | None:
    """Return what of a file is worth keeping: all of it where it is no recipe that can be read.

    Args:
        source: the file.
        again: reads it again.
    """
    if source is None or source.recipe is None:
        return source

    def recipe_again() -> Recipe:
        recipe = again().recipe
        # the file was one a moment ago; whoever changes it meanwhile is told that it could not be examined
        assert recipe is not None  # noqa: S101
        return recipe

    recipe = object.__new__(KeptRecipe)
    for name in _IN_MEMORY:
        object.__setattr__(recipe, name, getattr(source.recipe, name))
    object.__setattr__(recipe, "_again", recipe_again)
    small = object.__new__(KeptSource)
    for name, value in (("path", source.path), ("kind", source.kind), ("recipe", recipe), ("workflow", None)):
        object.__setattr__(small, name, value)
    object.__setattr__(small, "_again", again)
    return small
