"""A call leaves out a parameter that the called recipe requires.

## What it does

Reports a `sub_recipe` step, or a `deploy` of a workflow, that does not give a parameter which the called recipe
declares with `required: true` and without a default.

## Why it matters

The called recipe refuses to start.

## Bad

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: ingest
    type: sub_recipe
    recipe_path: recipes/ingest.yaml
    parameters:
      output_format: json
# file: recipes/ingest.yaml
metadata:
  name: ingest
  template_parameters:
    - name: data_source_type
      required: true
    - name: output_format
      default: json
steps:
  - name: load
    run: ./load.sh
    env:
      SOURCE: "#{params.data_source_type}"
      FORMAT: "#{params.output_format}"
```

## Good

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: ingest
    type: sub_recipe
    recipe_path: recipes/ingest.yaml
    parameters:
      data_source_type: csv
      output_format: json
# file: recipes/ingest.yaml
metadata:
  name: ingest
  template_parameters:
    - name: data_source_type
      required: true
    - name: output_format
      default: json
steps:
  - name: load
    run: ./load.sh
    env:
      SOURCE: "#{params.data_source_type}"
      FORMAT: "#{params.output_format}"
```

## Fix

Give the parameter in the call, or a default in the called recipe.

## References

- `unknown-parameter`, for the other direction
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from f0ci.core.diagnostics import Severity
from f0ci.lint.calls import Call, calls_of, deploys_of
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Parameter, Recipe

if TYPE_CHECKING:
    from f0ci.workflows.model import Workflow

RULE = Rule("missing-parameter", Group.COMPOSITION, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every required parameter that a step does not give."""
    return _missing(calls_of(recipe, workspace))


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every required parameter that a deploy does not give."""
    return _missing(deploys_of(workflow, workspace))


def _missing(calls: Iterable[Call]) -> Iterator[Finding]:
    required: dict[str, list[Parameter]] = {}
    for call in calls:
        if call.recipe is None:
            continue
        if call.recipe.path not in required:
            required[call.recipe.path] = [one for one in call.recipe.parameters if one.required]
        for parameter in required[call.recipe.path]:
            if call.given.get(parameter.name) is None:
                at = (*call.given_at, parameter.name) if parameter.name in call.given else call.place_of_missing
                yield Finding(
                    call.document,
                    at,
                    f"{call.caller} does not give {parameter.name!r}, which {call.path!r} requires",
                    f"add '{parameter.name}:' to its parameters",
                    key=True,
                    related=(Place(call.recipe.document, parameter.at, "declared here"),),
                )
