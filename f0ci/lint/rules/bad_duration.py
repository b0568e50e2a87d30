"""A span of time cannot be read.

## What it does

Reports a `validation.duration` of a stage that the schema lets pass and that is no span of time, such as one that is
longer than a computer can count.

## Why it matters

Without a duration nobody knows how long to watch after a change.

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
        duration: 99999999999999d
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
# file: environments/staging/config.yaml
processing: {batch_size: 100}
```

## Fix

Write numbers with the units ms, s, m, h, d, w: `30m`, `1h30m`, `90s`.

## References

- `bad-value`, for durations that the schema refuses
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("bad-duration", Group.WORKFLOW, Severity.ERROR)
