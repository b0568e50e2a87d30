"""A value is not one of those that its key allows.

## What it does

Reports values outside the list, the range or the pattern that the schema of the file gives.

## Why it matters

`trigger: on_failure` triggers nothing, and a strategy that does not exist deploys nothing.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
  - name: tell
    run: echo failed
    trigger: on_failure
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
  - name: tell
    run: echo failed
    trigger: on_error
```

## Fix

Choose one of the values that the hint names.

## References

- `schemas/recipe.schema.json`, `schemas/workflow.schema.json`
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("bad-value", Group.SCHEMA, Severity.ERROR)
