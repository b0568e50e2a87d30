"""The path of a recipe leaves the repository.

## What it does

Reports a `recipe_path` or `deploy` recipe that is absolute, climbs above the repository's root, or follows a symbolic
link out of it.

## Why it matters

A release holds what is in the repository. A recipe outside it differs from machine to machine, is in no release, and
nobody has reviewed it.

## Bad

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: ingest
    type: sub_recipe
    recipe_path: ../../shared/ingest.yaml
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
# file: recipes/ingest.yaml
metadata:
  name: ingest
steps:
  - name: load
    run: echo loading
```

## Fix

Bring the recipe into the repository, for example as a Git subtree, and name it there.

## References

- https://cwe.mitre.org/data/definitions/22.html
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

RULE = Rule("recipe-path-escapes", Group.COMPOSITION, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every sub-recipe outside the repository."""
    return _outside(calls_of(recipe, workspace))


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every deploy recipe outside the repository."""
    return _outside(deploys_of(workflow, workspace))


def _outside(calls: Iterable[Call]) -> Iterator[Finding]:
    for call in calls:
        if isinstance(call.fault, OutsideTree):
            yield Finding(call.document, call.at, f"{call.caller}: {call.fault.message}", call.fault.hint)
