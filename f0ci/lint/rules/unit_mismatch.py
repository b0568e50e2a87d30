"""A condition compares a metric with a number of another kind.

## What it does

Reports conditions whose unit does not fit the unit of the metric: a time compared with a percentage, a ratio between 0
and 1 compared with 2, a time in `ms` compared with a number without a unit.

## Why it matters

The comparison has an answer, and the answer is nonsense: `error_rate < 1` of a ratio is nearly always true.

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
        success_criteria: latency_p95 < 2%
  metrics:
    latency_p95: {provider: file, path: metrics.csv, value: latency, unit: ms}
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
        success_criteria: latency_p95 < 1.5s
  metrics:
    latency_p95: {provider: file, path: metrics.csv, value: latency, unit: ms}
# file: environments/staging/config.yaml
processing: {batch_size: 100}
```

## Fix

Write the number with a unit of the metric's kind, or correct the `unit` of the metric.

## References

- `bad-condition`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.workflows.conditions import check_units
from f0ci.workflows.model import Workflow

RULE = Rule("unit-mismatch", Group.WORKFLOW, Severity.ERROR)


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every condition that cannot be compared with its metric."""
    del workspace
    for environment in workflow.environments:
        for check in environment.checks:
            spec = workflow.metrics.get(check.condition.metric)
            problem = check_units(check.condition, spec) if spec is not None else None
            if spec is not None and problem is not None:
                place = Place(workflow.document, spec.at, "the metric", key=True)
                yield Finding(workflow.document, check.at, *problem, related=(place,))
