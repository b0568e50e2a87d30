"""A plain value means something else to other YAML readers.

## What it does

Reports unquoted values that PyYAML (YAML 1.1) and YAML 1.2 read differently: `yes`, `off`, `017`, `1_000`, `12:30`, and
numbers such as `1.10` whose last digit is lost. Keys too: `on:` is the key true to Framework0's own reader.

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

Quote what is text, and write `true`, `false` and plain decimal numbers for what is not.

## References

- https://yaml.org/type/bool.html
- https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.source.document import Document
from f0ci.source.yaml import read_yaml

RULE = Rule("ambiguous-scalar", Group.READING, Severity.WARNING)


def check_document(document: Document, workspace: Workspace) -> Iterator[Finding]:
    """Yield every such value, with what Framework0 makes of it."""
    del workspace
    for text, span in document.ambiguous:
        meant = read_yaml(text.encode()).data
        shown = str(meant).lower() if isinstance(meant, bool) else meant
        if document.is_key(span):
            message = f"the key {text!r} is text here, and {shown} to Framework0's own reader"
            yield Finding(document, span, message, f'write "{text}"')
        else:
            message = f"{text!r} is read as {shown} here, and may be read otherwise elsewhere"
            yield Finding(document, span, message, f'write "{text}" where text is meant, or {shown}')
