"""What the expressions of a recipe read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.parsing import Reference, parse, parse_condition, references, texts
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
    """

    reference: Reference
    at: Path
    step: Step | None

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
            names.extend(Use(reference, at, step) for reference in references(template))
    return Uses(tuple(names), tuple(faults))


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
