"""Production keeps its output for a shorter time than another environment.

## What it does

Compares `output.retention_days` of environments that stand side by side, and reports production where another keeps its
output longer.

## Why it matters

What an incident has to be explained with is gone first where it matters most; usually a value was copied the wrong way.

## Bad

```yaml
# file: environments/dev/config.yaml
output: {retention_days: 30}
# file: environments/prod/config.yaml
output: {retention_days: 7}
```

## Good

```yaml
# file: environments/dev/config.yaml
output: {retention_days: 7}
# file: environments/prod/config.yaml
output: {retention_days: 30}
```

## Fix

Keep production's output at least as long as any other environment's.

## References

- `environment-key-missing`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.environments.checks import shorter_retention_in_production
from f0ci.lint.environments import EnvironmentSet, from_checks
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace

RULE = Rule("short-retention-in-production", Group.ENVIRONMENTS, Severity.WARNING)


def check_environments(members: EnvironmentSet, workspace: Workspace) -> Iterator[Finding]:
    """Yield production's retention, where another environment's is longer."""
    del workspace
    return from_checks(shorter_retention_in_production(members.environments), members.environments)
