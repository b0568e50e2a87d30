"""A step waits for a step that runs only after a failure.

## What it does

Reports a name in `depends_on` whose step has `trigger: on_error`, unless the waiting step has it too.

## Why it matters

In a run that succeeds the step would wait for ever, so the recipe is refused.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
  - name: recover
    run: echo recovering
    trigger: on_error
  - name: store
    run: echo storing
    depends_on: [load, recover]
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
  - name: recover
    run: echo recovering
    trigger: on_error
  - name: store
    run: echo storing
    depends_on: [load]
```

## Fix

Remove the dependency, or the trigger.

## References

- `unknown-dependency`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Place, Rule, named_at
from f0ci.lint.workspace import Workspace
from f0ci.recipes.graph import ON_ERROR
from f0ci.recipes.model import Recipe

RULE = Rule("on-error-dependency", Group.GRAPH, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every dependency on a step that a successful run never reaches."""
    del workspace
    handlers = {step.name: step for step in recipe.steps if step.trigger == ON_ERROR}
    for step in recipe.steps if handlers else ():
        for index, name in enumerate(step.depends_on):
            if step.trigger != ON_ERROR and name in handlers:
                place = Place(recipe.document, (*handlers[name].at, "trigger"), f"the trigger of {name!r}")
                yield Finding(
                    recipe.document,
                    named_at(step, "depends_on", index),
                    f"step {step.name!r} waits for {name!r}, which runs only after a failure",
                    "remove the dependency, or the trigger",
                    related=(place,),
                )
