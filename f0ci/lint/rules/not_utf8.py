"""A byte of the file is not UTF-8.

## What it does

Reports the first byte that cannot be read as UTF-8.

## Why it matters

YAML and JSON files are UTF-8. Anything else is guessed differently by every reader, and signatures and digests cover
bytes, not guesses.

## Bad

```yaml latin-1
metadata:
  name: nightly
  author: José
steps:
  - name: load
    run: echo loading
```

## Good

```yaml
metadata:
  name: nightly
  author: José
steps:
  - name: load
    run: echo loading
```

## Fix

Save the file as UTF-8: `iconv -f latin1 -t utf-8 old.yaml > new.yaml`.

## References

- https://www.rfc-editor.org/rfc/rfc3629
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("not-utf8", Group.READING, Severity.ERROR)
