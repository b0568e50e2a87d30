"""Stages of a workflow require each other in a circle.

## What it does

Reports each circle of `requires` once, spelled out, at the stage of it that is written first.

## Why it matters

None of the stages could ever start, and no CI system accepts such a pipeline.

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
    - name: deploy_development
      environment: development
      requires: [deploy_staging]
    - name: deploy_staging
      environment: staging
      requires: [deploy_development]
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

Remove one of the requirements that are named.

## References

- `dependency-cycle`, for recipes
"""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Workflow

RULE = Rule("stage-cycle", Group.WORKFLOW, Severity.ERROR)

# each is looked for in all that is left; more than these are one mess
_MOST = 20


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every circle of stages."""
    del workspace
    requires = {stage.name: list(stage.requires) for stage in workflow.stages}
    places = {stage.name: (*stage.at, "requires") for stage in reversed(workflow.stages)}
    order = {name: index for index, name in enumerate(requires)}
    for _ in range(_MOST):
        try:
            TopologicalSorter(requires).prepare()
        except CycleError as error:
            # graphlib lists a circle against the direction of reading
            names: list[str] = list(reversed(error.args[1][1:]))
        else:
            return
        first = min(range(len(names)), key=lambda index: order[names[index]])
        names = [*names[first:], *names[: first + 1]]
        message = f"stages require each other: {' -> '.join(names)}"
        yield Finding(workflow.document, places[names[0]], message, "remove one of these requirements")
        requires[names[-2]].remove(names[-1])
