"""Nothing would roll production back.

## What it does

Reports a production environment of a workflow without any check after a change: neither `rollback_triggers` nor
`success_criteria` of its stage, nor a `rollback_threshold`.

## Why it matters

A bad release stays until a person notices. A promotion that nothing checks succeeds by definition.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    production:
      approval_required: true
  pipeline_stages:
    - name: deploy_production
      environment: production
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
  pipeline_stages:
    - name: deploy_production
      environment: production
      monitoring:
        rollback_triggers: [error_rate > 2%]
  metrics:
    error_rate: {provider: file, path: metrics.csv, bad: failed, total: total}
# file: environments/production/config.yaml
processing: {batch_size: 1000}
```

## Fix

Add `monitoring.rollback_triggers` to the stage, or `rollback_threshold` to the environment.

## References

- `metric-without-provider`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.production import production_of
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Workflow

RULE = Rule("production-without-rollback-trigger", Group.WORKFLOW, Severity.WARNING)


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every production environment that nothing checks after a change."""
    for environment in production_of(workflow, workspace):
        # a check that cannot be read is reported as such
        if not environment.checks and not _has_unread_checks(workflow):
            message = f"nothing would roll {environment.name!r} back"
            hint = "add 'monitoring: {rollback_triggers: [error_rate > 2%]}' to its stage"
            yield Finding(workflow.document, environment.at, message, hint, key=True)


def _has_unread_checks(workflow: Workflow) -> bool:
    return any(problem.rule == "bad-condition" for problem in workflow.problems)
