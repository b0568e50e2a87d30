"""A condition names a metric that nobody measures.

## What it does

Reports the metric of a success criterion, rollback trigger or `rollback_threshold` (which is about `success_rate`) that
is not declared under `spec.metrics`. What provider there is for it, only you know.

## Why it matters

A metric that nobody measures never has a verdict, and no verdict is never a pass.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging: {}
  pipeline_stages:
    - name: deploy_staging
      environment: staging
      validation:
        duration: 30m
        success_criteria: error_rate < 1%
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
  pipeline_stages:
    - name: deploy_staging
      environment: staging
      validation:
        duration: 30m
        success_criteria: error_rate < 1%
  metrics:
    error_rate: {provider: file, path: metrics.csv, bad: failed, total: total}
# file: environments/staging/config.yaml
processing: {batch_size: 100}
```

## Fix

Declare the metric under `spec.metrics` with its provider, or correct its name.

## References

- `unbound-name`, for detectors
- `unit-mismatch`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import closest
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Workflow

RULE = Rule("metric-without-provider", Group.WORKFLOW, Severity.WARNING)


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every metric that is judged and not measured."""
    del workspace
    for environment in workflow.environments:
        for check in environment.checks:
            name = check.condition.metric
            if check.condition.is_detector or name in workflow.metrics:
                continue
            near = closest(name, workflow.metrics)
            stanza = f"add to spec: metrics: {{{name}: {{provider: file, path: metrics.csv, value: {name}}}}}"
            hint = f"did you mean {near!r}?" if near else f"{stanza}, or with another provider"
            start = check.condition.text.find(name)
            within = (start, len(name)) if start >= 0 else None
            yield Finding(workflow.document, check.at, f"nobody measures the metric {name!r}", hint, within=within)
