"""A second YAML document starts in the file.

## What it does

Reports the place where a second document starts after `---`.

## Why it matters

Framework0 and f0ci read one document a file. Everything after the line would be ignored.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
---
metadata:
  name: weekly
steps:
  - name: load
    run: echo loading
```

## Good

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
# file: recipes/weekly.yaml
metadata:
  name: weekly
steps:
  - name: load
    run: echo loading
```

## Fix

Put each document into a file of its own.

## References

- https://yaml.org/spec/1.2.2/#92-streams
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("several-documents", Group.READING, Severity.ERROR)
