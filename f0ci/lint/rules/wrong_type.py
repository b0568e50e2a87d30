"""A value is of another type than its key wants.

## What it does

Reports text where a list belongs, a number where text belongs, and so on, by the schema of the file.

## Why it matters

A value of the wrong type is at best ignored. A configuration whose `debug_enabled` is the text "false" is true for
every program that asks.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
    idx: "1"
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
    idx: 1
```

## Fix

Write the type that the message names. Quotes make text; without them, numbers, true and false are what they look like.

## References

- `ambiguous-scalar`, for values whose type depends on the reader
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("wrong-type", Group.SCHEMA, Severity.ERROR)
