"""A setting or a comment names a rule that does not exist.

## What it does

Checks the names in `rules` of `f0ci.yaml` (`select`, `ignore`, `severity`) and in `# f0ci: ignore[...]` comments.
`select` and `ignore` take groups too: reading, schema, graph, composition, expressions, environments, workflow and
project.

## Why it matters

A misspelt name switches nothing on or off. A misspelt `select` would leave a repository unchecked; therefore this rule
cannot be switched off.

## Bad

```yaml
# file: f0ci.yaml
rules:
  ignore: [unkown-key]
```

## Good

```yaml
# file: f0ci.yaml
rules:
  ignore: [unknown-key]
```

## Fix

Take the name from the finding, or from `f0ci explain`, which lists all.

## References

- `unused-ignore`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import did_you_mean
from f0ci.lint import registry
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.source.document import Document
from f0ci.source.reading import Path

RULE = Rule("unknown-rule", Group.PROJECT, Severity.ERROR)


def check_workspace(workspace: Workspace) -> Iterator[Finding]:
    """Yield every name in the settings that means no rule."""
    document = workspace.project.document
    if document is None:
        return
    settings = workspace.project.rules
    yield from _unknown(document, settings, ("rules",))
    for pattern, said in settings.get("paths", {}).items():
        yield from _unknown(document, said, ("rules", "paths", pattern))


def _unknown(document: Document, settings: Mapping[str, Any], place: Path) -> Iterator[Finding]:
    rules = set(registry.names())
    for key in ("select", "ignore", "severity"):
        known = rules if key == "severity" else rules.union(map(str, Group))
        for index, name in enumerate(settings.get(key, ())):
            if name not in known:
                at: Path = (*place, key, name if key == "severity" else index)
                hint = did_you_mean(name, known, noun="rules")
                yield Finding(document, at, f"there is no rule {name!r}", hint, key=key == "severity")
