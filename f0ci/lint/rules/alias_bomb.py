"""Aliases make a small file enormous.

## What it does

Reports the alias at which a file, with every alias written out, passes half a million values.

## Why it matters

Nine lines can stand for a billion values. Whatever walks them never ends: a linter, a schema check, the run itself.

## Bad

```yaml
a: &a [x, x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
steps: *f
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
    env: &common {MODE: full}
  - name: store
    run: echo storing
    env: *common
```

## Fix

Write the values out, or fewer of them.

## References

- https://cwe.mitre.org/data/definitions/776.html
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("alias-bomb", Group.READING, Severity.ERROR)
