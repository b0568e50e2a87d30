"""Production waits for no other environment.

## What it does

Reports a production environment that waits for no other environment where the workflow has another one: no stage of
it requires a stage of another environment, and it has no order gate.

## Why it matters

A release may be in production before it was anywhere else. That `staging` stands above `production` in the file orders
nothing.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging: {}
    production: {approval_required: true, rollback_threshold: 0.95}
  pipeline_stages:
    - {name: deploy_staging, environment: staging}
    - {name: deploy_production, environment: production}
  metrics:
    success_rate: {provider: file, path: metrics.csv, good: good, total: total}
```

## Good

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging: {}
    production: {approval_required: true, rollback_threshold: 0.95}
  pipeline_stages:
    - {name: deploy_staging, environment: staging}
    - {name: deploy_production, environment: production, requires: [deploy_staging]}
  metrics:
    success_rate: {provider: file, path: metrics.csv, good: good, total: total}
# file: environments/staging/config.yaml
processing: {batch_size: 100}
# file: environments/production/config.yaml
processing: {batch_size: 100}
```

## Fix

Let its stage require the stage of the environment before it.

## References

- `environment-order`, `production-without-approval`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.production import production_of
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Workflow

RULE = Rule("production-without-order", Group.WORKFLOW, Severity.WARNING)


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every production environment that may be the first."""
    production = {environment.name for environment in production_of(workflow, workspace)}
    others = [one.name for one in workflow.environments if one.name not in production]
    # what cannot be read is reported as such
    if not others or workflow.problems:
        return
    for environment in workflow.environments:
        if environment.name in production and not environment.upstream:
            message = f"{environment.name!r} waits for no other environment"
            hint = f"let its stage require the stage of {others[-1]!r}"
            yield Finding(workflow.document, environment.at, message, hint, key=True)
