"""A step waits for a step that does not exist.

## What it does

Reports every name in `depends_on` that no step of the recipe has, with the closest name.

## Why it matters

The recipe does not run: nobody can tell what it was to wait for.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
  - name: store
    run: echo storing
    depends_on: [laod]
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
  - name: store
    run: echo storing
    depends_on: [load]
```

## Fix

Correct the name, or remove it. Steps of a sub-recipe cannot be named: wait for the step that calls it.

## References

- `self-dependency`, `dependency-cycle`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import did_you_mean
from f0ci.lint.rules.base import Finding, Group, Rule, named_at
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("unknown-dependency", Group.GRAPH, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every dependency that is no step."""
    if workspace.is_in_order(recipe):
        return
    names = {step.name for step in recipe.steps}
    for step in recipe.steps:
        for index, name in enumerate(step.depends_on):
            if name not in names:
                at = named_at(step, "depends_on", index)
                others = (other for other in names if other != step.name)
                hint = f"write a list: [{name}]" if _are_several(name, names) else None
                hint = hint or did_you_mean(name, others, noun="steps") or "remove it"
                yield Finding(recipe.document, at, f"step {step.name!r} waits for {name!r}, which does not exist", hint)


def _are_several(text: str, names: set[str]) -> bool:
    return "," in text and all(part.strip() in names for part in text.split(","))
