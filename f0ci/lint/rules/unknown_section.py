"""A section of a configuration is spelt almost like one that Framework0 knows.

## What it does

Reports a section at the top of an environment's configuration whose name differs by a slip from a known section, where
the known one is missing from that environment. Sections of your own are free.

## Why it matters

Nothing reads the misspelt section: production runs with the values of the base, or with none.

## Bad

```yaml
# file: environments/dev/config.yaml
procesing: {batch_size: 10}
```

## Good

```yaml
# file: environments/dev/config.yaml
processing: {batch_size: 10}
```

## Fix

Correct the spelling.

## References

- `schemas/environment.schema.json`
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import may_compare
from f0ci.environments.model import Environment
from f0ci.lint.fixing import renamed_key
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.source.schema import load_schema

RULE = Rule("unknown-section", Group.ENVIRONMENTS, Severity.WARNING)

_ALIKE = 0.86


def check_environment(environment: Environment, workspace: Workspace) -> Iterator[Finding]:
    """Yield every section that is nearly a known one."""
    del workspace
    known = _known()
    for layer in environment.layers:
        # what an extended environment says is reported there
        if layer.document is None or layer.label.startswith("extends "):
            continue
        for name in layer.data:
            if name in known or not isinstance(name, str):
                continue
            near = _nearest(name, known)
            if near is not None and near not in environment.config:
                message = f"the section {name!r} is none that Framework0 knows"
                fix = renamed_key(layer.document, (name,), near)
                yield Finding(layer.document, (name,), message, f"did you mean {near!r}?", key=True, fix=fix)


@cache
def _known() -> frozenset[str]:
    return frozenset(load_schema("environment")["properties"])


@cache
def _nearest(name: str, known: frozenset[str]) -> str | None:
    from difflib import get_close_matches

    if not may_compare(name, known):
        return None
    return next(iter(get_close_matches(name, sorted(known), n=1, cutoff=_ALIKE)), None)
