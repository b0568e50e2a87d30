"""A step's condition is false in every environment.

## What it does

Works out what a step's condition comes to in each environment, as far as that is known without a run, and reports a
step that none of them would run: a comparison with the name of an environment that there is not, or a switch that is
off everywhere. Where the condition reads the configuration, or is just `false`, it is a note: somebody may mean to
switch it on.

## Why it matters

The step looks as if it did something. `environment` is the name of the environment's folder: where that is `prod`, a
comparison with `production` is never true, and what should guard production never runs.

## Bad

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: check
    run: ./check.sh
    condition: "environment == 'production'"
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
  - name: check
    run: ./check.sh
    condition: "environment == 'prod'"
# file: environments/dev/config.yaml
processing: {batch_size: 10}
# file: environments/prod/config.yaml
processing: {batch_size: 1000}
```

## Fix

Correct the name or the condition, or remove the step.

## References

- `condition-always-true`, for the opposite
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.deciding import verdicts_of
from f0ci.lint.rules.base import Finding, Group, Rule, listed
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("step-never-runs", Group.GRAPH, Severity.WARNING)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every step that no environment runs."""
    for step, verdicts in verdicts_of(recipe, workspace):
        if verdicts.everywhere is not False:
            continue
        names = sorted(verdicts.by_environment)
        is_meant = "config" in verdicts.roots or not verdicts.roots
        yield Finding(
            recipe.document,
            (*step.at, "condition"),
            f"step {step.name!r} never runs: its condition is false in {listed(names)}",
            "correct the condition, or remove the step" if is_meant else f"the environments are {listed(names)}",
            severity=Severity.NOTE if is_meant else None,
        )
