"""Two steps of a recipe have the same name.

## What it does

Reports the second of two steps with one name, and where the first stands.

## Why it matters

`depends_on`, `steps.<name>.outputs`, `--only` and the run record tell steps apart by their names. A recipe in which two
share one does not run.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo customers
  - name: load
    run: echo orders
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load_customers
    run: echo customers
  - name: load_orders
    run: echo orders
```

## Fix

Give one of them another name, and check which of the two `depends_on` means.

## References

- `duplicate-idx`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe, Step

RULE = Rule("duplicate-step-name", Group.GRAPH, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every step whose name an earlier step has."""
    if workspace.is_in_order(recipe):
        return
    seen: dict[str, Step] = {}
    for step in recipe.steps:
        first = seen.setdefault(step.name, step)
        if first is not step:
            other = Place(recipe.document, (*first.at, "name"), "the first one")
            message = f"two steps are called {step.name!r}"
            hint = "give one of them another name"
            yield Finding(recipe.document, (*step.at, "name"), message, hint, related=(other,))
