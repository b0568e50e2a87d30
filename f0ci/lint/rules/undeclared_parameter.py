"""A recipe reads a parameter that it does not declare.

## What it does

Reports `params.<name>` in a recipe that declares no parameter of that name, at each place. Names with a default
(`params.x | default(...)`) are left alone. It is a warning in a recipe that declares no parameters at all.

## Why it matters

Without a declaration a caller cannot know that the value is needed, nothing checks it, and a run without it stops in
the middle.

## Bad

```yaml
metadata:
  name: ingest
  template_parameters:
    - name: source_type
      required: true
steps:
  - name: load
    run: ./load.sh
    env:
      SOURCE: "#{params.source_type}"
      LEVEL: "#{params.validation_level}"
```

## Good

```yaml
metadata:
  name: ingest
  template_parameters:
    - name: source_type
      required: true
    - name: validation_level
      default: standard
steps:
  - name: load
    run: ./load.sh
    env:
      SOURCE: "#{params.source_type}"
      LEVEL: "#{params.validation_level}"
```

## Fix

Declare the parameter under `parameters` or `metadata.template_parameters`, or correct the name.

## References

- `unknown-parameter`, for the recipe that gives it
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import closest
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("undeclared-parameter", Group.COMPOSITION, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every use of a parameter that is not declared."""
    declared = {parameter.name for parameter in recipe.parameters}
    for use in workspace.uses(recipe).of("params"):
        reference = use.reference
        if not reference.path or reference.has_default:
            continue
        name = str(reference.path[0])
        if name in declared:
            continue
        near = closest(name, declared)
        key = "metadata.template_parameters" if recipe.document.get(("metadata",)) else "parameters"
        yield Finding(
            recipe.document,
            use.at,
            f"the parameter {name!r} is read here, but this recipe does not declare it",
            f"did you mean {near!r}?" if near else f"add '- name: {name}' to '{key}'",
            within=use.within,
            severity=None if declared else Severity.WARNING,
        )
