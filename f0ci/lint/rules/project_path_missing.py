"""`f0ci.yaml` names a path that does not exist.

## What it does

Checks the folders of `recipes` and `templates`, the `environments` folder, the `workflow`, the `approvers` file and
every entry of `code`, where `f0ci.yaml` names them: they exist, and lie inside the repository.

## Why it matters

A library of recipes that is not there is a library in which nothing is found wrong; code that is not there is missing
from every release.

## Bad

```yaml
# file: f0ci.yaml
recipes: [recipe_libary]
# file: recipe_library/nightly.yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
```

## Good

```yaml
# file: f0ci.yaml
recipes: [recipe_library]
# file: recipe_library/nightly.yaml
metadata:
  name: nightly
steps:
  - name: load
    run: echo loading
```

## Fix

Correct the path; it is relative to the folder of `f0ci.yaml`.

## References

- `recipe-path-missing`, for the path of a sub-recipe
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import closest
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.source.document import Document
from f0ci.source.reading import Path
from f0ci.source.tree import Tree, resolve_path

RULE = Rule("project-path-missing", Group.PROJECT, Severity.ERROR)

_FOLDERS = ("recipes", "environments", "templates")
_FILES = ("workflow", "approvers")


# every one is looked for on the disk, and no more of them are listed
_MOST = 10_001


def check_workspace(workspace: Workspace) -> Iterator[Finding]:
    """Yield every path in the settings that leads nowhere."""
    document = workspace.project.document
    return islice(_missing(document, workspace.tree), _MOST) if document is not None else iter(())


def _missing(document: Document, tree: Tree) -> Iterator[Finding]:
    known: set[str] = set()
    for key, at, path in _paths(document):
        where = resolve_path(path)
        if where is None:
            # a single path that does is refused before anything is linted
            hint = "write a path below the repository's root"
            yield Finding(document, at, f"the path {path!r} leaves the repository", hint)
        elif not _exists(tree, where, key):
            known = known or {path for file in tree.files() for path in (file, *_parents(file))}
            noun = "folder" if key in _FOLDERS else "file" if key in _FILES else "file or folder"
            near = closest(where, known)
            hint = f"did you mean {near!r}?" if near else "paths are relative to the folder of f0ci.yaml"
            yield Finding(document, at, f"there is no {noun} {path!r}", hint)


def _paths(document: Document) -> Iterator[tuple[str, Path, str]]:
    for key in ("recipes", "code"):
        for index, path in enumerate(document.get((key,), [])):
            yield key, (key, index), path
    for key in ("environments", "templates", "workflow", "approvers"):
        path = document.get((key,))
        if path is not None:
            yield key, (key,), path


def _exists(tree: Tree, path: str, key: str) -> bool:
    is_folder = path == "." or next(iter(tree.files(path)), None) is not None
    if key in _FOLDERS:
        return is_folder
    return tree.exists(path) or (key == "code" and is_folder)


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
