"""A tab stands where YAML allows blanks only.

## What it does

Reports the first tab that keeps a file from being read: one that indents a line, or begins a value.

## Why it matters

YAML forbids tabs in indentation, because nobody knows how wide they are. The file cannot be read, and in an editor it
looks as it should.

## Bad

The arrow stands for a tab.

```yaml tabs
metadata:
  name: nightly
steps:
  - name: load
→run: echo loading
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

Indent with blanks; editors have a setting that writes them where the key for tabs is pressed.

## References

- https://yaml.org/spec/1.2.2/#61-indentation-spaces
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("tab", Group.READING, Severity.ERROR)
