"""A rule could not do its work; this is a bug of f0ci.

## What it does

Stands in for the findings of a rule that crashed. It is reported once a rule; all other rules have run. It cannot be
switched off.

## Why it matters

What a rule did not look at is not known to be right, so this is an error and never a pass.

## Bad

A file that makes a rule fail. Every one of them is a bug that we want to know of.

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
```

## Fix

Report the message with the smallest file that shows it. Until it is mended, leave the rule
that crashed out with `--ignore`.

## References

- `CONTRIBUTING.md`
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("internal-error", Group.PROJECT, Severity.ERROR)
