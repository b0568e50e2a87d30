"""The steps of a rollout do not lead to all of the traffic.

## What it does

Reports `steps` of an environment that are not rising percentages ending with 100.

## Why it matters

A rollout that goes back, or ends before 100, leaves two releases running and nobody knows which is meant.

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
      steps: [10, 50]
  pipeline_stages:
    - name: deploy_staging
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
    staging:
      deployment_strategy: canary
      steps: [10, 50, 100]
  pipeline_stages:
    - name: deploy_staging
      environment: staging
# file: environments/staging/config.yaml
processing: {batch_size: 100}
```

## Fix

Write rising percentages that end with 100, or leave `steps` out: each strategy has its own.

## References

- `schemas/workflow.schema.json`
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("bad-steps", Group.WORKFLOW, Severity.ERROR)
