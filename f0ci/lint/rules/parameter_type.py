"""A value does not fit the parameter that it is for.

## What it does

Checks the values that `sub_recipe` steps and `deploy` give, and the defaults of a recipe's own parameters, against the
declared `type` and `validation`. Values with expressions are known only to a run and are left alone.

## Why it matters

The called recipe refuses the value when it starts, after everything before it was done.

## Bad

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: fetch
    type: sub_recipe
    recipe_path: recipes/fetch.yaml
    parameters: {method: FETCH}
# file: recipes/fetch.yaml
name: fetch
version: "1.0"
parameters:
  method:
    type: string
    default: GET
    validation: {enum: [GET, POST]}
steps:
  - name: call
    run: ./fetch.sh
    env: {METHOD: "{{ method }}"}
```

## Good

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: fetch
    type: sub_recipe
    recipe_path: recipes/fetch.yaml
    parameters: {method: POST}
# file: recipes/fetch.yaml
name: fetch
version: "1.0"
parameters:
  method:
    type: string
    default: GET
    validation: {enum: [GET, POST]}
steps:
  - name: call
    run: ./fetch.sh
    env: {METHOD: "{{ method }}"}
```

## Fix

Give a value of the declared type that `validation` allows.

## References

- `missing-parameter`, `unknown-parameter`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from f0ci.core.diagnostics import Severity
from f0ci.lint.calls import Call, calls_of, deploys_of
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe
from f0ci.recipes.parameters import check_defaults, check_given

if TYPE_CHECKING:
    from f0ci.workflows.model import Workflow

RULE = Rule("parameter-type", Group.COMPOSITION, Severity.ERROR)

_KINDS = frozenset({"type", "validation"})


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every default and every value of a step that does not fit."""
    for parameter, problem in check_defaults(recipe):
        if problem.kind in _KINDS:
            yield Finding(recipe.document, (*parameter.at, "default"), f"default: {problem.message}", problem.hint)
    yield from _unfit(calls_of(recipe, workspace))


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every value of a deploy that does not fit."""
    return _unfit(deploys_of(workflow, workspace))


def _unfit(calls: Iterable[Call]) -> Iterator[Finding]:
    for call in calls:
        if call.recipe is None:
            continue
        for problem in check_given(call.recipe, call.given):
            declared = call.recipe.parameter(problem.name)
            if problem.kind in _KINDS and declared is not None:
                place = Place(call.recipe.document, declared.at, "declared here")
                at = (*call.given_at, problem.name)
                yield Finding(call.document, at, f"{call.caller}: {problem.message}", problem.hint, related=(place,))
