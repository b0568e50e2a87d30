"""A shell command holds an expression.

## What it does

Reports `#{params.x}` and the like inside `run` and `command` of a shell step. Braces that mean something to other
programs, as in `docker ps --format '{{.Names}}'`, are left alone.

## Why it matters

Commands are not evaluated: a value pasted into a command would be read as part of it, and a parameter such as
`; rm -rf .` would be run. The step refuses to start.

## Bad

```yaml
metadata:
  name: nightly
parameters:
  - name: table
    required: true
steps:
  - name: load
    run: "./load.sh #{params.table}"
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
    env: {TABLE: "#{params.table}"}
```

## Fix

Give the value to the command as an environment variable, and quote the variable there.

## References

- https://cwe.mitre.org/data/definitions/78.html
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.parsing import references
from f0ci.lint.commands import commands_of
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("expression-in-command", Group.SECURITY, Severity.ERROR)

_ROOTS = frozenset({"params", "config", "environment", "overlay", "context", "steps", "release", "error"})


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every expression in a command."""
    for step, command in commands_of(recipe, workspace, "#{", "{{"):
        key = "run" if step.raw.get("run") == command else "command"
        try:
            found = references(command)
        except ExpressionError:
            # braces that other programs read
            continue
        for reference in found:
            if reference.root in _ROOTS:
                yield Finding(
                    recipe.document,
                    (*step.at, key),
                    f"a command does not evaluate expressions, and has {reference.text!r}",
                    f'write it under \'env:\' (VALUE: "#{{{reference.text}}}") and "$VALUE" in the command',
                    within=(reference.offset, len(reference.text)),
                )
