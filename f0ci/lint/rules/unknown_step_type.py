"""A step has a type that nothing can run.

## What it does

Reports a `type` for which there is no step type, with the closest one. Step types of installed plug-ins count.

## Why it matters

The run would stop at this step, and everything before it would have been done already.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    type: pyhton
    module: scriptlets.data
    function: LoadScriptlet
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    type: python
    module: scriptlets.data
    function: LoadScriptlet
```

## Fix

Correct the type, or install the package that offers it.

## References

- `missing-key`, for what each type needs
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core import plugins
from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import did_you_mean
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("unknown-step-type", Group.GRAPH, Severity.ERROR)

# named, not imported: the runner lies beside the linter
_STEP_TYPES = "f0ci.runner.steps"


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every type that no plug-in has."""
    known = workspace.shared("step types", lambda _: plugins.names(_STEP_TYPES))
    kinds = {step.kind for step in recipe.steps}
    unknown = {kind for kind in kinds if kind not in known and kind.replace("_", "-") not in known}
    for step in recipe.steps if unknown else ():
        if step.kind in unknown:
            types = [name.replace("-", "_") for name in known]
            hint = did_you_mean(step.kind, types, noun="step types")
            yield Finding(recipe.document, (*step.at, "type"), f"there is no step type {step.kind!r}", hint)
