"""Two steps that only `idx` could order have the same `idx`.

## What it does

Reports the second of two steps with one `idx` where at least one of them has no `depends_on`, so that `idx` decides
when it runs. Steps of one `parallel_group`, and steps that run only after a failure, may share a number.

## Why it matters

Equal numbers order nothing: the steps run in the order in which they are written, and moving a block of text changes
what the recipe does.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    idx: 1
    run: echo loading
  - name: store
    idx: 1
    run: echo storing
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
```

## Fix

Give each its own number, name the order with `depends_on`, or put both into one `parallel_group`.

## References

- `idx-contradicts-dependency`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe, Step

RULE = Rule("duplicate-idx", Group.GRAPH, Severity.WARNING)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every step whose number an earlier step has, where the number decides."""
    if workspace.is_in_order(recipe):
        return
    seen: dict[float, list[Step]] = {}
    for step in recipe.steps:
        if step.idx is None or step.trigger is not None:
            continue
        others = seen.setdefault(step.idx, [])
        other = next((other for other in others if _both_need_it(step, other)), None)
        if other is not None:
            place = Place(recipe.document, (*other.at, "idx"), f"the idx of {other.name!r}")
            message = f"steps {other.name!r} and {step.name!r} both have the idx {step.idx}"
            hint = "give each its own number, or name the order with 'depends_on'"
            yield Finding(recipe.document, (*step.at, "idx"), message, hint, related=(place,))
        others.append(step)


def _both_need_it(one: Step, other: Step) -> bool:
    if one.parallel_group is not None and one.parallel_group == other.parallel_group:
        return False
    return one.raw.get("depends_on") is None or other.raw.get("depends_on") is None
