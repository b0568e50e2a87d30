"""Production forgets what other environments keep.

## What it does

Reads every number under a key that ends with `retention_days`, and reports production keeping for 0 days, or for fewer
days than another environment.

## Why it matters

A retention of 0 deletes at once what was just written. One that is shorter in production than in development is nearly
always two numbers that changed places.

## Bad

```yaml
# file: environments/dev/config.yaml
output: {retention_days: 90}
# file: environments/prod/config.yaml
output: {retention_days: 7}
```

## Good

```yaml
# file: environments/dev/config.yaml
output: {retention_days: 7}
# file: environments/prod/config.yaml
output: {retention_days: 90}
```

## Fix

Write how long production must keep; where it really keeps less, ignore the rule with the reason.

## References

- `type-mismatch`, `environment-key-missing`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from f0ci.core.diagnostics import Severity
from f0ci.environments.model import Environment
from f0ci.lint.environments import EnvironmentSet, file_of
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.source.reading import Path

RULE = Rule("suspicious-retention", Group.ENVIRONMENTS, Severity.WARNING)

_SUFFIX = "retention_days"


def check_environments(members: EnvironmentSet, workspace: Workspace) -> Iterator[Finding]:
    """Yield every retention of production that is shorter than it should be."""
    del workspace
    kept = {environment.name: dict(_retentions(environment.config)) for environment in members.environments}
    for environment in members.environments:
        if not environment.is_production:
            continue
        for at, days in kept[environment.name].items():
            longer = [
                other
                for other in members.environments
                if not other.is_production and kept[other.name].get(at, 0) > days
            ]
            if longer or not days:
                yield from _finding(environment, at, days, longer, kept)


def _finding(
    environment: Environment, at: Path, days: float, longer: list[Environment], kept: Mapping[str, Any]
) -> Iterator[Finding]:
    document = file_of(environment, at)
    if document is None:
        return
    name = ".".join(map(str, at))
    places = [(other, file) for other in longer if (file := file_of(other, at)) is not None]
    message = f"{environment.name!r} keeps {days:g} days under {name!r}"
    if longer:
        most = max(longer, key=lambda other: kept[other.name][at])
        message += f", and {most.name!r} {kept[most.name][at]:g}"
    related = tuple(Place(file, at, f"{kept[other.name][at]:g} days in {other.name!r}") for other, file in places)
    yield Finding(document, at, message, "write how long production must keep", related=related)


def _retentions(config: Mapping[str, Any], at: Path = ()) -> Iterator[tuple[Path, float]]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _retentions(value, (*at, key))
        elif str(key).endswith(_SUFFIX) and isinstance(value, int | float) and not isinstance(value, bool):
            yield (*at, key), value
