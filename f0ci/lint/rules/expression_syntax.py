"""An expression cannot be read.

## What it does

Reports `#{...}` and `{{ ... }}` in steps that are not closed or not in the language, and conditions that are not one
expression, at the character where reading stops. Commands (`run`) are left alone: they hold no expressions.

## Why it matters

The run would stop at this step.

## Bad

```yaml
metadata:
  name: nightly
parameters:
  - name: mode
    default: full
steps:
  - name: load
    run: ./load.sh
    condition: "#{params.mode = 'full'}"
```

## Good

```yaml
metadata:
  name: nightly
parameters:
  - name: mode
    default: full
steps:
  - name: load
    run: ./load.sh
    condition: "#{params.mode == 'full'}"
```

## Fix

Correct the expression at the mark. A text that is meant to hold `#{` says `#{'#{'}`.

## References

- `unknown-root`, for expressions that can be read and name what does not exist
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.uses import read_deploy_uses
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

if TYPE_CHECKING:
    from f0ci.workflows.model import Workflow

RULE = Rule("expression-syntax", Group.EXPRESSIONS, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every expression that cannot be read."""
    for at, error in workspace.uses(recipe).faults:
        yield Finding(recipe.document, at, error.message, error.hint, within=(error.offset, 1))


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every expression of a deploy parameter that cannot be read."""
    del workspace
    for environment in workflow.environments:
        for at, error in read_deploy_uses(environment).faults:
            yield Finding(workflow.document, at, error.message, error.hint, within=(error.offset, 1))
