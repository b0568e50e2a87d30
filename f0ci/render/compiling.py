"""Recipes as environments get them: what is known before a run is written out, the rest stays as written.

A recipe is compiled once: cut into text that is the same everywhere and gaps for what an environment answers. Rendering
it for an environment is filling the gaps.
"""

from __future__ import annotations

import posixpath
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from f0ci.core.errors import InputError
from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.filters import text_of
from f0ci.expressions.template import Template
from f0ci.recipes.model import Dialect, Recipe
from f0ci.render.emitting import Gap, InOnePieceError, emit_block, emit_value, emit_yaml, require_same
from f0ci.render.layout import RenderedFile, recipe_output
from f0ci.source.reading import Path
from f0ci.source.tree import Tree, resolve_path

_RUN_ROOTS = frozenset({"context", "steps", "params", "error"})
# commands go to the shell as they are written; their braces may be the shell's
_NOT_EVALUATED = frozenset({"run", "command"})
_EVALUATED_SECTIONS = ("steps", "execution")

# what gaps were filled with in one environment, by what they ask
Memo = dict[tuple[Any, ...], str]


class Kind(StrEnum):
    """What a gap's text is."""

    VALUE = "value"
    CONDITION = "condition"
    RECIPE_PATH = "recipe_path"


@dataclass(frozen=True, slots=True)
class Hole:
    """A text that an environment answers.

    Attributes:
        text: as written.
        kind: what it is.
        at: where it stands in the recipe.
        dynamic: names that only a run knows.
        parts: the text as literal stretches and names with fixed keys, where it is nothing else.
    """

    text: str
    kind: Kind
    at: Path
    dynamic: frozenset[str]
    parts: tuple[str | Path, ...] | None = None

    def looked_up(self, scope: Mapping[str, Any]) -> Any:
        """Return the text's value where looking up is all there is to it, else `NOT_PLAIN`; never fails."""
        if self.parts is None:
            return NOT_PLAIN
        found = [part if part.__class__ is str else _at(scope, part) for part in self.parts]
        if len(found) > 1:
            if NOT_PLAIN in found:
                return NOT_PLAIN
            found = ["".join([_text_of(part) for part in found])]
        value = found[0]
        # a value with delimiters has to be quoted
        return NOT_PLAIN if isinstance(value, str) and "{" in value else value


class _NotPlain:
    """The answer where more than looking up is needed."""


NOT_PLAIN = _NotPlain()


def _text_of(value: Any) -> str:
    # a text or a whole number, as most are, needs nobody's help
    return value if value.__class__ is str else str(value) if value.__class__ is int else text_of(value)


def _at(scope: Any, path: str | Path) -> Any:
    value = scope
    for key in path:
        if value.__class__ is not dict or key not in value:
            return NOT_PLAIN
        value = value[key]
    return value if value is None or isinstance(value, str | int | float) else NOT_PLAIN


@dataclass(slots=True)
class CompiledRecipe:
    """A recipe, ready to be rendered for many environments.

    Attributes:
        recipe: the recipe.
        data: its data, with holes.
        pieces: its YAML, with gaps; None where it has a key that cannot be written in pieces.
        reads: names that its holes ask for: `("config", "output", "formats")`, `("release",)`, ...
        moved: where the recipes that it calls are found in a rendered tree.
    """

    recipe: Recipe
    data: dict[str, Any]
    pieces: list[Any] | None
    reads: frozenset[Path]
    moved: Relocation
    _is_checked: bool = field(default=False, repr=False)

    def render(self, scope: Mapping[str, Any], memo: Memo) -> RenderedFile:
        """Return the recipe with everything resolved that `scope` knows.

        Args:
            scope: the static names: `config`, `environment`, and where they are known `release` and `params`.
            memo: what was found before in the same scope.

        Raises:
            InputError: an expression cannot be evaluated; carries its place.
        """
        return RenderedFile(recipe_output(self.recipe.path), self._yaml(scope, memo).encode(), self.recipe.path)

    def _yaml(self, scope: Mapping[str, Any], memo: Memo) -> str:
        if self.pieces is None:
            return emit_yaml(self._filled(self.data, scope))
        try:
            pieces = [piece if piece.__class__ is str else self._text(piece, scope, memo) for piece in self.pieces]
        except InOnePieceError:
            return emit_yaml(self._filled(self.data, scope))
        text = "".join(pieces)
        if not self._is_checked:
            require_same(text, self._filled(self.data, scope))
            self._is_checked = True
        return text

    def _text(self, gap: Gap, scope: Mapping[str, Any], memo: Memo) -> str:
        hole: Hole = gap.value
        key = (hole.text, hole.kind, hole.dynamic, gap.indent, gap.in_list)
        found = memo.get(key)
        if found is None:
            out: list[Any] = []
            emit_value(self._value(hole, scope), gap.indent, out, in_list=gap.in_list)
            found = "".join(out)
            # where a called recipe lies depends on who calls it
            if hole.kind is not Kind.RECIPE_PATH:
                memo[key] = found
        return found

    def _filled(self, data: Any, scope: Mapping[str, Any]) -> Any:
        if isinstance(data, Hole):
            return self._value(data, scope)
        if isinstance(data, dict):
            return {key: self._filled(value, scope) for key, value in data.items()}
        return [self._filled(item, scope) for item in data] if isinstance(data, list) else data

    def _value(self, hole: Hole, scope: Mapping[str, Any]) -> Any:
        from f0ci.expressions.evaluation import evaluate_condition, resolve_static

        plain = hole.looked_up(scope)
        if plain is not NOT_PLAIN:
            return plain
        try:
            if hole.kind is Kind.CONDITION:
                return evaluate_condition(hole.text, scope)
            value = resolve_static(hole.text, scope, dynamic_roots=hole.dynamic)
        except ExpressionError as error:
            place = str(self.recipe.document.location((*hole.at, *error.at)))
            raise InputError(error.message, error.hint, place=place) from error
        return self.moved.path(value) if hole.kind is Kind.RECIPE_PATH else value


