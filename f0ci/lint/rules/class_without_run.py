"""A python step names a class that cannot be run.

## What it does

Reports a class that has neither `run` nor `execute`, where that is certain: the class and all its bases are written in
the repository, once, outside of conditions, without decorators and metaclasses, and nothing sets such a method later.
The source is read, never imported.

## Why it matters

`f0ci run` builds the class and calls `execute(context, params)`, or `run(context, params)` where there is no `execute`.
Without either the run stops at this step, and everything before it is done already.

## Bad

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: load
    type: python
    module: scriptlets.load
    function: LoadScriptlet
# file: scriptlets/load.py
class LoadScriptlet:
    def excute(self, context, params):
        return 0
```

## Good

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: load
    type: python
    module: scriptlets.load
    function: LoadScriptlet
# file: scriptlets/load.py
class LoadScriptlet:
    def execute(self, context, params):
        return 0
```

## Fix

Write `run(self, context, params)`, or name the class that has it.

## References

- `function-missing`, for classes that do not exist
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from f0ci.core.diagnostics import Severity, Span
from f0ci.core.suggestions import closest
from f0ci.lint.code import Module
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.scriptlets import code_of, scriptlets_of
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe
from f0ci.source.document import Document

RULE = Rule("class-without-run", Group.CODE, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every class that certainly has no method to call."""
    code = code_of(workspace)
    for scriptlet in scriptlets_of(recipe, workspace):
        if not isinstance(scriptlet.module, Module) or scriptlet.function is None:
            continue
        found = code.class_without_methods(scriptlet.module, scriptlet.function)
        if found is None:
            continue
        module, node = found
        message = (
            f"step {scriptlet.step.name!r}: class {node.name!r} of {module.name!r} has neither 'run' nor 'execute'"
        )
        defined = Document(module.file or "", b"", None, broken=False)
        # `class` and the name stand on one line, a blank apart, as everybody writes them
        start = node.col_offset + 1
        span = Span(node.lineno, start, node.lineno, start + len(f"class {node.name}"))
        related = (Place(defined, span, f"class {node.name!r}"),)
        yield Finding(recipe.document, (*scriptlet.step.at, "function"), message, _hint(node), related=related)


def _hint(node: ast.ClassDef) -> str:
    methods = [item.name for item in node.body if isinstance(item, ast.FunctionDef)]
    for wanted in ("execute", "run"):
        match = closest(wanted, methods)
        if match is not None:
            return f"did you mean {match!r} to be {wanted!r}?"
    return "write run(self, context, params)"
