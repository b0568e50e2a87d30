"""The value of a condition as far as it is known without a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from f0ci.expressions import lookup
from f0ci.expressions.syntax import (
    Binary,
    Choice,
    Comparison,
    ContextCall,
    ListOf,
    Literal,
    Lookup,
    Node,
    Unary,
    children,
)


class _Unknown:
    """The value of what only a run knows."""


UNKNOWN = _Unknown()


def roots_of(node: Node) -> frozenset[str]:
    """Return the names that a condition reads."""
    return frozenset(_roots(node))


def _roots(node: Node) -> Iterator[str]:
    if isinstance(node, Lookup | ContextCall):
        yield node.root if isinstance(node, Lookup) else "context"
    for child in children(node):
        yield from _roots(child)


def truth(value: Any) -> bool:
    """Return what `evaluate_condition` makes of a value."""
    return value.strip().lower() not in {"", "false"} if isinstance(value, str) else bool(value)


def value_of(node: Node, scope: Mapping[str, Any]) -> Any:
    """Return the value of a condition, or UNKNOWN where names beside those of a scope have a say."""
    match node:
        case Literal(value=value):
            return value
        case ListOf(items=items):
            values = [value_of(item, scope) for item in items]
            return UNKNOWN if UNKNOWN in values else values
        case Lookup(root=root, parts=parts, at=at) if root in scope:
            if not all(isinstance(part.key, str | int) for part in parts):
                return UNKNOWN
            found = lookup.find(scope, root, at, [(part.key, part.at) for part in parts], forgiving=True)
            # a text with an expression is known only to a run
            is_open = found is lookup.MISSING or (isinstance(found, str) and "{" in found)
            return UNKNOWN if is_open or isinstance(found, Mapping | list) else found
        case Unary(operator="not", operand=operand):
            value = value_of(operand, scope)
            return UNKNOWN if value is UNKNOWN else not value
        case Binary(operator="and" | "or" as operator, left=left, right=right):
            return _joined(operator, value_of(left, scope), value_of(right, scope))
        case Choice(condition=condition, then=then, otherwise=otherwise):
            chosen = value_of(condition, scope)
            return UNKNOWN if chosen is UNKNOWN else value_of(then if chosen else otherwise, scope)
        case Comparison(first=first, rest=((operator, second),)):
            return _compared(operator, value_of(first, scope), value_of(second, scope))
    return UNKNOWN


def _joined(operator: str, left: Any, right: Any) -> Any:
    if left is not UNKNOWN:
        return left if bool(left) is (operator == "or") else right
    # what `and` ends with is false where the right side is; `or` may end with the left one, which may be the text
    # 'false': as a side it counts, and as the condition's value it does not
    return right if operator == "and" and right is not UNKNOWN and not right else UNKNOWN


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
