"""A command makes files that everybody may change.

## What it does

Reports `chmod` in shell steps with a mode that lets everybody write (`777`, `666`, `o+w`, `a+rwx`), and a `umask` that
leaves that right to new files. A folder with the sticky bit, as `1777`, is left alone.

## Why it matters

Any account of the machine can put other content in the place of an output that the next step, or the deploy recipe,
trusts.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: build
    run: |
      ./build.sh output
      chmod -R 777 output
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: build
    run: |
      ./build.sh output
      chmod -R u=rwX,go=rX output
```

## Fix

Give the right to a group, or to nobody but the owner.

## References

- https://cwe.mitre.org/data/definitions/732.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from f0ci.core.diagnostics import Severity, Span
from f0ci.core.patterns import pattern
from f0ci.lint.commands import lines_of
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe
from f0ci.source.reading import Path

RULE = Rule("world-writable", Group.SECURITY, Severity.WARNING)

_START = r"(?:^|[;&|({]|\b(?:sudo|then|do|else)\s)\s*"
_CHMOD = pattern(rf"{_START}(?P<all>chmod\s+(?:-[A-Za-z-]+\s+)*(?P<mode>[0-7]{{3,4}}|[ugoa,+=rwxXst-]+))(?=\s)")
_UMASK = pattern(rf"{_START}(?P<all>umask\s+(?P<mode>0?[0-7]{{1,3}}))\s*(?:$|[;&#])")


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every command that lets everybody write."""
    for line in lines_of(recipe, workspace, "chmod", "umask"):
        said: set[str] = set()
        for match in (*_CHMOD.finditer(line.text), *_UMASK.finditer(line.text)):
            command = match["all"]
            if command not in said and _opens(command, match["mode"]):
                said.add(command)
                yield _finding(recipe, line.place(match.start("all"), command), command)


def _finding(recipe: Recipe, place: tuple[Path | Span, tuple[int, int] | None], command: str) -> Finding:
    at, within = place
    message = f"{command!r} lets everybody write"
    return Finding(recipe.document, at, message, "leave that right to the owner or a group", within=within)


def _opens(command: str, mode: str) -> bool:
    if command.startswith("umask"):
        # the mask says what is taken away: 2 is the right to write
        return not int(mode[-1]) & 2
    if mode.isdigit():
        has_sticky_bit = len(mode) == 4 and int(mode[0]) & 1
        return bool(int(mode[-1]) & 2) and not has_sticky_bit
    for clause in mode.split(","):
        match = re.fullmatch(r"([ugoa]*)([+=-])([rwxXst]*)", clause)
        # without a class the umask has a say
        if match and match[2] != "-" and "w" in match[3] and {"o", "a"} & set(match[1]) and "t" not in match[3]:
            return True
    return False
