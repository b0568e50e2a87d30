"""An anchor has the name of an earlier one.

## What it does

Reports `&name` where the same file has an anchor of that name before it.

## Why it matters

YAML allows it: each alias means the anchor before it that is nearest. Whoever moves a block, or reads only the first
anchor, gets other values than the file says.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: ./load.sh
    env: &settings {SIZE: 100}
  - name: store
    run: ./store.sh
    env: &settings {SIZE: 500}
  - name: report
    run: ./report.sh
    env: *settings
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: ./load.sh
    env: &small {SIZE: 100}
  - name: store
    run: ./store.sh
    env: &large {SIZE: 500}
  - name: report
    run: ./report.sh
    env: *large
```

## Fix

Give each anchor a name of its own.

## References

- https://yaml.org/spec/1.2.2/#3222-anchors-and-aliases
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from f0ci.core.diagnostics import Severity, Span
from f0ci.core.patterns import pattern
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.source.document import Document

RULE = Rule("shadowed-anchor", Group.READING, Severity.WARNING)

_ANCHOR = pattern(rb"&([A-Za-z0-9_-]+)")


def check_document(document: Document, workspace: Workspace) -> Iterator[Finding]:
    """Yield every anchor whose name is taken."""
    del workspace
    raw = document.raw
    first = raw.find(b"&")
    if first < 0 or raw.find(b"&", first + 1) < 0 or document.broken or document.path.endswith(".json"):
        return
    names = _ANCHOR.findall(raw)
    if len(names) == len(set(names)):
        return
    known: dict[str, Span] = {}
    for name, span in _anchors(raw):
        if name in known:
            message = f"the anchor {name!r} is written again: aliases below mean this value, those above another"
            place = Place(document, known[name], "first written here")
            yield Finding(document, span, message, "give one of the two another name", related=(place,))
        else:
            known[name] = span


def _anchors(raw: bytes) -> Iterator[tuple[str, Span]]:
    """Yield every anchor of a text that can be read, with its place."""
    import yaml
    from yaml import events as ev

    for event in yaml.parse(raw, Loader=yaml.CSafeLoader):
        if isinstance(event, ev.NodeEvent) and not isinstance(event, ev.AliasEvent) and event.anchor is not None:
            mark: Any = event.start_mark
            line, column = mark.line + 1, mark.column + 1
            yield event.anchor, Span(line, column, line, column + len(event.anchor) + 1)
