"""A comment that ignores a rule ignores nothing.

## What it does

Reports `# f0ci: ignore[rule]` where the rule has nothing to say, and a comment that names no rule. It is silent where
some rules are switched off, because then nobody knows.

## Why it matters

A comment that outlives its reason hides the next finding of the rule, which nobody has judged.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading  # f0ci: ignore[unknown-dependency] comes with the next release
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
    owner: data-team  # f0ci: ignore[unknown-key] read by our portal
```

## Fix

Remove the comment, which `--fix` does, or name the rule that the finding names.

## References

- A comment at the end of a line is for that line, one of its own for the next line, one before the first line for the
  whole file.
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("unused-ignore", Group.PROJECT, Severity.WARNING)
