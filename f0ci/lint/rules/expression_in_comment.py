"""An expression is a comment, because it is not quoted.

## What it does

Reports `#{...}` behind a blank outside of quotes: for YAML a comment begins there, and the expression is no part of the
value. Comments that have a line to themselves are left alone.

## Why it matters

The value is empty, or ends before the expression, and nothing says so: the step runs with less than was written.

## Bad

```yaml
metadata:
  name: nightly
parameters:
  - name: url
    required: true
steps:
  - name: load
    run: ./load.sh "$URL"
    env:
      URL: #{params.url}
```

## Good

```yaml
metadata:
  name: nightly
parameters:
  - name: url
    required: true
steps:
  - name: load
    run: ./load.sh "$URL"
    env:
      URL: "#{params.url}"
```

## Fix

Put the whole value in quotes; `--fix` does so where the expression is all of the value.

## References

- https://yaml.org/spec/1.2.2/#66-comments
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from f0ci.core.diagnostics import Severity, Span
from f0ci.core.patterns import pattern
from f0ci.lint.fixing import quoted
from f0ci.lint.lines import split_lines
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.walking import has_telling_comment
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("expression-in-comment", Group.EXPRESSIONS, Severity.ERROR)

# behind a key, a dash or a plain value; what is quoted in front of it is looked at no further
_SUSPECT = pattern(rb"^[ \t]*+[^\s#\"'][^\"'#\n]*[ \t]#\{[^}\n]*\}", re.MULTILINE)
_HASH = pattern(r"(?<=[ \t])#|^#")
_COMMENTED = pattern(r"(?<=[ \t])#\{[^}]*\}")


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every expression that no value holds."""
    document = recipe.document
    if not has_telling_comment(document, workspace) or b" #{" not in document.raw or not _SUSPECT.search(document.raw):
        return
    for number, line in enumerate(split_lines(document.path, document.raw), start=1):
        match = _COMMENTED.search(line)
        # the first comment of a line holds all that follows
        if match is None or not line[: match.start()].strip() or document.inside_value(number, match.start() + 1):
            continue
        before = next((at for at in _hashes(line) if not document.inside_value(number, at + 1)), match.start())
        if before == match.start():
            span = Span(number, match.start() + 1, number, match.end() + 1)
            message = f"{match[0]!r} is a comment here: a '#' behind a blank begins one"
            yield Finding(document, span, message, "put the whole value in quotes", fix=quoted(document, span))


def _hashes(line: str) -> Iterator[int]:
    return (match.start() for match in _HASH.finditer(line))
