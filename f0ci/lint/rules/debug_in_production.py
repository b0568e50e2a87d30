"""Debugging is switched on in production.

## What it does

Reports `environment.debug_enabled: true` in an environment whose folder, `environment.name` or `environment.type` is
`prod` or `production`, at the layer that says so.

## Why it matters

Debug output holds data and secrets, costs time, and tells an attacker how the system works.

## Bad

```yaml
# file: environments/prod/config.yaml
environment:
  name: production
  debug_enabled: true
  performance_monitoring: true
  error_notifications: true
```

## Good

```yaml
# file: environments/prod/config.yaml
environment:
  name: production
  debug_enabled: false
  performance_monitoring: true
  error_notifications: true
```

## Fix

Set it to false, and look for the fault where nobody's data is at stake.

## References

- https://cwe.mitre.org/data/definitions/489.html
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.environments.checks import debug_in_production
from f0ci.environments.model import Environment
from f0ci.lint.environments import from_checks
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace

RULE = Rule("debug-in-production", Group.ENVIRONMENTS, Severity.ERROR)


def check_environment(environment: Environment, workspace: Workspace) -> Iterator[Finding]:
    """Yield the switch, where it is on."""
    del workspace
    return from_checks(debug_in_production(environment), [environment])
