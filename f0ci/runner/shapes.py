"""Graphs of a recipe's steps, as they are scheduled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from f0ci.recipes.model import Recipe
from f0ci.runner.readiness import Graph
from f0ci.runner.verdicts import strict_steps


def shape_of(recipe: Recipe, predecessors: Mapping[str, tuple[str, ...]], absent: frozenset[str]) -> Graph:
    """Return the graph of a recipe's steps without those that are left out."""
    steps = [name for name in predecessors if name not in absent]
    after = {name: _present(predecessors, absent, name) for name in steps}
    written = {step.name: frozenset(step.depends_on) for step in recipe.steps}
    # what only stands before a step, by idx, need not have passed
    needs = {name: tuple(before for before in after[name] if before in written[name]) for name in steps}
    return Graph(steps, after, needs, strict_steps(recipe))


def _present(predecessors: Mapping[str, tuple[str, ...]], absent: frozenset[str], name: str) -> tuple[str, ...]:
    """Return what a step comes after; in place of a step that is left out, what that one comes after."""
    if not absent:
        return predecessors[name]
    found: dict[str, None] = {}
    seen: set[str] = set()
    waiting = list(predecessors[name])
    while waiting:
        before = waiting.pop(0)
        if before in absent:
            if before not in seen:
                seen.add(before)
                waiting.extend(predecessors.get(before, ()))
        else:
            found[before] = None
    return tuple(found)


def one_by_one(names: Sequence[str]) -> Graph:
    """Return a graph of steps one after the other, whatever happens to the one before."""
    waits = {name: tuple(names[max(0, index - 1) : index]) for index, name in enumerate(names)}
    return Graph(names, waits, dict.fromkeys(names, ()))
