"""A plain value means something else to other YAML readers.

## What it does

Reports unquoted values that PyYAML (YAML 1.1) and YAML 1.2 read differently: `yes`, `off`, `017`, `1_000`, `12:30`, and
versions such as `1.10` whose last digit is lost. Keys too: `on:` is the key true to Framework0's own reader.

## Why it matters

Framework0 reads `on` as true and `017` as 15; an editor, a schema checker or a CI system may read text and 17. A
version `1.10` becomes 1.1 everywhere.

## Bad

```yaml
metadata:
  name: nightly
  version: 1.10
steps:
  - name: load
    run: echo loading
    env: {VERBOSE: yes}
```

## Good

```yaml
metadata:
  name: nightly
  version: "1.10"
steps:
  - name: load
    run: echo loading
    env: {VERBOSE: true}
```

## Fix

Quote what is text, and write `true`, `false` and plain decimal numbers for what is not. `--fix` quotes keys and
versions, and writes every other value as Framework0 reads it.

## References

- https://yaml.org/type/bool.html
- https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.patterns import pattern
from f0ci.lint.fixing import rewritten
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.source.document import Document
from f0ci.source.reading import Path
from f0ci.source.scalars import plain_value

RULE = Rule("ambiguous-scalar", Group.READING, Severity.WARNING)

_FRACTION = pattern(r"[-+]?[0-9]+\.[0-9]*0")


def check_document(document: Document, workspace: Workspace) -> Iterator[Finding]:
    """Yield every such value, with what Framework0 makes of it."""
    del workspace
    if not document.ambiguous:
        return
    keys, paths = document.key_spans(), document.paths_by_span()
    for text, span in document.ambiguous:
        meant = plain_value(text)
        shown = str(meant).lower() if isinstance(meant, bool) else str(meant)
        quoted = f'"{text}"'
        doubled = span in document.doubled
        if doubled or span in keys:
            message = f"the key {text!r} is text here, and {shown} to Framework0's own reader"
            fix = None if doubled else rewritten(document, span, text, quoted)
            yield Finding(document, span, message, f"write {quoted}", fix=fix)
        elif _FRACTION.fullmatch(text):
            # every reader makes the same number of it, which only for a version is not what was meant
            if _is_version(paths.get(span, ())):
                message = f"the version {text!r} is read as the number {shown}"
                yield Finding(document, span, message, f"write {quoted}", fix=rewritten(document, span, text, quoted))
        else:
            message = f"{text!r} is read as {shown} here, and may be read otherwise elsewhere"
            fix = rewritten(document, span, text, shown)
            yield Finding(document, span, message, f"write {quoted} where text is meant, or {shown}", fix=fix)


def _is_version(path: Path) -> bool:
    return any(isinstance(part, str) and "version" in part.lower() for part in path[-2:])
