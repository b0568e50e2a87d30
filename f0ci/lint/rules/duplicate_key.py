"""A mapping has the same key twice.

## What it does

Reports the second of two equal keys of one mapping, and where the first stands.

## Why it matters

PyYAML and most JSON readers keep the last one and say nothing. Half of what somebody wrote is silently ignored.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
    env: {MODE: full}
    env: {MODE: quick}
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
    env: {MODE: quick}
```

## Fix

Remove one of the two, or merge what they say.

## References

- https://yaml.org/spec/1.2.2/#3213-node-comparison
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("duplicate-key", Group.READING, Severity.ERROR)
