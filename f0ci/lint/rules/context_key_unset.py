"""A recipe reads a context key that differs by a slip from one that a step sets.

## What it does

Compares `context.get('...')`, where it has no default, with what the recipe's steps declare under
`success.ctx_has_keys`, and reports a key that none of them declares where one that is spelt almost alike is declared.

## Why it matters

A key that nobody set is null: the step runs, and works on nothing.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    type: python
    module: scriptlets.load
    function: load
    success: {ctx_has_keys: [orders.rows]}
  - name: report
    run: ./report.sh
    env: {ROWS: "#{context.get('order.rows')}"}
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    type: python
    module: scriptlets.load
    function: load
    success: {ctx_has_keys: [orders.rows]}
  - name: report
    run: ./report.sh
    env: {ROWS: "#{context.get('orders.rows')}"}
```

## Fix

Correct the key; where it is another one that a scriptlet sets, declare it under `success.ctx_has_keys` of that step.

## References

- `unknown-step-output`, for the outputs of steps
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import may_compare
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("context-key-unset", Group.EXPRESSIONS, Severity.WARNING)

_ALIKE = 0.9


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every key that is nearly one that a step sets."""
    uses = workspace.uses(recipe).of("context")
    declared = {key: step for step in recipe.steps for key in step.ctx_has_keys} if uses else {}
    for use in uses if declared else ():
        reference = use.reference
        if reference.call != "get" or reference.has_default or not reference.path:
            continue
        key = str(reference.path[0])
        near = None if key in declared else _nearest(key, declared)
        if near is not None:
            setter = declared[near]
            place = Place(recipe.document, (*setter.at, "success", "ctx_has_keys"), f"step {setter.name!r} sets it")
            message = f"no step declares the context key {key!r}, and step {setter.name!r} sets {near!r}"
            hint = f"did you mean {near!r}?"
            yield Finding(recipe.document, use.at, message, hint, within=use.within, related=(place,))


def _nearest(key: str, known: Collection[str]) -> str | None:
    from difflib import get_close_matches

    if not may_compare(key, known):
        return None

    # `batch_1` and `batch_2` are two things
    return next(
        (near for near in get_close_matches(key, known, n=3, cutoff=_ALIKE) if _wordy(near) != _wordy(key)), None
    )


def _wordy(key: str) -> str:
    return re.sub(r"\d+", "", key)
