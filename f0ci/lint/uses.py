"""What the expressions of a recipe read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.parsing import Reference, parse, parse_condition, references
from f0ci.recipes.model import Recipe, Step
from f0ci.source.reading import Path

if TYPE_CHECKING:
    from f0ci.expressions.syntax import Node

# commands go to the shell as they are written: braces in them are the shell's, or another program's; conditions are
# read as such
_ELSEWHERE = frozenset({"run", "command", "condition"})


@dataclass(frozen=True, slots=True)
class Use:
    """A name that an expression of a step reads.

    Attributes:
        reference: the name, with its place inside the text.
        at: path of that text in the recipe's document.
        step: the step that reads it; None for the recipe's `execution`.
        is_optional: True where the expression chooses (`a ? b : c`, `and`, `or`), so that the name may never be read.
    """

    reference: Reference
    at: Path
    step: Step | None
    is_optional: bool = False

    @property
    def within(self) -> tuple[int, int]:
        """Offset and length of the name inside its text."""
        return (self.reference.offset, len(self.reference.text))


@dataclass(frozen=True, slots=True)
class Uses:
    """Every name that a recipe's expressions read, and every expression that cannot be read.

    Attributes:
        names: in written order.
        faults: path of the text and what is wrong with it.
    """

    names: tuple[Use, ...] = ()
    faults: tuple[tuple[Path, ExpressionError], ...] = ()


def read_uses(recipe: Recipe) -> Uses:
    """Return what the expressions of a recipe read: in its steps, and in `execution`."""
    names: list[Use] = []
    faults: list[tuple[Path, ExpressionError]] = []
    for step, at, text in _texts(recipe):
        is_condition = step is not None and at == (*step.at, "condition")
        found = _read_text(text, is_condition=is_condition)
        if isinstance(found, ExpressionError):
            faults.append((at, found))
        else:
            for reference, optional in found:
                names.append(Use(reference, at, step, optional))
    return Uses(tuple(names), tuple(faults))


# the same few expressions stand all over a repository
@lru_cache(maxsize=8192)
def _read_text(text: str, *, is_condition: bool) -> tuple[tuple[Reference, bool], ...] | ExpressionError:
    """Return the names that a text reads, each with whether it may never be read, or what is wrong with the text."""
    try:
        template = parse_condition(text) if is_condition else parse(text)
    except ExpressionError as error:
        return error
    found = references(template)
    # `x is defined and x > 1` asks before it reads
    asked = {(reference.root, reference.path) for reference in found if reference.has_default}
    optional = len(found) > 1 and any(_chooses(expression.node) for expression in template.expressions)
    return tuple((_answered(reference) if _is_in(reference, asked) else reference, optional) for reference in found)


def _is_in(reference: Reference, asked: set[tuple[str, tuple[str | int, ...]]]) -> bool:
    return bool(asked) and (reference.root, reference.path) in asked


def _answered(reference: Reference) -> Reference:
    return reference if reference.has_default else replace(reference, has_default=True)


def _chooses(node: Node) -> bool:
    from f0ci.expressions.syntax import Binary, Choice, children

    if isinstance(node, Choice) or (isinstance(node, Binary) and node.operator in {"and", "or"}):
        return True
    return any(map(_chooses, children(node)))


def _texts(recipe: Recipe) -> Iterator[tuple[Step | None, Path, str]]:
    has_expressions = b"#{" in recipe.document.raw or b"{{" in recipe.document.raw
    for step in recipe.steps:
        if isinstance(step.condition, str):
            yield step, (*step.at, "condition"), step.condition
        if has_expressions:
            found: list[tuple[Path, str]] = []
            _collect(step.raw, step.at, found, _ELSEWHERE)
            for at, text in found:
                yield step, at, text
    if has_expressions:
        found = []
        _collect({"execution": recipe.document.get(("execution",))}, (), found)
        for at, text in found:
            yield None, at, text


def _collect(value: Any, at: Path, found: list[tuple[Path, str]], left_out: frozenset[str] = frozenset()) -> None:
    """Add every text with a delimiter.

    Readers make only texts, dictionaries and lists: asking for exactly these, and making a path only for what is
    found, is what keeps this cheap.
    """
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        kind = type(item)
        if kind is str:
            if "{" in item and ("#{" in item or "{{" in item) and key not in left_out:
                found.append(((*at, key), item))
        elif (kind is dict or kind is list) and item and key not in left_out:
            _collect(item, (*at, key), found)
