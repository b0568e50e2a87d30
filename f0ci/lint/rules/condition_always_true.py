"""A condition is true whatever happens.

## What it does

Reports a condition that reads nothing but the name of the environment, or nothing at all, and is true in every
environment that there is. Conditions that read the configuration are switches, and are left alone.

## Why it matters

The step is guarded in appearance only. `environment == 'dev' or 'test'` is such a condition: a text that is not empty
is true.

## Bad

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: seed
    run: ./seed_test_data.sh
    condition: "environment == 'dev' or 'test'"
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
  - name: seed
    run: ./seed_test_data.sh
    condition: "environment in ['dev', 'test']"
# file: environments/dev/config.yaml
processing: {batch_size: 10}
# file: environments/prod/config.yaml
processing: {batch_size: 1000}
```

## Fix

Correct the condition, or remove it.

## References

- `step-never-runs`, for the opposite
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.deciding import verdicts_of
from f0ci.lint.rules.base import Finding, Group, Rule, listed
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("condition-always-true", Group.EXPRESSIONS, Severity.WARNING)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every condition that decides nothing."""
    for step, verdicts in verdicts_of(recipe, workspace):
        if verdicts.everywhere is not True or step.condition is True or verdicts.roots - {"environment", "overlay"}:
            continue
        names = listed(sorted(verdicts.by_environment))
        where = f"in {names}" if verdicts.roots else "whatever happens"
        message = f"the condition of step {step.name!r} is true {where}"
        yield Finding(recipe.document, (*step.at, "condition"), message, "correct it, or remove it")
