"""A step or a workflow calls a recipe that does not exist.

## What it does

Reports a `recipe_path`, or a `deploy` recipe of a workflow, that names no file, with the closest one. Paths are looked
up below the repository's root, then beside the calling recipe. Paths with expressions are known only to a run and are
left alone.

## Why it matters

The run would stop there, after everything before it was done.

## Bad

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: ingest
    type: sub_recipe
    recipe_path: recipes/data/ingst.yaml
# file: recipes/data/ingest.yaml
metadata:
  name: ingest
steps:
  - name: load
    run: echo loading
```

## Good

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: ingest
    type: sub_recipe
    recipe_path: recipes/data/ingest.yaml
# file: recipes/data/ingest.yaml
metadata:
  name: ingest
steps:
  - name: load
    run: echo loading
```

## Fix

Correct the path, or add the recipe.

## References

- `recipe-path-escapes`, for paths that leave the repository
- `project-path-missing`, for the folders of recipes in `f0ci.yaml`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from f0ci.core.diagnostics import Severity
from f0ci.core.errors import OutsideTree
from f0ci.lint.calls import Call, calls_of, deploys_of
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

if TYPE_CHECKING:
    from f0ci.workflows.model import Workflow

RULE = Rule("recipe-path-missing", Group.COMPOSITION, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every sub-recipe that is not there."""
    return _missing(calls_of(recipe, workspace))


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every deploy recipe that is not there."""
    return _missing(deploys_of(workflow, workspace))


def _missing(calls: Iterable[Call]) -> Iterator[Finding]:
    for call in calls:
        if call.fault is not None and not isinstance(call.fault, OutsideTree):
            yield Finding(call.document, call.at, f"{call.caller}: {call.fault.message}", call.fault.hint)
        elif call.path is not None and call.recipe is None and not call.is_broken:
            hint = "name a file with 'steps'"
            yield Finding(call.document, call.at, f"{call.caller}: {call.path!r} is not a recipe", hint)
