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
from f0ci.core.errors import InputError
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
        try:
            found = misfits(environment)
        except InputError as error:
            # the schema refers to itself, or to what is not there
            yield from _unusable(error, seen)
            continue
        for finding in from_checks(found, [environment]):
            path = finding.source if isinstance(finding.source, str) else finding.source.path
            key = (path, finding.at, finding.message)
            if key not in seen:
                seen.add(key)
                yield finding


def _unusable(error: InputError, seen: set[object]) -> Iterator[Finding]:
    if error.place not in seen:
        seen.add(error.place)
        yield Finding(error.place or "environments", (), error.message, error.hint)
