"""What conditions come to in each environment, as far as that is known without a run.

Parameters, the context and the outputs of steps are known only to a run: what depends on them is unknown, and `and`
and `or` have three answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from f0ci.environments.model import Environment
from f0ci.expressions import lookup
from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.parsing import parse_condition
from f0ci.expressions.syntax import Binary, Choice, Comparison, ListOf, Literal, Lookup, Node, Unary, children
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Dialect, Recipe, Step
from f0ci.source.reading import Path

_STATIC = frozenset({"config", "environment"})


class _Unknown:
    """The value of what only a run knows."""


UNKNOWN = _Unknown()


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a condition comes to.

    Attributes:
        by_environment: True, False, or None where only a run knows, by the environment's name.
        roots: names that the condition reads.
    """

    by_environment: Mapping[str, bool | None]
    roots: frozenset[str]

    @property
    def is_never_true(self) -> bool:
        """Tell whether it is false in every environment."""
        return bool(self.by_environment) and all(value is False for value in self.by_environment.values())

    @property
    def is_always_true(self) -> bool:
        """Tell whether it is true in every environment."""
        return bool(self.by_environment) and all(value is True for value in self.by_environment.values())


def verdicts_of(step: Step, recipe: Recipe, workspace: Workspace) -> Verdicts | None:
    """Return what a step's condition comes to; None where it has none, or not all environments are known."""
    found = workspace.once("verdicts", recipe, lambda recipe: _verdicts(recipe, workspace))
    return found.get(step.at)


def _verdicts(recipe: Recipe, workspace: Workspace) -> Mapping[Path, Verdicts]:
    members = workspace.environments_of(recipe.path)
    if members is None or members.faults:
        return {}
    if recipe.dialect is Dialect.TEMPLATE and any(parameter.name in _STATIC for parameter in recipe.parameters):
        # a parameter of that name hides what is known
        return {}
    # the same few conditions stand all over a repository
    known: dict[Any, Verdicts | None] = workspace.shared(f"verdicts in {members.root}", lambda _: {})
    found = {}
    for step in recipe.steps:
        condition = step.condition
        if condition is None:
            continue
        # true and 1 are one key
        key = condition if isinstance(condition, str) else ("constant", condition)
        if key not in known:
            known[key] = _judged(condition, members.environments)
        verdicts = known[key]
        if verdicts is not None:
            found[step.at] = verdicts
    return found


def _judged(condition: str | bool, environments: tuple[Environment, ...]) -> Verdicts | None:
    if isinstance(condition, bool):
        return Verdicts({environment.name: condition for environment in environments}, frozenset())
    try:
        node = parse_condition(condition).expressions[0].node
    except ExpressionError:
        return None
    roots = frozenset(one.root if isinstance(one, Lookup) else "context" for one in _names(node))
    found = {}
    for environment in environments:
        value = _value(node, {"config": environment.config, "environment": environment.name})
        found[environment.name] = None if value is UNKNOWN else _truth(value)
    return Verdicts(found, roots)


def _names(node: Node) -> Iterator[Node]:
    if isinstance(node, Lookup) or type(node).__name__ == "ContextCall":
        yield node
    for child in children(node):
        yield from _names(child)


def _truth(value: Any) -> bool:
    """Return what `evaluate_condition` makes of a value."""
    return value.strip().lower() not in {"", "false"} if isinstance(value, str) else bool(value)


def _value(node: Node, scope: Mapping[str, Any]) -> Any:
    match node:
        case Literal(value=value):
            return value
        case ListOf(items=items):
            values = [_value(item, scope) for item in items]
            return UNKNOWN if UNKNOWN in values else values
        case Lookup(root=root, parts=parts, at=at) if root in scope:
            if not all(isinstance(part.key, str | int) for part in parts):
                return UNKNOWN
            found = lookup.find(scope, root, at, [(part.key, part.at) for part in parts], forgiving=True)
            # a text with an expression is known only to a run
            is_open = found is lookup.MISSING or (isinstance(found, str) and "{" in found)
            return UNKNOWN if is_open or isinstance(found, Mapping | list) else found
        case Unary(operator="not", operand=operand):
            value = _value(operand, scope)
            return UNKNOWN if value is UNKNOWN else not value
        case Binary(operator="and" | "or" as operator, left=left, right=right):
            return _joined(operator, _value(left, scope), _value(right, scope))
        case Choice(condition=condition, then=then, otherwise=otherwise):
            chosen = _value(condition, scope)
            return UNKNOWN if chosen is UNKNOWN else _value(then if chosen else otherwise, scope)
        case Comparison(first=first, rest=((operator, second),)):
            return _compared(operator, _value(first, scope), _value(second, scope))
    return UNKNOWN


def _joined(operator: str, left: Any, right: Any) -> Any:
    decides = operator == "or"
    if left is not UNKNOWN and bool(left) is decides:
        return left
    if left is UNKNOWN:
        return right if right is not UNKNOWN and bool(right) is decides else UNKNOWN
    return right


def _compared(operator: str, left: Any, right: Any) -> Any:
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    try:
        match operator:
            case "==":
                return left == right
            case "!=":
                return left != right
            case "in":
                return left in right
            case "not in":
                return left not in right
            case "<":
                return left < right
            case "<=":
                return left <= right
            case ">":
                return left > right
            case ">=":
                return left >= right
    except TypeError:
        return UNKNOWN
    return UNKNOWN
