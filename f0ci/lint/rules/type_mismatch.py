"""A configuration value has another type than in the other environments.

## What it does

Compares environments that stand side by side, and reports a value whose type differs from what most of them have. Whole
numbers and fractions are one type; null fits every type.

## Why it matters

What is tested in one environment breaks in the next: `"300"` is not a number, and `"false"` is true.

## Bad

```yaml
# file: environments/dev/config.yaml
limits: {seconds: 30}
# file: environments/prod/config.yaml
limits: {seconds: "300"}
```

## Good

```yaml
# file: environments/dev/config.yaml
limits: {seconds: 30}
# file: environments/prod/config.yaml
limits: {seconds: 300}
```

## Fix

Write the same type everywhere.

## References

- `environment-key-missing`
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.environments.checks import differing_types
from f0ci.lint.environments import EnvironmentSet, from_checks
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace

RULE = Rule("type-mismatch", Group.ENVIRONMENTS, Severity.WARNING)


def check_environments(members: EnvironmentSet, workspace: Workspace) -> Iterator[Finding]:
    """Yield every value that stands out."""
    del workspace
    everyone = (*members.environments, *members.overlays)
    return from_checks(differing_types(everyone), everyone)
