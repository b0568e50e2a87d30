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

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

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
    if workspace.is_in_order(recipe) or _all_point_back(recipe):
        return
    dropped = {(step.name, step.name) for step in recipe.steps}
    for _ in range(_MOST):
        cycle = find_cycle([_without(step, dropped) for step in recipe.steps])
        if cycle is None:
            return
        yield _finding(recipe, cycle)
        dropped.add((cycle[-2], cycle[-1]))


def _all_point_back(recipe: Recipe) -> bool:
    """Tell whether every dependency is on a step written before, which rules circles out."""
    seen: set[str] = set()
    for step in recipe.steps:
        if not seen.issuperset(step.depends_on):
            return False
        seen.add(step.name)
    return True


def _without(step: Step, dropped: set[tuple[str, str]]) -> Step:
    """Return a step without some dependencies, each a step and what it waits for."""
    left = tuple(name for name in step.depends_on if (step.name, name) not in dropped)
    return step if len(left) == len(step.depends_on) else replace(step, depends_on=left)


def _finding(recipe: Recipe, cycle: tuple[str, ...]) -> Finding:
    steps: dict[str, list[Step]] = {}
    for step in recipe.steps:
        steps.setdefault(step.name, []).append(step)
    first, *others = [_place(recipe, steps[name], awaited) for name, awaited in pairwise(cycle)]
    return Finding(
        recipe.document,
        first.at,
        f"steps wait for each other: {' -> '.join(cycle)}",
        "remove one of these dependencies",
        related=tuple(others),
    )


def _place(recipe: Recipe, named: list[Step], awaited: str) -> Place:
    step = next(step for step in named if awaited in step.depends_on)
    at = named_at(step, "depends_on", step.depends_on.index(awaited))
    return Place(recipe.document, at, f"{step.name!r} waits for {awaited!r}")
