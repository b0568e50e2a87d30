"""An environment lacks a configuration key that another one has.

## What it does

Compares environments that stand side by side, base and `extends` included, and reports each key that one of them lacks;
of nested keys only the outermost.

## Why it matters

A key that only some environments have is how "works in dev" begins. Recipes that read it fail where it is missing.

## Bad

```yaml
# file: environments/dev/config.yaml
processing: {batch_size: 100}
# file: environments/prod/config.yaml
processing: {batch_size: 1000, parallel_workers: 8}
```

## Good

```yaml
# file: environments/dev/config.yaml
processing: {batch_size: 100, parallel_workers: 2}
# file: environments/prod/config.yaml
processing: {batch_size: 1000, parallel_workers: 8}
```

## Fix

Write the key in every environment, or once in `environments/base.yaml`; null removes it from one.

## References

- `config-key-undefined`, for keys that recipes read
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.environments.checks import missing_keys
from f0ci.lint.environments import EnvironmentSet, from_checks
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace

RULE = Rule("environment-key-missing", Group.ENVIRONMENTS, Severity.WARNING)


def check_environments(members: EnvironmentSet, workspace: Workspace) -> Iterator[Finding]:
    """Yield every key that an environment lacks."""
    del workspace
    return from_checks(missing_keys(members.environments), members.environments)
