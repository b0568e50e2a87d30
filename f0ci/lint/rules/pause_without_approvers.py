"""A rollout pauses for a person, and nobody may let it go on.

## What it does

Reports `pause: manual` of an environment's step where the approvers file is missing or lists nobody.

## Why it matters

`f0ci resume` is for people in the approvers file. With nobody there the rollout stands at its pause, two releases
running, until somebody aborts it.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging:
      deployment_strategy: canary
      steps: [{percent: 10, pause: manual}, 100]
  pipeline_stages:
    - name: deploy_staging
      environment: staging
# file: environments/staging/config.yaml
processing: {batch_size: 100}
```

## Good

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging:
      deployment_strategy: canary
      steps: [{percent: 10, pause: manual}, 100]
  pipeline_stages:
    - name: deploy_staging
      environment: staging
# file: environments/staging/config.yaml
processing: {batch_size: 100}
# file: .f0ci/approvers.yaml
version: 1
people:
  alice:
    emails: [alice@example.com]
```

## Fix

List the people who may let it go on in the approvers file, with their signing keys, or give the pause a time.

## References

- `production-without-approval`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Workflow

RULE = Rule("pause-without-approvers", Group.WORKFLOW, Severity.ERROR)


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield the first step of each environment that pauses for somebody who is not there."""
    pausing = [one for one in workflow.environments if any(step.manual for step in one.rollout.steps)]
    if not pausing or _lists_somebody(workspace):
        return
    place = workspace.project.approvers
    for environment in pausing:
        number = next(index for index, step in enumerate(environment.rollout.steps) if step.manual)
        message = f"{environment.name!r} pauses for a person, and the approvers file {place!r} lists nobody"
        hint = f"add people to {place!r}, or give the pause a time, such as 'pause: 10m'"
        yield Finding(workflow.document, (*environment.at, "steps", number, "pause"), message, hint)


def _lists_somebody(workspace: Workspace) -> bool:
    """Tell whether people may resume; a file that cannot be read is reported by itself."""
    source = workspace.source(workspace.project.approvers)
    if source is None:
        return False
    if source.document.broken:
        return True
    data = source.document.data
    return isinstance(data, Mapping) and bool(data.get("people"))
