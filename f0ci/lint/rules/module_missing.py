"""A python step names a module that its package does not have.

## What it does

Reports a `module` (in templates: `scriptlet`) whose first name is a package of the repository, and that is not in it,
with the closest one. Modules are looked for as `f0ci run` looks for them: below the repository's root, and for a
template's scriptlet below `scriptlets` as well. Nothing is imported. A module whose first name is not in the repository
may be installed where the recipe runs, and is left alone; so is what an expression names. The path of a file
(`scriptlets/load.py`) is reported as well: no module is called so.

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
    module: scriptlets.lod
    function: LoadScriptlet
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

Correct the name, or add the module.

## References

- `function-missing`, for what a module does not have
- `recipe-path-missing`, for recipes
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import closest
from f0ci.lint.code import Missing
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.scriptlets import scriptlets_of
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe, Step

RULE = Rule("module-missing", Group.CODE, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every module that is certainly not there, or is none."""
    for step in recipe.steps:
        name = step.module or ""
        if ("/" in name or name.endswith(".py")) and step.kind == "python" and "{" not in name:
            yield _path(recipe, step)
    for scriptlet in scriptlets_of(recipe, workspace):
        missing = scriptlet.module
        if not isinstance(missing, Missing):
            continue
        match = closest(missing.part, missing.known)
        hint = f"did you mean {missing.known[match]!r}?" if match else f"expected {missing.expected!r}"
        message = f"step {scriptlet.step.name!r}: there is no module {missing.name!r}"
        yield Finding(recipe.document, scriptlet.module_at, message, hint)


def _path(recipe: Recipe, step: Step) -> Finding:
    """Return what is said of a file's path where a module's name is meant."""
    written = str(step.module)
    key = "module" if "module" in step.raw else "scriptlet"
    dotted = written.removeprefix("./").removesuffix(".py").strip("/").replace("/", ".")
    message = f"step {step.name!r}: {written!r} is a file's path, not a module's name"
    return Finding(recipe.document, (*step.at, key), message, f"write {dotted!r}")
