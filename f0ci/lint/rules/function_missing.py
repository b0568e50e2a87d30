"""A python step names a class or function that its module does not have.

## What it does

Reports a `function` that the module, a source of the repository, neither defines nor imports, with the closest one. Of
a package, its `__init__.py` and the modules right below it are looked at, as `f0ci run` does. The source is read, never
imported: where a star import, a module's `__getattr__`, `exec` or the like may bring the name, nothing is reported.

## Why it matters

The run would stop at this step, and everything before it would have been done already.

## Bad

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: load
    type: python
    module: scriptlets.load
    function: LoadScriplet
# file: scriptlets/load.py
class LoadScriptlet:
    def run(self, context, params):
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
    def run(self, context, params):
        return 0
```

## Fix

Correct the name, or write the class or function.

## References

- `module-missing`, for modules
- `class-without-run`, for classes that cannot be run
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity, Span
from f0ci.core.suggestions import did_you_mean, may_compare
from f0ci.lint.code import Code, Module
from f0ci.lint.rules.base import Finding, Group, Place, Rule, listed
from f0ci.lint.scriptlets import code_of, scriptlets_of
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe
from f0ci.source.document import Document

RULE = Rule("function-missing", Group.CODE, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every class or function that its module certainly does not have."""
    code = code_of(workspace)
    for scriptlet in scriptlets_of(recipe, workspace):
        module, name = scriptlet.module, scriptlet.function
        if not isinstance(module, Module) or name is None or name.startswith("__"):
            continue
        source = code.source(module)
        if module.file is not None and (source is None or source.is_open or name in source.names):
            continue
        homes = code.homes(module, name)
        if len(homes) == 1:
            continue
        message = f"step {scriptlet.step.name!r}: module {module.name!r} has no class or function {name!r}"
        related = (Place(_document(module.file), Span(), f"module {module.name!r}"),) if module.file else ()
        hint = _hint(module, name, homes, code)
        yield Finding(recipe.document, (*scriptlet.step.at, "function"), message, hint, related=related)


def _hint(module: Module, name: str, homes: tuple[str, ...], code: Code) -> str | None:
    if homes:
        return f"name the module that is meant: {listed(homes)} have it"
    if isinstance(code.find(f"{module.name}.{name}"), Module):
        return f"{f'{module.name}.{name}'!r} is a module: name it as such, and one of its classes or functions here"
    source = code.source(module)
    offers = source.offers if source is not None and may_compare() else ()
    return did_you_mean(name, offers, noun="it has") or "write it there, or name the module that has it"


def _document(path: str) -> Document:
    return Document(path, b"", None, broken=False)
