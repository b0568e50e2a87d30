"""Recipes as environments get them: what is known before a run is written out, the rest stays as written.

A recipe is compiled once: cut into text that is the same everywhere and gaps for what an environment answers. Rendering
it for an environment is filling the gaps.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from f0ci.core.errors import InputError
from f0ci.expressions.errors import ExpressionError
from f0ci.recipes.model import Dialect, Parameter, Recipe
from f0ci.recipes.parameters import asked_by
from f0ci.render.emitting import Gap, InOnePieceError, emit_block, emit_value, emit_yaml, require_same
from f0ci.render.holes import NOT_PLAIN, Hole, Kind, parts_of
from f0ci.render.layout import RenderedFile, recipe_output
from f0ci.render.relocation import Relocation
from f0ci.render.settled import Settled
from f0ci.source.reading import Path
from f0ci.source.tree import Tree

if TYPE_CHECKING:
    from f0ci.expressions.parsing import Expression, Reference

_RUN_ROOTS = frozenset({"context", "steps", "params", "error"})
# commands go to the shell as they are written; their braces may be the shell's
_NOT_EVALUATED = frozenset({"run", "command"})
_EVALUATED_SECTIONS = ("steps", "execution")

# what gaps were filled with in one environment, by what they ask
Memo = dict[tuple[Any, ...], str]


@dataclass(slots=True)
class CompiledRecipe:
    """A recipe, ready to be rendered for many environments.

    Attributes:
        recipe: the recipe.
        data: its data, with holes.
        pieces: its YAML, with gaps; None where it has a key that cannot be written in pieces.
        reads: names that its holes ask for: `("config", "output", "formats")`, `("release",)`, ...
        moved: where the recipes that it calls are found in a rendered tree.
        settled: the parameters that are known where none are given.
    """

    recipe: Recipe
    data: dict[str, Any]
    pieces: list[Any] | None
    reads: frozenset[Path]
    moved: Relocation
    settled: Settled
    _is_checked: bool = field(default=False, repr=False)

    def render(self, scope: Mapping[str, Any], memo: Memo, given: Mapping[str, Any] | None = None) -> RenderedFile:
        """Return the recipe with everything resolved that `scope` knows.

        Args:
            scope: the static names: `config`, `environment`, `overlay`, and where it is known `release`.
            memo: what was found before in the same scope.
            given: the recipe's parameters, all of them; None for those that are known where none are given.

        Raises:
            InputError: an expression cannot be evaluated; carries its place.
        """
        params = given if given is not None else self.settled.values(self.recipe, scope)
        if params:
            bare = params if self.recipe.dialect is Dialect.TEMPLATE else {}
            scope = {**bare, **scope, "params": params}
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
            if hole.kind is not Kind.RECIPE_PATH and not hole.is_own:
                memo[key] = found
        return found

    def _filled(self, data: Any, scope: Mapping[str, Any]) -> Any:
        if isinstance(data, Hole):
            return self._value(data, scope)
        if isinstance(data, dict):
            return {key: self._filled(value, scope) for key, value in data.items()}
        return [self._filled(item, scope) for item in data] if isinstance(data, list) else data

    def _value(self, hole: Hole, scope: Mapping[str, Any]) -> Any:
        from f0ci.expressions.evaluation import as_written, evaluate_condition, resolve_static

        if hole.kind is Kind.PARAMETER:
            return as_written(scope["params"][hole.text])
        plain = hole.looked_up(scope)
        if plain is not NOT_PLAIN:
            return plain
        try:
            if hole.kind is Kind.CONDITION:
                return evaluate_condition(hole.text, scope)
            value = resolve_static(hole.text, scope, hole.dynamic, self.settled.parts)
        except ExpressionError as error:
            place = str(self.recipe.document.location((*hole.at, *error.at)))
            raise InputError(error.message, error.hint, place=place) from error
        return self.moved.path(value) if hole.kind is Kind.RECIPE_PATH else value


def compile_recipe(
    tree: Tree,
    recipe: Recipe,
    names: frozenset[str],
    recipes: Container[str],
    outputs: Container[str],
    settled: Settled | None = None,
) -> CompiledRecipe:
    """Return a recipe that can be rendered for every environment.

    Args:
        tree: the workspace, in which sub-recipes are looked for.
        recipe: the recipe.
        names: the static names that every scope will have.
        recipes: files of all recipes of the rendered tree, so that those that move are still found.
        outputs: where these go.
        settled: the parameters that are known where none are given; None where all are given.

    Raises:
        InputError: an expression cannot be read; carries its place.
    """
    moved = Relocation(tree, recipe, recipes, outputs)
    digging = _Digging(recipe, names, moved, settled)
    data = digging.declarations(recipe.document.data)
    for key in _EVALUATED_SECTIONS:
        if key == "steps" and isinstance(data.get(key), list):
            data[key] = [digging.step(step, (key, index)) for index, step in enumerate(data[key])]
        elif key in data:
            data[key] = digging.value(data[key], (key,))
    return CompiledRecipe(recipe, data, _pieces(data), frozenset(digging.reads), moved, settled or Settled())


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

    def __init__(self, recipe: Recipe, names: frozenset[str], moved: Relocation, settled: Settled | None) -> None:
        self.recipe = recipe
        self.moved = moved
        self.settled = settled
        self.unknown = _RUN_ROOTS - names | ({"release"} - names)
        self.known = frozenset[Path]()
        if settled is None:
            self.unknown -= {"params"}
            self.bare = frozenset(parameter.name for parameter in recipe.parameters)
        else:
            self.known = settled.parts
            self.bare = settled.names
        self.bare -= names | _RUN_ROOTS
        self.names = names | self.bare if recipe.dialect is Dialect.TEMPLATE else names
        self.reads: set[Path] = set()

    def declarations(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return a recipe in which every parameter that is known is declared with its value, and as fixed."""
        declared: dict[str, Parameter] = {}
        for parameter in self.recipe.parameters:
            declared.setdefault(parameter.name, parameter)
        written = dict(data)
        for name, parameter in declared.items():
            if self.settled is not None and name not in self.settled.names:
                continue
            value: Any = Hole(name, Kind.PARAMETER, parameter.at, frozenset(), is_own=True)
            if self.settled is not None and name in self.settled.constants:
                value = parameter.default
            spec = self.recipe.document.get(parameter.at)
            written = _replaced(written, parameter.at, {**spec, "default": value, "fixed": True})
        for parameter in self.settled.asking if self.settled else ():
            self._note(asked_by(self.recipe, parameter))
        return written

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
            asked = [one for one in template.expressions if not self._asks_run(one, dynamic)]
            if not asked:
                # nothing is asked of an environment, so every one gets the same
                return resolve_static(text, {}, dynamic, self.known)
        except ExpressionError as error:
            raise self._blame(error, at) from error
        parts = parts_of(template) if len(asked) == len(template.expressions) else None
        return Hole(text, Kind.VALUE, at, dynamic, parts, is_own=self._note(_names(asked)))

    def _condition(self, value: Any, at: Path) -> Any:
        from f0ci.expressions.parsing import parse_condition

        if not isinstance(value, str):
            return value
        try:
            condition = parse_condition(value)
        except ExpressionError as error:
            raise self._blame(error, at) from error
        dynamic = self._dynamic(condition)
        if any(self._asks_run(one, dynamic) for one in condition.expressions):
            return value
        return Hole(value, Kind.CONDITION, at, dynamic, is_own=self._note(_names(condition.expressions)))

    def _asks_run(self, expression: Expression, dynamic: frozenset[str]) -> bool:
        from f0ci.expressions.evaluation import needs_run

        return any(needs_run(reference, dynamic, self.known) for reference in expression.references)

    def _note(self, references: Iterable[Reference]) -> bool:
        """Note what is asked of an environment; tell whether the recipe's parameters are asked as well."""
        is_own = False
        for reference in references:
            if reference.root == "params" or (reference.root in self.bare and reference.root in self.names):
                is_own = True
            else:
                self.reads.add((reference.root, *map(str, reference.path)))
        return is_own

    def _dynamic(self, value: Any) -> frozenset[str]:
        if self.recipe.dialect is not Dialect.TEMPLATE:
            return self.unknown
        # this dialect names its parameters without `params.`
        return self.unknown | (_roots(value) - self.names)

    def _blame(self, error: ExpressionError, at: Path) -> InputError:
        place = str(self.recipe.document.location((*at, *error.at)))
        return InputError(error.message, error.hint, place=place)


def _names(expressions: Iterable[Expression]) -> Iterator[Reference]:
    return (reference for expression in expressions for reference in expression.references)


def _replaced(data: Any, at: Path, value: Any) -> Any:
    """Return data with another value at a path; nothing that it shares is changed."""
    if not at:
        return value
    key: Any = at[0]
    copied = dict(data) if isinstance(data, Mapping) else list(data)
    copied[key] = _replaced(data[key], at[1:], value)
    return copied


def _roots(value: Any) -> frozenset[str]:
    from f0ci.expressions.parsing import references

    return frozenset(reference.root for reference in references(value))
