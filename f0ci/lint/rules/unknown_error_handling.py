"""A key of `error_handling` is spelt almost like one that is known.

## What it does

Reports keys of a step's `error_handling` that nothing reads and that are a slip away from one that f0ci and Framework0
read. Keys of other kinds are left alone: files carry what other tools read.

## Why it matters

The step looks as if it were tried again, or as if somebody were told. It is not, and that shows on the day on which it
fails.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: fetch
    run: ./fetch.sh
    error_handling: {retries: 3, retry_dealy: 10}
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: fetch
    run: ./fetch.sh
    error_handling: {max_retries: 3, retry_delay: 10}
```

## Fix

Write the key that is meant.

## References

- `docs/running.md`, for all keys
- `unknown-key`, for keys of the step itself
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import closest
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("unknown-error-handling", Group.SCHEMA, Severity.WARNING)

_KNOWN = (
    "backoff",
    "backoff_factor",
    "fallback_action",
    "jitter",
    "max_delay",
    "max_retries",
    "notify_on_failure",
    "on_failure",
    "retry_attempts",
    "retry_delay",
)
# what Framework0's own files say there
_OTHERS = frozenset({"backoff_strategy", "global_strategy", "rollback_procedures"})


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every key that is nearly one of those that count."""
    del workspace
    for step in recipe.steps:
        handling = step.raw.get("error_handling")
        if not handling or not isinstance(handling, dict):
            continue
        for key in handling:
            near = None if key in _KNOWN or key in _OTHERS else closest(str(key), _KNOWN)
            if near is not None:
                at = (*step.at, "error_handling", key)
                message = f"nothing reads {key!r} of 'error_handling'"
                yield Finding(recipe.document, at, message, f"did you mean {near!r}?", key=True)
