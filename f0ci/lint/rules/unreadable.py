"""A file or folder cannot be read from the disk.

## What it does

Reports a file that may concern f0ci and that the system does not hand over: no right to read it, a disk that fails. It
is reported wherever the settings look for recipes, whatever it may hold. So is a folder whose files the system does not
list.

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

Give the account that runs f0ci the right to read the file (`chmod a+r`) or to list the folder (`chmod a+rx`), or let
Git ignore it where it is none of the repository's.

## References

- https://man7.org/linux/man-pages/man1/chmod.1.html
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.errors import InputError, MissingFile
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.source.project import Project

RULE = Rule("unreadable", Group.READING, Severity.ERROR)


def check_workspace(workspace: Workspace) -> Iterator[Finding]:
    """Yield every folder that cannot be listed, where files that concern f0ci may be in it."""
    for path in workspace.tree.files():
        if path.endswith("/") and _may_concern(path, workspace.project):
            try:
                workspace.tree.read(path)
            except MissingFile:
                # it was there a moment ago
                continue
            except InputError as error:
                hint = "let the account that runs f0ci list the folder, or let Git ignore it"
                yield Finding(path.rstrip("/"), (), error.message, hint)


def _may_concern(folder: str, project: Project) -> bool:
    """Tell whether a folder that ends with a slash holds, or lies in, one that the settings name."""
    if project.document is None or project.document.get(("recipes",)) is None:
        return True
    folders = (*project.recipes, *project.code, project.environments, project.templates)
    named = (*(f"{name.strip('/')}/" for name in folders), project.workflow, project.approvers)
    # the tree itself is "./", as a folder and as a setting
    return "./" in {folder, *named} or any(folder.startswith(name) or name.startswith(folder) for name in named)
