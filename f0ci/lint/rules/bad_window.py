"""A window of a gate cannot be read.

## What it does

Reports what a `window` gate declares and no calendar understands: a time zone that does not exist, a time of day or
date that is none, a recurrence that is no rule of RFC 5545 or leaves open on which day it recurs.

## Why it matters

Nobody can tell when the environment is frozen, so nothing would be promoted into it.

## Bad

```yaml
# file: workflow.yaml
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: pipeline}
spec:
  environments:
    staging:
      gates:
        window:
          timezone: Europe/Berlin
          freeze:
            - {name: month end, recurrence: "FREQ=MONTHLY", for: 24h}
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
      gates:
        window:
          timezone: Europe/Berlin
          freeze:
            - {name: month end, recurrence: "FREQ=MONTHLY;BYMONTHDAY=-1", for: 24h}
# file: environments/staging/config.yaml
processing: {batch_size: 100}
```

## Fix

Write the zone as the tz database names it, times of day in quotes (`"09:00"`), dates as `2026-12-18`, and recurrences
with the day they mean (`BYDAY`, `BYMONTHDAY`).

## References

- `bad-value`, for what the schema refuses
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("bad-window", Group.WORKFLOW, Severity.ERROR)
