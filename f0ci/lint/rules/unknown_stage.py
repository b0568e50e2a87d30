"""A stage requires a stage that does not exist.

## What it does

Reports names in `requires` of a workflow's stages that are neither a stage nor `manual_approval`.

## Why it matters

What is required and does not exist is never there: the stage would wait for ever, or, worse, not wait at all.

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
    - name: deploy_staging
      environment: staging
      requires: [deploy_dev]
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

Correct the name, or declare the stage under `spec.pipeline_stages`.

## References

- `stage-cycle`, `unknown-environment`
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("unknown-stage", Group.WORKFLOW, Severity.ERROR)
