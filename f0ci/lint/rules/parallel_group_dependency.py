"""A step waits for a step of its own parallel group.

## What it does

Reports a dependency between two steps with the same `parallel_group`.

## Why it matters

A group says that its steps may run side by side; the dependency says that these two may not. The dependency wins, and
the time that the group was to save is not saved.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: customers
    run: echo customers
    parallel_group: analytics
  - name: orders
    run: echo orders
    parallel_group: analytics
    depends_on: [customers]
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: customers
    run: echo customers
    parallel_group: analytics
  - name: orders
    run: echo orders
    parallel_group: analytics
```

## Fix

Remove the dependency where the steps are independent, else the `parallel_group` of one of them.

## References

- `dependency-cycle`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Place, Rule, named_at
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("parallel-group-dependency", Group.GRAPH, Severity.WARNING)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every dependency inside a group."""
    del workspace
    grouped = {step.name: step for step in recipe.steps if step.parallel_group is not None}
    for step in grouped.values():
        for index, name in enumerate(step.depends_on):
            other = grouped.get(name)
            if other is None or other is step or other.parallel_group != step.parallel_group:
                continue
            place = Place(recipe.document, (*other.at, "parallel_group"), f"the group of {name!r}")
            message = f"step {step.name!r} waits for {name!r} of its own group {step.parallel_group!r}"
            yield Finding(
                recipe.document,
                named_at(step, "depends_on", index),
                message,
                "remove the dependency, or the parallel_group of one of them",
                related=(place,),
            )
