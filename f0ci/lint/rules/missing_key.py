"""A key that is needed is not there.

## What it does

Reports a mapping that lacks a key its schema requires: a step without a name, a sub-recipe without `recipe_path`, a
python step without `module` or `function`.

## Why it matters

The run would stop at this place, and only there.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    type: python
    module: scriptlets.data
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    type: python
    module: scriptlets.data
    function: LoadScriptlet
```

## Fix

Add the key that is named.

## References

- `schemas/recipe.schema.json`
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("missing-key", Group.SCHEMA, Severity.ERROR)
