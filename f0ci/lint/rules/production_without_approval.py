"""Nobody has to approve a promotion into production.

## What it does

Reports a production environment of a workflow without an approval gate: neither `approval_required: true`, nor
`gates: {approval: ...}`, nor a stage that requires `manual_approval`.

## Why it matters

Whatever reaches the stage before it reaches production, at any hour, without a person having looked at it.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    production:
      rollback_threshold: 0.95
  pipeline_stages:
    - name: deploy_production
      environment: production
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
    production:
      approval_required: true
      rollback_threshold: 0.95
  pipeline_stages:
    - name: deploy_production
      environment: production
  metrics:
    success_rate: {provider: file, path: metrics.csv, good: good, total: total}
# file: environments/production/config.yaml
processing: {batch_size: 1000}
```

## Fix

Set `approval_required: true`, and say who may approve in the approver file. Where nobody is meant to, ignore the rule
with the reason.

## References

- `production-without-rollback-trigger`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.production import production_of
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Workflow

RULE = Rule("production-without-approval", Group.WORKFLOW, Severity.WARNING)


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every production environment that nobody guards."""
    for environment in production_of(workflow, workspace):
        if not any(gate.kind == "approval" for gate in environment.gates):
            message = f"nobody has to approve a promotion into {environment.name!r}"
            hint = "set 'approval_required: true'"
            yield Finding(workflow.document, environment.at, message, hint, key=True)
