"""What the expressions of a recipe read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from f0ci.core.values import dataclass
from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.parsing import Expression, Reference, Template, parse, parse_condition, references
from f0ci.recipes.model import Recipe, Step
from f0ci.recipes.parameters import is_asking
from f0ci.source.reading import Path

if TYPE_CHECKING:
    from f0ci.expressions.syntax import Node
    from f0ci.workflows.model import WorkflowEnvironment

# commands go to the shell as they are written: braces in them are the shell's, or another program's; conditions are
# read as such
_ELSEWHERE = frozenset({"run", "command", "condition"})
_Read: TypeAlias = "tuple[Template | None, tuple[tuple[Reference, bool], ...]] | ExpressionError"


@dataclass(frozen=True, slots=True)
class Use:
    """A name that an expression of a step reads.

    Attributes:
        reference: the name, with its place inside the text.
        at: path of that text in the recipe's document.
        step: the step that reads it; None for the recipe's `execution` and the defaults of its parameters.
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
        names: in written order, those of the steps first.
        faults: path of the text and what is wrong with it.
        templates: conditions, and texts with an expression that is more than a name, parsed, by their path.
    """

    names: tuple[Use, ...] = ()
    faults: tuple[tuple[Path, ExpressionError], ...] = ()
    templates: Mapping[Path, Template] = field(default_factory=dict)
    _by_root: dict[str, list[Use]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def by_root(self) -> Mapping[str, Sequence[Use]]:
        """Return the names by their first word, each in written order: most rules look at one of these."""
        if not self._by_root:
            for use in self.names:
                self._by_root.setdefault(use.reference.root, []).append(use)
        return self._by_root

    def of(self, root: str) -> Sequence[Use]:
        """Return the names that begin with a word, in written order."""
        return self.by_root.get(root, ())


# a frozen class sets each field by a call: many thousand are made in an open one with the same fields, as steps are
_OpenUse: Any = type("_OpenUse", (), {"__slots__": Use.__slots__})


def read_uses(recipe: Recipe) -> Uses:
    """Return what the expressions of a recipe read: in its steps, in defaults of parameters, and in `execution`."""
    names: list[Use] = []
    faults: list[tuple[Path, ExpressionError]] = []
    templates: dict[Path, Template] = {}
    for step, at, text, is_condition in _texts(recipe):
        found = _read_condition(text) if is_condition else _read_text(text)
        if isinstance(found, ExpressionError):
            faults.append((at, found))
            continue
        template, read = found
        for reference, is_optional in read:
            use = _OpenUse()
            use.reference = reference
            use.at = at
            use.step = step
            use.is_optional = is_optional
            use.__class__ = Use
            names.append(use)
        if template is not None:
            templates[at] = template
    return Uses(tuple(names), tuple(faults), templates)


def read_deploy_uses(environment: WorkflowEnvironment) -> Uses:
    """Return what the parameters that a workflow gives to a deploy recipe read."""
    names: list[Use] = []
    faults: list[tuple[Path, ExpressionError]] = []
    given = environment.deploy.parameters if environment.deploy is not None else {}
    at = (*environment.deploy.at, "parameters") if environment.deploy is not None else ()
    for place, text in _collected(given, at, frozenset()) if given else ():
        found = _read_text(text)
        if isinstance(found, ExpressionError):
            faults.append((place, found))
        else:
            names += [Use(reference, place, None, optional) for reference, optional in found[1]]
    return Uses(tuple(names), tuple(faults))


# the same few expressions stand all over a repository, ten thousand files of it have seven thousand; what is remembered
# by a text alone is found fastest
@lru_cache(maxsize=8192)
def _read_text(text: str) -> _Read:
    return _read(parse, text)


@lru_cache(maxsize=4096)
def _read_condition(text: str) -> _Read:
    return _read(parse_condition, text)


def _read(reader: Callable[[str], Template], text: str) -> _Read:
    """Return what is wrong with a text, or what it reads.

    That is the parsed text, where it is a condition or does more than naming something, and the names, each with
    whether it may never be read.
    """
    try:
        template = reader(text)
    except ExpressionError as error:
        return error
    found = references(template)
    # `x is defined and x > 1` asks before it reads
    asked = {(reference.root, reference.path) for reference in found if reference.has_default}
    optional = len(found) > 1 and any(_chooses(expression.node) for expression in template.expressions)
    is_more = reader is parse_condition or any(map(_is_more_than_a_name, template.expressions))
    return template if is_more else None, tuple(
        (_answered(reference) if _is_in(reference, asked) else reference, optional) for reference in found
    )


def _is_more_than_a_name(expression: Expression) -> bool:
    from f0ci.expressions.syntax import Lookup, children

    return not isinstance(expression.node, Lookup) or any(True for _ in children(expression.node))


def _is_in(reference: Reference, asked: set[tuple[str, tuple[str | int, ...]]]) -> bool:
    return bool(asked) and (reference.root, reference.path) in asked


def _answered(reference: Reference) -> Reference:
    return reference if reference.has_default else replace(reference, has_default=True)


def _chooses(node: Node) -> bool:
    from f0ci.expressions.syntax import Binary, Choice, children

    if isinstance(node, Choice) or (isinstance(node, Binary) and node.operator in {"and", "or"}):
        return True
    return any(map(_chooses, children(node)))


def _texts(recipe: Recipe) -> Iterator[tuple[Step | None, Path, str, bool]]:
    """Yield every text that may read a name, with its step, its path, and whether it is the step's condition."""
    raw, braces = recipe.document.raw, recipe.document.braces
    has_expressions = b"#{" in raw or b"{{" in raw
    noted: dict[Any, list[tuple[Path, str]]] = {}
    for pair in braces or ():
        at = pair[0]
        if len(at) > 2 and at[0] == "steps" and at[2] not in _ELSEWHERE:
            if at[1] in noted:
                noted[at[1]].append(pair)
            else:
                noted[at[1]] = [pair]
    for step in recipe.steps:
        if type(step.condition) is str:
            yield step, (*step.at, "condition"), step.condition, True
        if has_expressions:
            for at, text in noted.get(step.at[1], ()) if braces is not None else _collected(step.raw, step.at):
                yield step, at, text, False
    for parameter in recipe.parameters if has_expressions else ():
        if parameter.has_default and is_asking(parameter.default):
            for at, text in _collected({"default": parameter.default}, parameter.at, frozenset()):
                if "#{" in text:
                    yield None, at, text, False
    if has_expressions and "execution" in recipe.document.data:
        for at, text in _collected({"execution": recipe.document.get(("execution",))}, (), frozenset()):
            yield None, at, text, False


def _collected(value: Any, at: Path, left_out: frozenset[str] = _ELSEWHERE) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    _collect(value, at, found, left_out)
    return found


def _collect(value: Any, at: Path, found: list[tuple[Path, str]], left_out: frozenset[str]) -> None:
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
            _collect(item, (*at, key), found, frozenset())
