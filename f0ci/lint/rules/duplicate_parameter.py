"""A recipe declares a parameter twice.

## What it does

Reports the second declaration of a parameter, and where the first stands. `parameters` and
`metadata.template_parameters` are one list.

## Why it matters

Only one of the two counts. The other one's default, type and description say something that is not true.

## Bad

```yaml
metadata:
  name: nightly
parameters:
  - name: mode
    default: full
  - name: mode
    default: quick
steps:
  - name: load
    run: ./load.sh
    env: {MODE: "#{params.mode}"}
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
    env: {MODE: "#{params.mode}"}
```

## Fix

Keep one of them.

## References

- `duplicate-key`, for parameters written as a mapping
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Parameter, Recipe

RULE = Rule("duplicate-parameter", Group.COMPOSITION, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every declaration of a parameter that an earlier one declares."""
    del workspace
    seen: dict[str, Parameter] = {}
    for parameter in recipe.parameters:
        first = seen.setdefault(parameter.name, parameter)
        if first is not parameter:
            place = Place(recipe.document, first.at, "the first one")
            message = f"the parameter {parameter.name!r} is declared twice"
            yield Finding(recipe.document, parameter.at, message, "keep one of them", related=(place,))
