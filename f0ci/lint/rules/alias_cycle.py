"""A value contains itself.

## What it does

Reports an alias that stands inside the value it names.

## Why it matters

Such a value has no end: it cannot be rendered, compared or written as JSON.

## Bad

```yaml
metadata:
  name: nightly
steps: &steps
  - name: load
    run: echo loading
    env: {again: *steps}
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
```

## Fix

Write the value out where the alias stands.

## References

- https://yaml.org/spec/1.2.2/#71-alias-nodes
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("alias-cycle", Group.READING, Severity.ERROR)
