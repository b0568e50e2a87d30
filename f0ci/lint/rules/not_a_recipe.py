"""A file named on the command line is nothing that f0ci knows.

## What it does

Notes a file that was named explicitly and is neither a recipe, a configuration, a workflow nor a settings file. Files
that were found by walking a folder are passed over without a word.

## Why it matters

Somebody who names a file expects it to be checked; here it was not.

## Bad

```yaml named
# file: deploy/service.yaml
apiVersion: v1
kind: Service
metadata:
  name: web
```

## Good

```yaml named
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
```

## Fix

Leave the file out of the call. Where it is meant to be a recipe, give it `steps`; a configuration is called
`environments/<name>/config.json` or `.yaml`.

## References

- `missing-key`, for a recipe that lacks its steps
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("not-a-recipe", Group.PROJECT, Severity.NOTE)
