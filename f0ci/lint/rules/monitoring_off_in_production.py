"""Production is not monitored.

## What it does

Reports `environment.performance_monitoring: false`, or `monitoring.enabled: false`, in a production environment. A
configuration that says nothing of monitoring is left alone.

## Why it matters

Nobody sees production become slow, and a promotion has nothing to judge by.

## Bad

```yaml
# file: environments/prod/config.yaml
environment:
  name: production
  performance_monitoring: false
  error_notifications: true
```

## Good

```yaml
# file: environments/prod/config.yaml
environment:
  name: production
  performance_monitoring: true
  error_notifications: true
```

## Fix

Set `environment.performance_monitoring` to true.

## References

- `production-without-rollback-trigger`, for what a workflow watches
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.environments.checks import production_without_monitoring
from f0ci.environments.model import Environment
from f0ci.lint.environments import from_checks, written_only
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace

RULE = Rule("monitoring-off-in-production", Group.ENVIRONMENTS, Severity.WARNING)


def check_environment(environment: Environment, workspace: Workspace) -> Iterator[Finding]:
    """Yield the switch, where it is off."""
    del workspace
    found = written_only(production_without_monitoring(environment), environment)
    return from_checks(found, [environment])
