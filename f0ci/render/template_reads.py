"""What a template may ask for, found without rendering it: what cannot have changed need not be rendered again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from f0ci.expressions.fixed_keys import fixed_keys
from f0ci.source.reading import Path

if TYPE_CHECKING:
    from jinja2 import Environment as Jinja

# a template that chooses by a value what to include may ask for anything
EVERYTHING: Path = ()


def names_read(jinja: Jinja, name: str, names: Mapping[str, str]) -> frozenset[Path]:
    """Return the names that a template and what it includes may ask for, each as far as it is written out.

    Args:
        jinja: the engine.
        name: the template.
        names: every template's file by name.
    """
    found: set[Path] = set()
    waiting, seen = [name], set()
    while waiting:
        current = waiting.pop()
        if current in seen or current not in names:
            continue
        seen.add(current)
        tree = jinja.parse(_source(jinja, current), current, names[current])
        found.update(_chains(tree))
        for included in _included(tree):
            if included is None:
                return frozenset({EVERYTHING})
            waiting.append(included)
    return frozenset(found)


def _source(jinja: Jinja, name: str) -> str:
    if jinja.loader is None:
        return ""
    source, _, _ = jinja.loader.get_source(jinja, name)
    return source


def _included(tree: Any) -> Iterator[str | None]:
    from jinja2 import nodes

    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        value = node.template.value if isinstance(node.template, nodes.Const) else None
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple | list) and all(isinstance(one, str) for one in value):
            yield from value
        else:
            yield None


def _chains(node: Any) -> Iterator[Path]:
    """Yield every name with the fixed keys after it; where a key is computed, what stands before it."""
    from jinja2 import nodes

    chain = fixed_keys(node)
    if chain is not None:
        yield chain
        return
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        yield from _chains(node.node)
        if isinstance(node, nodes.Getitem):
            yield from _chains(node.arg)
        return
    for child in node.iter_child_nodes():
        yield from _chains(child)
