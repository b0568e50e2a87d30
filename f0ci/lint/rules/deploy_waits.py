"""A deploy recipe holds a step that waits.

## What it does

Reports a step of type `wait` in a recipe that a workflow's environment names under `deploy`, or in a recipe that it
calls.

## Why it matters

A promotion runs the deploy recipe to its end and judges the release afterwards. A recipe that waits never gets there:
the promotion stops with an error at this step. What a promotion waits for is said by the workflow, where approvals are
signed, recorded and verified.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging: {deploy: recipes/deploy.yaml}
# file: recipes/deploy.yaml
metadata: {name: deploy}
steps:
  - name: ask
    type: wait
    args: {approval: true}
  - name: ship
    run: ./ship.sh
# file: environments/staging/config.yaml
processing: {batch_size: 1000}
```

## Good

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging: {deploy: recipes/deploy.yaml, approval_required: true}
# file: recipes/deploy.yaml
metadata: {name: deploy}
steps:
  - name: ship
    run: ./ship.sh
# file: environments/staging/config.yaml
processing: {batch_size: 1000}
```

## Fix

Say what is waited for in the workflow: `approval_required`, a gate (`soak`, `window`), a pause of the rollout.

## References

- `f0ci run`, for recipes that wait
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.calls import Call, calls_of, deploys_of
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe
from f0ci.workflows.model import Workflow

RULE = Rule("deploy-waits", Group.COMPOSITION, Severity.ERROR)


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every step of a deploy recipe that waits."""
    told: set[str] = set()
    for call in deploys_of(workflow, workspace):
        for recipe in _needed(call, workspace, told):
            for step in recipe.steps:
                if step.kind == "wait":
                    yield Finding(
                        recipe.document,
                        (*step.at, "type"),
                        f"step {step.name!r} waits, and promotions run this recipe to its end",
                        "say what is waited for in the workflow: approval_required, a gate, a pause",
                        related=(Place(call.document, call.at, f"deployed by {call.caller}"),),
                    )


def _needed(call: Call, workspace: Workspace, told: set[str]) -> Iterator[Recipe]:
    """Yield the recipe of a call and all it calls, each once."""
    if call.recipe is not None and call.recipe.path not in told:
        told.add(call.recipe.path)
        yield call.recipe
        for inner in calls_of(call.recipe, workspace):
            yield from _needed(inner, workspace, told)
