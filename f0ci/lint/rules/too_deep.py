"""The document is nested deeper than 100 levels.

## What it does

Reports the list or mapping that opens the 101st level.

## Why it matters

No recipe needs such depth, and a reader that recurses dies of it: libyaml's own loader ends with a segmentation fault.

## Bad

```yaml
steps: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
  deep
]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
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

Flatten the document, or move the data into a file that the step reads.

## References

- https://cwe.mitre.org/data/definitions/674.html
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("too-deep", Group.READING, Severity.ERROR)
