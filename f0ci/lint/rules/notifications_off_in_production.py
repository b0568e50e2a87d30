"""Nobody is told of errors in production.

## What it does

Reports `environment.error_notifications: false` in a production environment. A configuration that says nothing of
notifications is left alone.

## Why it matters

The first to notice a failure would be its victims.

## Bad

```yaml
# file: environments/prod/config.yaml
environment:
  name: production
  performance_monitoring: true
  error_notifications: false
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

Set `environment.error_notifications` to true.

## References

- `monitoring-off-in-production`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.environments.checks import production_without_notifications
from f0ci.environments.model import Environment
from f0ci.lint.environments import from_checks, written_only
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace

RULE = Rule("notifications-off-in-production", Group.ENVIRONMENTS, Severity.WARNING)


def check_environment(environment: Environment, workspace: Workspace) -> Iterator[Finding]:
    """Yield the switch, where it is off."""
    del workspace
    found = written_only(production_without_notifications(environment), environment)
    return from_checks(found, [environment])
