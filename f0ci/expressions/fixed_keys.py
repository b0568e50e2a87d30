"""What a node of a template asks for, as far as it is written out."""

from __future__ import annotations

from typing import Any


def fixed_keys(node: Any) -> tuple[str, ...] | None:
    """Return a name with the keys after it, `("config", "service", "port")`; None where it is no name, or computed.

    Args:
        node: a node of Jinja's syntax tree.
    """
    from jinja2 import nodes

    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        holder = fixed_keys(node.node)
        return (*holder, node.attr) if holder is not None else None
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        holder = fixed_keys(node.node)
        return (*holder, node.arg.value) if holder is not None else None
    return None
