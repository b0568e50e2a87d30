"""Steps wait for each other in a circle.

## What it does

Reports each circle of `depends_on` once, spelled out, at the step of it that is written first.

## Why it matters

None of the steps could ever start.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
    depends_on: [store]
  - name: clean
    run: echo cleaning
    depends_on: [load]
  - name: store
    run: echo storing
    depends_on: [clean]
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
  - name: clean
    run: echo cleaning
    depends_on: [load]
  - name: store
    run: echo storing
    depends_on: [clean]
```

## Fix

Remove one of the dependencies that are named.

## References

- `self-dependency`, for a circle of one
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Place, Rule, named_at
from f0ci.lint.workspace import Workspace
from f0ci.recipes.graph import find_cycle
from f0ci.recipes.model import Recipe, Step

RULE = Rule("dependency-cycle", Group.GRAPH, Severity.ERROR)

# circles that share steps come one by one; more than these are one mess
_MOST = 20


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every circle of dependencies."""
    del workspace
    if _all_point_back(recipe):
        return
    left = _without(recipe, lambda step, name: step.name == name)
    for _ in range(_MOST):
        cycle = find_cycle(left)
        if cycle is None:
            return
        yield _finding(recipe, cycle)
        last, first = cycle[-2], cycle[-1]
        left = _without(left, lambda step, name, last=last, first=first: (step.name, name) == (last, first))


def _all_point_back(recipe: Recipe) -> bool:
    """Tell whether every dependency is on a step written before, which rules circles out."""
    seen: set[str] = set()
    for step in recipe.steps:
        if not seen.issuperset(step.depends_on):
            return False
        seen.add(step.name)
    return True


def _without(recipe: Recipe, drops: Callable[[Step, str], bool]) -> Recipe:
    steps = tuple(
        replace(step, depends_on=tuple(name for name in step.depends_on if not drops(step, name)))
        for step in recipe.steps
    )
    return replace(recipe, steps=steps)


def _finding(recipe: Recipe, cycle: tuple[str, ...]) -> Finding:
    places: list[tuple[Step, int]] = []
    for name, awaited in zip(cycle, cycle[1:], strict=False):
        step = next(s for s in recipe.steps if s.name == name and awaited in s.depends_on)
        places.append((step, step.depends_on.index(awaited)))
    (step, index), *others = places
    return Finding(
        recipe.document,
        named_at(step, "depends_on", index),
        f"steps wait for each other: {' -> '.join(cycle)}",
        "remove one of these dependencies",
        related=tuple(
            Place(recipe.document, named_at(other, "depends_on", i), f"{other.name!r} waits for {other.depends_on[i]!r}")
            for other, i in others
        ),
    )
