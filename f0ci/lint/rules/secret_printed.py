"""A command prints a secret.

## What it does

Reports `echo` and `printf` of a variable that holds a secret in a shell step, where the line goes to the log: the
variable's value under `env` or `args` is a `secret://` reference, a configuration value that is one, or a parameter
that is declared `sensitive`. Reports `set -x` in such a step too, which prints every command with its values. What is
written into a file or handed to another program, as in `echo "$TOKEN" | docker login --password-stdin`, is left alone.

## Why it matters

f0ci masks the secrets that it knows, but not what a command makes of them, and the log of a CI system is read by many.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: login
    run: |
      echo "logging in with $TOKEN"
      ./login.sh
    env: {TOKEN: "secret://registry-token"}
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: login
    run: |
      echo "logging in"
      ./login.sh
    env: {TOKEN: "secret://registry-token"}
```

## Fix

Do not print the variable.

## References

- https://cwe.mitre.org/data/definitions/532.html
- `plain-text-secret`
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from f0ci.core.diagnostics import Severity
from f0ci.core.patterns import pattern
from f0ci.environments.secrets import SCHEME
from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.parsing import references
from f0ci.lint.commands import lines_of
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe, Step

RULE = Rule("secret-printed", Group.SECURITY, Severity.ERROR)

_PRINTING = pattern(r"^\s*(?:echo|printf)\b")
_TRACING = pattern(r"^\s*set\s+-[a-wyz]*x[a-z]*\b")
# handed on, on the next line too, or shown to a CI system so that it masks the value
_ELSEWHERE = pattern(r"[|>`]|\$\(|\\$|::add-mask::")


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every line that shows a secret."""
    secrets: dict[str, frozenset[str]] = {}
    for line in lines_of(recipe, workspace, "echo", "printf", "set -"):
        prints, traces = _PRINTING.match(line.text), _TRACING.match(line.text)
        if not (prints or traces):
            continue
        step = line.step
        if step.name not in secrets:
            secrets[step.name] = frozenset(_secrets(recipe, step, workspace))
        if traces and secrets[step.name]:
            names = ", ".join(f"${name}" for name in sorted(secrets[step.name]))
            at, within = line.place(traces.start(), traces.group().strip())
            message = f"'set -x' prints every command of a step that holds {names}"
            yield Finding(recipe.document, at, message, "remove it", within=within)
        elif prints and not _ELSEWHERE.search(line.text):
            shown: set[str] = set()
            for match in re.finditer(r"\$\{?(\w+)\}?", _without_single_quotes(line.text)):
                if match[1] in secrets[step.name] - shown:
                    shown.add(match[1])
                    at, within = line.place(match.start(), match.group())
                    message = f"this prints {match.group()!r}, which holds a secret"
                    yield Finding(recipe.document, at, message, "do not print it", within=within)


def _without_single_quotes(line: str) -> str:
    """Return a line with what stands in single quotes, where a shell reads no variables, as blanks."""
    parts = re.findall(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|[^'\"]+|['\"]", line)
    return "".join(" " * len(part) if part.startswith("'") else part for part in parts)


def _secrets(recipe: Recipe, step: Step, workspace: Workspace) -> Iterator[str]:
    for name, value in {**step.arguments, **step.env}.items():
        if isinstance(value, str) and _is_secret(value, recipe, workspace):
            yield str(name)


def _is_secret(value: str, recipe: Recipe, workspace: Workspace) -> bool:
    if SCHEME in value:
        return True
    try:
        found = references(value)
    except ExpressionError:
        return False
    for reference in found:
        if reference.root == "params" and reference.path:
            parameter = recipe.parameter(str(reference.path[0]))
            spec = recipe.document.get(parameter.at) if parameter is not None else None
            if isinstance(spec, dict) and spec.get("sensitive") is True:
                return True
        if reference.root == "config" and _names_secret(reference.path, recipe, workspace):
            return True
    return False


def _names_secret(path: tuple[str | int, ...], recipe: Recipe, workspace: Workspace) -> bool:
    members = workspace.environments_of(recipe.path)
    for environment in members.environments if members is not None else ():
        value: Any = environment.config
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str) and SCHEME in value:
            return True
    return False
