"""The file is larger than 20 MB, or says more than anybody writes.

## What it does

Reports a file of more than 20,000,000 bytes instead of reading it, and one of more than 100,000 keys and values that
take less than four bytes each, instead of looking at them.

## Why it matters

A recipe of that size is data in the wrong place, and reading it would slow every check of every change. A megabyte of
`{a},` or `1,` would take hundreds of megabytes of memory to judge.

## Bad

A recipe that carries a table of a million rows in `args`.

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: ./load.sh data/rows.csv
```

## Fix

Move the data into a file of its own and name its path in the recipe, or split the recipe.

## References

- `alias-bomb`, for small files that become large
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("too-large", Group.READING, Severity.ERROR)
