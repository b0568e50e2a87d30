"""Two stages of a workflow have the same name.

## What it does

Reports the second of two stages with one name, and where the first stands.

## Why it matters

`requires` tells stages apart by their names, and so do the jobs of every generated pipeline.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    development: {}
    staging: {}
  pipeline_stages:
    - name: deploy
      environment: development
    - name: deploy
      environment: staging
```

## Good

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    development: {}
    staging: {}
  pipeline_stages:
    - name: deploy_development
      environment: development
    - name: deploy_staging
      environment: staging
      requires: [deploy_development]
# file: environments/development/config.yaml
processing: {batch_size: 10}
# file: environments/staging/config.yaml
processing: {batch_size: 100}
```

## Fix

Give one of them another name.

## References

- `duplicate-step-name`, for recipes
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Stage, Workflow

RULE = Rule("duplicate-stage-name", Group.WORKFLOW, Severity.ERROR)


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every stage whose name an earlier stage has."""
    del workspace
    seen: dict[str, Stage] = {}
    for stage in workflow.stages:
        first = seen.setdefault(stage.name, stage)
        if first is not stage:
            place = Place(workflow.document, (*first.at, "name"), "the first one")
            message = f"two stages are called {stage.name!r}"
            hint = "give one of them another name"
            yield Finding(workflow.document, (*stage.at, "name"), message, hint, related=(place,))
