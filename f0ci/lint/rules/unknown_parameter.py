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

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import closest, may_compare
from f0ci.lint.calls import Call, calls_of, deploys_of
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.uses import Uses
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe
from f0ci.source.reading import Path

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
    read: dict[str, Mapping[str, Path]] = {}
    for call in calls:
        if call.recipe is not None:
            declared = call.recipe.declared
            for name in call.given:
                if name not in declared:
                    if call.recipe.path not in read:
                        read[call.recipe.path] = _first_read(workspace.uses(call.recipe))
                    yield _finding(call, call.recipe, str(name), read[call.recipe.path])


def _first_read(uses: Uses) -> Mapping[str, Path]:
    """Return where a recipe first reads each name, as a parameter or plainly."""
    found: dict[str, Path] = {}
    for use in uses.names:
        reference = use.reference
        if reference.root == "params" and reference.path:
            found.setdefault(str(reference.path[0]), use.at)
        found.setdefault(reference.root, use.at)
    return found


def _finding(call: Call, recipe: Recipe, name: str, read: Mapping[str, Path]) -> Finding:
    reads = (Place(recipe.document, read[name], "read here without being declared"),) if name in read else ()
    declared = recipe.declared
    # where no more names are compared there is no need to gather them
    near = closest(name, declared.keys() - set(call.given)) if may_compare() else None
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