def compile_recipe(
    tree: Tree, recipe: Recipe, names: frozenset[str], recipes: Container[str], outputs: Container[str]
) -> CompiledRecipe:
    """Return a recipe that can be rendered for every environment.

    Args:
        tree: the workspace, in which sub-recipes are looked for.
        recipe: the recipe.
        names: the static names that every scope will have.
        recipes: files of all recipes of the rendered tree, so that those that move are still found.
        outputs: where these go.

    Raises:
        InputError: an expression cannot be read; carries its place.
    """
    moved = Relocation(tree, recipe, recipes, outputs)
    digging = _Digging(recipe, names, moved)
    data = dict(recipe.document.data)
    for key in _EVALUATED_SECTIONS:
        if key == "steps" and isinstance(data.get(key), list):
            data[key] = [digging.step(step, (key, index)) for index, step in enumerate(data[key])]
        elif key in data:
            data[key] = digging.value(data[key], (key,))
    return CompiledRecipe(recipe, data, _pieces(data), frozenset(digging.reads), moved)


def _pieces(data: dict[str, Any]) -> list[Any] | None:
    """Return data as text with gaps, neighbouring texts as one; None where it cannot be written in pieces."""
    pieces: list[Any] = []
    try:
        emit_block(data, "", pieces)
    except InOnePieceError:
        return None
    joined: list[Any] = []
    run: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            run.append(piece)
        else:
            joined += ["".join(run), piece]
            run = []
    return [*joined, "".join(run)]


class _Digging:
    """Puts holes where one recipe asks for what an environment knows."""

    def __init__(self, recipe: Recipe, names: frozenset[str], moved: Relocation) -> None:
        self.recipe = recipe
        self.names = names
        self.moved = moved
        self.unknown = _RUN_ROOTS - names | ({"release"} - names)
        self.reads: set[Path] = set()

    def step(self, step: Any, at: Path) -> Any:
        if not isinstance(step, Mapping):
            return step
        return {key: self._part(key, value, (*at, key)) for key, value in step.items()}

    def _part(self, key: Any, value: Any, at: Path) -> Any:
        if key in _NOT_EVALUATED:
            return value
        if key == "condition":
            return self._condition(value, at)
        found = self.value(value, at)
        if key == "recipe_path":
            if isinstance(found, Hole):
                return replace(found, kind=Kind.RECIPE_PATH, parts=None)
            return self.moved.path(found)
        return found

    def value(self, value: Any, at: Path) -> Any:
        if isinstance(value, str):
            return self._text(value, at) if "#{" in value or "{{" in value else value
        if isinstance(value, Mapping):
            return {key: self.value(item, (*at, key)) for key, item in value.items()}
        return (
            [self.value(item, (*at, index)) for index, item in enumerate(value)] if isinstance(value, list) else value
        )

    def _text(self, text: str, at: Path) -> Any:
        from f0ci.expressions.evaluation import resolve_static
        from f0ci.expressions.parsing import parse

        try:
            template = parse(text)
            dynamic = self._dynamic(text)
            asked = [one for one in template.expressions if not any(ref.root in dynamic for ref in one.references)]
            if not asked:
                # nothing is asked of an environment, so every one gets the same
                return resolve_static(text, {}, dynamic_roots=dynamic)
        except ExpressionError as error:
            raise self._blame(error, at) from error
        self._note(ref for one in asked for ref in one.references)
        return Hole(
            text, Kind.VALUE, at, dynamic, _parts(template) if len(asked) == len(template.expressions) else None
        )

    def _condition(self, value: Any, at: Path) -> Any:
        from f0ci.expressions.parsing import parse_condition

        if not isinstance(value, str):
            return value
        try:
            condition = parse_condition(value)
        except ExpressionError as error:
            raise self._blame(error, at) from error
        dynamic = self._dynamic(condition)
        if dynamic & _roots(condition):
            return value
        self._note(ref for one in condition.expressions for ref in one.references)
        return Hole(value, Kind.CONDITION, at, dynamic)

    def _note(self, references: Iterator[Any]) -> None:
        self.reads.update((ref.root, *(str(part) for part in ref.path)) for ref in references)

    def _dynamic(self, value: Any) -> frozenset[str]:
        if self.recipe.dialect is not Dialect.TEMPLATE:
            return self.unknown
        # this dialect names its parameters without `params.`
        return self.unknown | (_roots(value) - self.names)

    def _blame(self, error: ExpressionError, at: Path) -> InputError:
        place = str(self.recipe.document.location((*at, *error.at)))
        return InputError(error.message, error.hint, place=place)


def _parts(template: Template) -> tuple[str | Path, ...] | None:
    """Return a text as literal stretches and names with fixed keys, or None where it holds anything else."""
    from f0ci.expressions.syntax import Lookup

    parts: list[str | Path] = []
    for segment in template.segments:
        if isinstance(segment, str):
            parts.append(segment)
            continue
        node = segment.node
        if not isinstance(node, Lookup) or not all(isinstance(part.key, str) for part in node.parts):
            return None
        parts.append((node.root, *(str(part.key) for part in node.parts)))
    return tuple(parts)


def _roots(value: Any) -> frozenset[str]:
    from f0ci.expressions.parsing import references

    return frozenset(reference.root for reference in references(value))


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
