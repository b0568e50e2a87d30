"""The text is not YAML or JSON at all.

## What it does

Reports the place where a file stops being YAML (or JSON, in a `.json` file), as PyYAML's safe loader reads it. Nothing
else is said about the file; other files are still checked.

## Why it matters

Framework0 reads recipes with PyYAML. What PyYAML refuses does not run.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: "load
    run: echo loading
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: "load"
    run: echo loading
```

## Fix

Look at the line that is named and at the one before it: a quote that is not closed, a value with `: `
that is not quoted, an unknown tag.

## References

- https://yaml.org/spec/1.1/
- https://www.rfc-editor.org/rfc/rfc8259
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("syntax", Group.READING, Severity.ERROR)
