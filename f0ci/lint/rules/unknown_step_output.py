"""An expression reads the output of a step that does not offer it.

## What it does

Reports `steps.<name>` where the recipe has no such step, and, as a warning, `steps.<name>.outputs.<key>` where the step
declares its outputs and this is not one of them.

## Why it matters

Undefined names are errors: the run would stop at this step. The steps of a sub-recipe are outputs of the step that
calls it, not steps of their own.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: ./load.sh
    outputs: [row_count]
  - name: report
    run: ./report.sh
    depends_on: [load]
    env: {ROWS: "#{steps.loading.outputs.row_count}"}
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: ./load.sh
    outputs: [row_count]
  - name: report
    run: ./report.sh
    depends_on: [load]
    env: {ROWS: "#{steps.load.outputs.row_count}"}
```

## Fix

Correct the name, or declare the output where the step makes it.

## References

- `step-read-too-early`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import did_you_mean
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.uses import Use
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe, Step

RULE = Rule("unknown-step-output", Group.EXPRESSIONS, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every step or output that is not there."""
    uses = workspace.uses(recipe).of("steps")
    steps = {step.name: step for step in recipe.steps} if uses else {}
    for use in uses:
        if not use.reference.path or use.reference.has_default:
            continue
        name = str(use.reference.path[0])
        if name not in steps:
            hint = did_you_mean(name, steps, noun="steps")
            yield Finding(recipe.document, use.at, f"there is no step {name!r}", hint, within=use.within)
        else:
            yield from _undeclared(recipe, use, steps[name])


def _undeclared(recipe: Recipe, use: Use, step: Step) -> Iterator[Finding]:
    path = use.reference.path
    if len(path) < 3 or path[1] != "outputs" or not step.outputs or step.kind == "sub_recipe":
        return
    if path[2] not in step.outputs:
        yield Finding(
            recipe.document,
            use.at,
            f"step {step.name!r} declares no output {path[2]!r}",
            did_you_mean(str(path[2]), step.outputs, noun="its outputs"),
            within=use.within,
            related=(Place(recipe.document, (*step.at, "outputs"), "its outputs", key=True),),
            severity=Severity.WARNING,
        )
