"""What the expressions of a recipe read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.parsing import Reference, Template, parse, parse_condition, references, texts
from f0ci.expressions.syntax import Binary, Choice, Node, children
from f0ci.recipes.model import Recipe, Step
from f0ci.source.yaml import Path

# commands go to the shell as they are written: braces in them are the shell's, or another program's
_NOT_EVALUATED = frozenset({"run", "command"})


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
        try:
            template = parse_condition(text) if is_condition else parse(text)
        except ExpressionError as error:
            faults.append((at, error))
        else:
            names.extend(_uses(template, at, step))
    return Uses(tuple(names), tuple(faults))


def _uses(template: Template, at: Path, step: Step | None) -> Iterator[Use]:
    found = references(template)
    # `x is defined and x > 1` asks before it reads
    asked = {(reference.root, reference.path) for reference in found if reference.has_default}
    optional = len(found) > 1 and any(_chooses(expression.node) for expression in template.expressions)
    for reference in found:
        if not reference.has_default and (reference.root, reference.path) in asked:
            yield Use(replace(reference, has_default=True), at, step, optional)
        else:
            yield Use(reference, at, step, optional)


def _chooses(node: Node) -> bool:
    if isinstance(node, Choice) or (isinstance(node, Binary) and node.operator in {"and", "or"}):
        return True
    return any(map(_chooses, children(node)))


def _texts(recipe: Recipe) -> Iterator[tuple[Step | None, Path, str]]:
    for step in recipe.steps:
        for key, value in step.raw.items():
            if key == "condition" and isinstance(value, str):
                yield step, (*step.at, key), value
            elif key not in _NOT_EVALUATED:
                for at, text in texts(value, (*step.at, key)):
                    yield step, at, text
    for at, text in texts(recipe.document.get(("execution",)), ("execution",)):
        yield None, at, text
