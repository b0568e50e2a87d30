"""A file cannot be read from the disk.

## What it does

Reports a file that may concern f0ci and that the system does not hand over: no right to read it, a disk that fails. It
is reported wherever the settings look for recipes, whatever it may hold.

## Why it matters

What was not looked at is not known to be right. Passing it over would turn a wrong file mode into a green pipeline.

## Bad

```text
$ ls -l recipes/nightly.yaml
----------  1 root  root  231  recipes/nightly.yaml
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

Give the account that runs f0ci the right to read the file (`chmod a+r`), or let Git ignore it where it is none of the
repository's.

## References

- https://man7.org/linux/man-pages/man1/chmod.1.html
"""

from __future__ import annotations

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Group, Rule

RULE = Rule("unreadable", Group.READING, Severity.ERROR)
