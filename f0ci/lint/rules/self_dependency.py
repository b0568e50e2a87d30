"""A step waits for itself.

## What it does

Reports a step whose `depends_on` names the step itself.

## Why it matters

It would never start.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
    depends_on: [load]
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
```

## Fix

Remove the name, or write the one that was meant.

## References

- `dependency-cycle`, for steps that wait for each other
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Rule, named_at
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("self-dependency", Group.GRAPH, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every dependency of a step on itself."""
    if workspace.is_in_order(recipe):
        return
    for step in recipe.steps:
        for index, name in enumerate(step.depends_on):
            if name == step.name:
                at = named_at(step, "depends_on", index)
                yield Finding(recipe.document, at, f"step {step.name!r} waits for itself", "remove the name")
