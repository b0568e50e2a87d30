"""Production is promoted into by itself, and no gate stands before it.

## What it does

Reports a production environment with `auto_promote: true` that has no gate but the order of environments.

## Why it matters

Every commit that gets through the stages before it is in production minutes later: nobody and nothing can say no.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging: {}
    production: {auto_promote: true, rollback_threshold: 0.95}
  pipeline_stages:
    - {name: deploy_staging, environment: staging}
    - {name: deploy_production, environment: production, requires: [deploy_staging]}
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
    production: {auto_promote: true, approval_required: true, rollback_threshold: 0.95}
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

Add a gate: `approval_required: true`, or one of `gates` such as `soak`, `window` or `checks`.

## References

- `production-without-approval`, which is about approvals alone
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.production import production_of
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Workflow

RULE = Rule("auto-promotion-into-production", Group.WORKFLOW, Severity.ERROR)


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every production environment whose door is open."""
    for environment in production_of(workflow, workspace):
        if environment.auto_promote and all(gate.kind == "order" for gate in environment.gates):
            message = f"{environment.name!r} is promoted into by itself, and no gate can stop it"
            hint = "add 'approval_required: true', or a gate under 'gates'"
            yield Finding(workflow.document, (*environment.at, "auto_promote"), message, hint)
