"""An expression starts with a name that does not exist.

## What it does

Reports names other than `params`, `config`, `environment`, `overlay`, `context`, `steps` and `release`. `error` exists
in steps with `trigger: on_error` and in `compensate`, `outputs` in `success.condition`; in the template dialect the
recipe's parameters are names too. The default of a parameter, and the workflow's deploy parameters, know only `config`,
`environment`, `overlay` and `release`. Names with a default, as in `x | default(...)`, are left alone.

## Why it matters

Undefined names are errors: the run would stop at this step.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: ./load.sh
    condition: "#{enviroment == 'prod'}"
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: load
    run: ./load.sh
    condition: "#{environment == 'prod'}"
```

## Fix

Correct the name. A text in an expression is quoted: `#{environment == 'prod'}`.

## References

- `undeclared-parameter`, `config-key-undefined`, `unknown-step-output`, for what follows the first name
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import did_you_mean
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.uses import read_deploy_uses
from f0ci.lint.workspace import Workspace
from f0ci.recipes.graph import ON_ERROR
from f0ci.recipes.model import Dialect, Recipe

if TYPE_CHECKING:
    from f0ci.workflows.model import Workflow

RULE = Rule("unknown-root", Group.EXPRESSIONS, Severity.ERROR)

_ROOTS = frozenset({"params", "config", "environment", "overlay", "context", "steps", "release"})
# all that the default of a parameter knows
_AROUND = frozenset({"config", "environment", "overlay", "release"})
# known only after a failure
_ERROR = "error"
# known only to the condition of `success`
_OUTPUTS = "outputs"


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every name that a run would not know."""
    parameters = {parameter.name for parameter in recipe.parameters}
    known = _ROOTS | parameters if recipe.dialect is Dialect.TEMPLATE else _ROOTS
    uses = workspace.uses(recipe)
    if not uses.names or (known.issuperset(uses.by_root) and uses.names[-1].step is not None):
        # names that steps know, in steps alone: what stands elsewhere comes last
        return
    for use in uses.names:
        name = use.reference.root
        is_default = use.step is None and use.at[0] != "execution"
        handles_errors = "compensate" in use.at or (use.step is not None and use.step.trigger == ON_ERROR)
        if name == _OUTPUTS and use.at[-2:] == ("success", "condition"):
            continue
        is_known = name in (_AROUND if is_default else known) or (name == _ERROR and handles_errors)
        if is_known or use.reference.has_default:
            continue
        message = f"the name {name!r} is not {'known in a default' if is_default else 'defined'}"
        if name == _ERROR:
            hint: str | None = "it is known in steps with 'trigger: on_error'"
        elif is_default:
            hint = did_you_mean(name, _AROUND, noun="known names")
        elif name in parameters:
            hint = f"write params.{name}"
        else:
            hint = did_you_mean(name, known, noun="known names")
        yield Finding(recipe.document, use.at, message, hint, within=(use.reference.offset, len(name)))


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every name in a deploy parameter that is not known before a run."""
    del workspace
    for environment in workflow.environments:
        for use in read_deploy_uses(environment).names:
            name = use.reference.root
            if name not in _AROUND and not use.reference.has_default:
                message = f"the name {name!r} is not known in a deploy parameter"
                hint = did_you_mean(name, _AROUND, noun="known names")
                yield Finding(workflow.document, use.at, message, hint, within=(use.reference.offset, len(name)))
