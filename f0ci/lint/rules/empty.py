"""The file holds nothing.

## What it does

Reports a file among the recipes, a configuration, a workflow or `f0ci.yaml` that has no content.

## Why it matters

An empty file is what a failed download or an interrupted edit leaves behind. An empty configuration would render
defaults into production.

## Bad

```yaml
# file: environments/prod/config.yaml
```

## Good

```yaml
# file: environments/prod/config.yaml
processing:
  batch_size: 1000
```

## Fix

Write the document, or remove the file.

## References

- `syntax`, for a file that has content and cannot be read
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("empty", Group.READING, Severity.ERROR)
