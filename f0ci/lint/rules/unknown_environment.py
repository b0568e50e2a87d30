"""A workflow names an environment that it does not declare.

## What it does

Reports the `environment` of a stage, and the `upstream` of an order gate, that is not under `spec.environments`; and
checks of a stage that has no environment which they could judge.

## Why it matters

A stage without its environment promotes nothing, and a check without one judges nothing.

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
      environment: stagging
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
# file: environments/staging/config.yaml
processing: {batch_size: 100}
```

## Fix

Correct the name, or declare the environment under `spec.environments`.

## References

- `environment-config-missing`, for a declared environment without a configuration
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("unknown-environment", Group.WORKFLOW, Severity.ERROR)
