"""The names that an expression uses."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from f0ci.expressions.syntax import ContextCall, Literal, Lookup, Node, answers_for_missing, children
from f0ci.expressions.template import Reference


def names_in(node: Node, code: str, offset: int) -> tuple[Reference, ...]:
    """Return every name that an expression uses, in written order.

    Args:
        node: the syntax tree.
        code: what stands between the delimiters.
        offset: where the code begins in its text.
    """
    found: list[Reference] = []
    _collect(node, code, offset, found, has_default=False)
    return tuple(sorted(found, key=lambda reference: reference.offset))


def _collect(node: Node, code: str, offset: int, found: list[Reference], *, has_default: bool) -> None:
    forgiven = answers_for_missing(node)
    if isinstance(node, Lookup | ContextCall):
        keys = _keys(node)
        fixed = list(takewhile(lambda key: isinstance(key[0], str | int), keys))
        call = node.method if isinstance(node, ContextCall) else None
        answered = isinstance(node, ContextCall) and (node.method == "has" or len(node.arguments) == 2)
        found.append(
            Reference(
                root=node.root if isinstance(node, Lookup) else "context",
                path=tuple(key for key, _ in fixed),
                text=code[node.at : node.end],
                offset=offset + node.at,
                has_default=has_default or answered,
                call=call,
                is_open=len(fixed) < len(keys),
                parts=tuple(offset + place for _, place in fixed),
            )
        )
    for child in children(node):
        _collect(child, code, offset, found, has_default=child is forgiven)


def _keys(node: Lookup | ContextCall) -> list[tuple[Any, int]]:
    if isinstance(node, Lookup):
        return [(part.key, part.at) for part in node.parts]
    first = node.arguments[0]
    if isinstance(first, Literal) and isinstance(first.value, str):
        return [(first.value, first.at)]
    return [(first, first.at)]
