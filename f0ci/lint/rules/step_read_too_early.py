"""A step reads the outputs of a step that it does not wait for.

## What it does

Reports `steps.<name>` in a step that runs before that step: always, which is an error, or perhaps, because nothing
orders the two, which is a warning. Names with a default are left alone.

## Why it matters

Outputs exist when a step is over. Before that, the name is not defined and the run stops; where the order is open, it
stops only sometimes.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: count
    run: ./count.sh
    depends_on: []
  - name: report
    run: ./report.sh
    depends_on: []
    env: {ROWS: "#{steps.count.outputs.rows}"}
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: count
    run: ./count.sh
    depends_on: []
  - name: report
    run: ./report.sh
    depends_on: [count]
    env: {ROWS: "#{steps.count.outputs.rows}"}
```

## Fix

Add the step that is read to `depends_on`.

## References

- `unknown-step-output`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from f0ci.core.diagnostics import Severity
from f0ci.core.errors import InputError
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.graph import ON_ERROR, order, ways
from f0ci.recipes.model import Recipe, Step

RULE = Rule("step-read-too-early", Group.EXPRESSIONS, Severity.ERROR)

_FEW = 8


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every read of a step that need not be over."""
    uses = [use for use in workspace.uses(recipe).of("steps") if use.reference.path and not use.reference.has_default]
    if not uses:
        return
    steps = {step.name: step for step in recipe.steps}
    # most steps read one right before them: the order of all steps is worth asking for the others alone
    uses = [use for use in uses if use.step is None or not _waits(use.step, str(use.reference.path[0]), steps)]
    if not uses:
        return
    try:
        before = order(recipe).predecessors
    except InputError:
        # what keeps the steps from being ordered is reported by other rules
        return
    open_uses = [
        (use, step, str(use.reference.path[0])) for use in uses if (step := use.step) and step.trigger != ON_ERROR
    ]
    # most steps read the one right before them
    left = [entry for entry in open_uses if entry[2] in steps and entry[2] not in before.get(entry[1].name, ())]
    early = ways(before, {(name, step.name) for _, step, name in left})
    left = [entry for entry in left if (entry[2], entry[1].name) not in early]
    later = ways(before, {(step.name, name) for _, step, name in left})
    for use, step, name in left:
        if name not in before:
            what, hint = "which runs only after a failure", "read it in a step with 'trigger: on_error'"
        elif name == step.name:
            what, hint = "which is this step itself", "read what an earlier step offers"
        elif (step.name, name) in later:
            what, hint = "which runs later", "change the order of the two"
        else:
            what, hint = "which it does not wait for", f"add {name!r} to 'depends_on'"
        yield Finding(
            recipe.document,
            use.at,
            f"step {step.name!r} reads step {name!r}, {what}",
            hint,
            within=use.within,
            severity=Severity.WARNING if what == "which it does not wait for" else None,
        )


def _waits(step: Step, name: str, steps: Mapping[str, Step]) -> bool:
    """Tell whether a step certainly waits for one of a name, as the last few dependencies before it say."""
    for _ in range(_FEW):
        if name in step.depends_on:
            return name in steps
        # what waits for several is left to the order of all steps
        before = steps.get(step.depends_on[0]) if len(step.depends_on) == 1 else None
        if before is None:
            return False
        step = before
    return False
