"""A step's `idx` puts it before a step that it waits for.

## What it does

Reports a step that depends on a step with a larger `idx`.

## Why it matters

`depends_on` wins, so the number says something that is not true. Whoever reads the recipe by its numbers reads it
wrong, and a runner that goes by `idx` alone runs it wrong.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: store
    idx: 1
    run: echo storing
    depends_on: [load]
  - name: load
    idx: 2
    run: echo loading
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    idx: 1
    run: echo loading
  - name: store
    idx: 2
    run: echo storing
    depends_on: [load]
```

## Fix

Number the steps in the order in which they run.

## References

- `duplicate-idx`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("idx-contradicts-dependency", Group.GRAPH, Severity.WARNING)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every number that contradicts a dependency."""
    if workspace.is_in_order(recipe):
        return
    numbered = {step.name: step for step in recipe.steps if step.idx is not None}
    for step in numbered.values():
        for name in dict.fromkeys(step.depends_on):
            other = numbered.get(name)
            if other is None or other is step or step.idx is None or other.idx is None or step.idx >= other.idx:
                continue
            place = Place(recipe.document, (*other.at, "idx"), f"the idx of {name!r}")
            message = f"step {step.name!r} has the idx {step.idx} and waits for {name!r}, which has {other.idx}"
            hint = "number the steps in the order in which they run"
            yield Finding(recipe.document, (*step.at, "idx"), message, hint, related=(place,))
