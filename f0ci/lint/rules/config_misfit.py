"""A configuration does not fit the repository's own schema.

## What it does

Judges every environment's merged configuration, and that of its overlays, by `schemas/config.schema.json` (or the file
that `config_schema` names in `f0ci.yaml`), and by a file of the repository that a layer names under `$schema`. The
finding stands where the value was written. Values that wait for the release are not judged.

## Why it matters

What a program cannot read is found by the program, in production; a schema finds it before.

## Bad

```yaml
# file: schemas/config.schema.json
{"properties": {"port": {"type": "integer", "maximum": 65535}}}
# file: environments/dev/config.yaml
port: 80800
```

## Good

```yaml
# file: schemas/config.schema.json
{"properties": {"port": {"type": "integer", "maximum": 65535}}}
# file: environments/dev/config.yaml
port: 8080
```

## Fix

Write a value that the schema allows, or change the schema.

## References

- `docs/environments.md`
- `type-mismatch`, for environments that differ from each other
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.environments.fitting import misfits
from f0ci.lint.environments import EnvironmentSet, from_checks
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace

RULE = Rule("config-misfit", Group.ENVIRONMENTS, Severity.ERROR)


def check_environments(members: EnvironmentSet, workspace: Workspace) -> Iterator[Finding]:
    """Yield every misfit once, however many environments share the file that it stands in."""
    del workspace
    seen: set[object] = set()
    for environment in (*members.environments, *members.overlays):
        for finding in from_checks(misfits(environment), [environment]):
            key = (str(finding.source), finding.at, finding.message)
            if key not in seen:
                seen.add(key)
                yield finding
