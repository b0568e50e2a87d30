"""A text has an expression in another system's spelling.

## What it does

Reports `${params.x}` and `${{ params.x }}` in the steps of a recipe, with any name that expressions begin with:
`params`, `config`, `context`, `steps`, `environment`, `release`, `overlay`. Variables and lists of the shell, such as
`${HOME}`, are left alone.

## Why it matters

Nothing replaces `${params.x}`: the step gets these characters. Of `${{ params.x }}` the `$` stays before the value.

## Bad

```yaml
metadata:
  name: nightly
parameters:
  - name: table
    required: true
steps:
  - name: load
    run: ./load.sh "$TABLE"
    env: {TABLE: "#{params.table}", TARGET: "${params.table}_new"}
```

## Good

```yaml
metadata:
  name: nightly
parameters:
  - name: table
    required: true
steps:
  - name: load
    run: ./load.sh "$TABLE"
    env: {TABLE: "#{params.table}", TARGET: "#{params.table}_new"}
```

## Fix

Write `#{...}`, or `{{ ... }}` without the `$`.

## References

- `expression-in-command`, for what a shell gets
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from f0ci.core.diagnostics import Severity
from f0ci.core.patterns import pattern
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.walking import texts_matching
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("foreign-expression", Group.EXPRESSIONS, Severity.WARNING)

_ROOTS = ("params", "config", "context", "steps", "environment", "release", "overlay")
_FOREIGN = pattern(
    rf"\$\{{(?P<two>\{{)?\s*(?P<inner>(?:{'|'.join(_ROOTS)})(?:[.\[][^{{}}]*?)?)\s*\}}(?(two)\}})",
)
_SHELL = frozenset({"run", "command"})


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every such expression."""
    del workspace
    if b"${" not in recipe.document.raw:
        return
    for step in recipe.steps:
        for at, text in texts_matching(dict(step.raw), _is_suspect, step.at):
            for match in _FOREIGN.finditer(text):
                inner = match["inner"]
                # a shell has variables and lists of these names, and does what it wants with two braces
                if (match["two"] or "." not in inner) if at[-1] in _SHELL else (inner in _ROOTS and not match["two"]):
                    continue
                keeps = "the '$' stays before the value" if match["two"] else "nothing replaces it"
                yield Finding(
                    recipe.document,
                    at,
                    f"{match[0]!r} is another system's spelling: {keeps}",
                    f"write '#{{{inner}}}'",
                    within=(match.start(), len(match[0])),
                )


def _is_suspect(text: str, key: Any) -> bool:
    return "${" in text and key != "description"
