"""A call gives a parameter that the called recipe does not declare.

## What it does

Reports a parameter of a `sub_recipe` step, or of a `deploy` of a workflow, that the called recipe does not declare. It
is an error where a run refuses the call, and a warning where it lets it pass: the called recipe declares no parameters
at all, or reads this one without declaring it.

## Why it matters

What nobody declares has no type, no default and no check. Mostly nobody reads it either: the caller believes that it
changes something, and it changes nothing.

## Bad

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: report
    type: sub_recipe
    recipe_path: recipes/report.yaml
    parameters:
      export_fromat: csv
# file: recipes/report.yaml
metadata:
  name: report
  template_parameters:
    - name: export_format
      default: json
steps:
  - name: write
    run: ./report.sh
    env: {FORMAT: "#{params.export_format}"}
```

## Good

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: report
    type: sub_recipe
    recipe_path: recipes/report.yaml
    parameters:
      export_format: csv
# file: recipes/report.yaml
metadata:
  name: report
  template_parameters:
    - name: export_format
      default: json
steps:
  - name: write
    run: ./report.sh
    env: {FORMAT: "#{params.export_format}"}
```

## Fix

Correct the name, remove it, or declare it in the called recipe.

## References

- `undeclared-parameter`, for the recipe that reads it
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import closest
from f0ci.lint.calls import Call, calls_of, deploys_of
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

if TYPE_CHECKING:
    from f0ci.workflows.model import Workflow

RULE = Rule("unknown-parameter", Group.COMPOSITION, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every parameter of a step that the called recipe does not declare."""
    return _unknown(calls_of(recipe, workspace), workspace)


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every parameter of a deploy that the called recipe does not declare."""
    return _unknown(deploys_of(workflow, workspace), workspace)


def _unknown(calls: Iterable[Call], workspace: Workspace) -> Iterator[Finding]:
    for call in calls:
        if call.recipe is not None:
            declared = call.recipe.declared
            for name in call.given:
                if name not in declared:
                    yield _finding(call, call.recipe, str(name), workspace)


def _finding(call: Call, recipe: Recipe, name: str, workspace: Workspace) -> Finding:
    reads = tuple(
        Place(recipe.document, use.at, "read here without being declared")
        for use in workspace.uses(recipe).names
        if (use.reference.root, use.reference.path[:1]) == ("params", (name,)) or use.reference.root == name
    )[:1]
    declared = recipe.declared
    near = closest(name, declared.keys() - set(call.given))
    message = f"{call.caller} gives {name!r}, which {recipe.path!r} does not declare"
    hint = f"did you mean {near!r}?" if near else "remove it, or declare it there"
    if reads:
        message, hint = f"{message}, though it reads it", "declare it there"
    elif not declared:
        message = f"{message}; it declares no parameters"
    return Finding(
        call.document,
        (*call.given_at, name),
        message,
        hint,
        key=True,
        related=reads,
        severity=Severity.WARNING if reads or not declared else None,
    )
