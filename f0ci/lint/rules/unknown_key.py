"""A key that f0ci and Framework0 do not know.

## What it does

Reports keys that are not in the schema of a recipe, a workflow, `f0ci.yaml` or the approver file, with the closest
known key. `metadata`, `args`, `parameters` of a step and sections of a configuration are free.

## Why it matters

A misspelt key is ignored: `depend_on` orders nothing, `conditon` skips nothing. Real recipes carry keys of other tools
too, so this is a warning; under `--strict` it is an error.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
  - name: store
    run: echo storing
    depend_on: [load]
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
  - name: store
    run: echo storing
    depends_on: [load]
```

## Fix

Correct the spelling; `--fix` does where one known key is close. Notes and data of your own go below `metadata`.

## References

- `schemas/recipe.schema.json`, `schemas/workflow.schema.json`, `schemas/project.schema.json`
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("unknown-key", Group.SCHEMA, Severity.WARNING)
