"""A file starts with a byte-order mark.

## What it does

Reports files whose first bytes are the UTF-8 byte-order mark.

## Why it matters

UTF-8 needs no mark. JSON forbids it, and many readers take it for a part of the first word: `metadata` behind it is
no key that they know, and a `#!` behind it starts nothing.

## Bad

```yaml utf-8-sig
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
```

## Fix

Save the file as UTF-8 without a mark; `--fix` removes it.

## References

- https://www.rfc-editor.org/rfc/rfc8259#section-8.1
- https://www.unicode.org/faq/utf_bom.html
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator

from f0ci.core.diagnostics import Severity, Span
from f0ci.lint.fixing import without_mark
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.source.document import Document

RULE = Rule("byte-order-mark", Group.READING, Severity.WARNING)


def check_document(document: Document, workspace: Workspace) -> Iterator[Finding]:
    """Yield the mark."""
    del workspace
    if document.raw.startswith(BOM_UTF8):
        message = "the file starts with a byte-order mark"
        hint = "save it as UTF-8 without a mark"
        yield Finding(document, Span(1, 1, 1, 2), message, hint, fix=without_mark())
