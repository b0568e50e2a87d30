"""A success criterion or rollback trigger is not a condition.

## What it does

Reports entries of `success_criteria`, `rollback_triggers` and `rollback_threshold` that cannot be read. A condition is
a metric, a comparison and a number with its unit (`error_rate < 1%`, `latency_p95 <= 1.5s`), a comparison with the
baseline (`error_rate <= baseline * 1.2`), or the name of a detector alone.

## Why it matters

A condition that cannot be read guards nothing.

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
        success_criteria: error_rate below 1%
  metrics:
    error_rate: {provider: file, path: metrics.csv, good: good, total: total}
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

Write the condition as the hint says.

## References

- `metric-without-provider`, `unit-mismatch`, for conditions that can be read
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("bad-condition", Group.WORKFLOW, Severity.ERROR)
