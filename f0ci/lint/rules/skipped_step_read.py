"""A step reads the outputs of a step that does not run in some environment.

## What it does

Works out in which environments a step's condition is false, and reports a step that runs there and reads outputs of
the step that did not. Reads with a default (`... | default(...)`), and reads that an expression's choice may pass over,
are left alone.

## Why it matters

A step that was skipped is done, so what waits for it runs; but it has no outputs, and the run stops at the name that
is not defined. It does so only in that environment.

## Bad

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: backup
    run: ./backup.sh
    condition: "environment == 'prod'"
  - name: report
    run: ./report.sh
    env: {BACKUP: "#{steps.backup.outputs.path}"}
# file: environments/dev/config.yaml
processing: {batch_size: 10}
# file: environments/prod/config.yaml
processing: {batch_size: 1000}
```

## Good

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: backup
    run: ./backup.sh
    condition: "environment == 'prod'"
  - name: report
    run: ./report.sh
    env: {BACKUP: "#{steps.backup.outputs.path | default('none')}"}
# file: environments/dev/config.yaml
processing: {batch_size: 10}
# file: environments/prod/config.yaml
processing: {batch_size: 1000}
```

## Fix

Give the expression a default, or the reading step the same condition.

## References

- `step-read-too-early`, `unknown-step-output`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from f0ci.core.diagnostics import Severity
from f0ci.lint.deciding import Verdicts, verdicts_of
from f0ci.lint.rules.base import Finding, Group, Place, Rule, listed
from f0ci.lint.uses import Use
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe, Step
from f0ci.source.reading import Path

RULE = Rule("skipped-step-read", Group.GRAPH, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every read of outputs that are not there in some environment."""
    known = {step.at: verdicts for step, verdicts in verdicts_of(recipe, workspace)}
    if not known:
        return
    conditional = {step.name: step for step in recipe.steps if step.condition is not None}
    for use in workspace.uses(recipe).of("steps"):
        path = use.reference.path
        if len(path) < 3 or path[1] != "outputs" or use.step is None:
            continue
        read = conditional.get(str(path[0]))
        if read is None or read is use.step or use.reference.has_default or use.is_optional:
            continue
        lacking = _lacking(read, use.step, use, known)
        if lacking:
            place = Place(recipe.document, (*read.at, "condition"), f"the condition of step {read.name!r}")
            message = f"step {use.step.name!r} reads outputs of step {read.name!r}, which does not run in "
            yield Finding(
                recipe.document,
                use.at,
                message + listed(lacking),
                "add '| default(...)', or give both the same condition",
                within=use.within,
                related=(place,),
            )


def _lacking(read: Step, reader: Step, use: Use, known: Mapping[Path, Verdicts]) -> list[str]:
    """Return the environments in which the reader certainly runs and the other step certainly does not."""
    missing = known.get(read.at)
    if missing is None or reader.trigger is not None:
        return []
    # a condition is worked out before it is known whether the step runs
    asked = reader.condition is None or use.at == (*reader.at, "condition")
    own = None if asked else known.get(reader.at)
    if not asked and own is None:
        return []
    return sorted(
        name
        for name, runs in missing.by_environment.items()
        if runs is False and (own is None or own.by_environment.get(name) is True)
    )
