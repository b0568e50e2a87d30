"""An expression asks a name for what it does not have.

## What it does

Reports keys of `environment`, `overlay` and `release`, which are texts; of the `context`, whose values are asked for by
`context.get`; and of a step, which has an `outcome` and `outputs`.

## Why it matters

The name is known, so the expression looks right. It is evaluated when the step's turn comes, and ends the run there,
after the steps before it have done their work.

## Bad

```yaml
metadata:
  name: nightly
steps:
  - name: count
    run: echo rows=3 >> "$F0CI_OUTPUT"
  - name: tell
    depends_on: [count]
    run: ./tell.sh
    env:
      ROWS: "#{steps.count.rows}"
      PLACE: "#{environment.name}"
```

## Good

```yaml
metadata:
  name: nightly
steps:
  - name: count
    run: echo rows=3 >> "$F0CI_OUTPUT"
  - name: tell
    depends_on: [count]
    run: ./tell.sh
    env:
      ROWS: "#{steps.count.outputs.rows}"
      PLACE: "#{environment}"
```

## Fix

Write what the hint says.

## References

- `unknown-root`, for names that do not exist
- `unknown-step-output`, for outputs that a step does not declare
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import did_you_mean
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.uses import Use, read_deploy_uses
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Dialect, Recipe
from f0ci.source.document import Document

if TYPE_CHECKING:
    from f0ci.workflows.model import Workflow

RULE = Rule("unknown-attribute", Group.EXPRESSIONS, Severity.ERROR)

_TEXTS = ("environment", "overlay", "release")
_OF_A_STEP = ("outcome", "outputs")


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every key that a name of the run does not have."""
    uses = workspace.uses(recipe)
    if uses.by_root.keys().isdisjoint((*_TEXTS, "context", "steps")):
        return
    # in templates a parameter may have the name of a text
    own = {one.name for one in recipe.parameters} if recipe.dialect is Dialect.TEMPLATE else set()
    for name in _TEXTS:
        if name not in own:
            yield from _of_text(uses.of(name), recipe.document)
    for use in uses.of("context"):
        if use.reference.call is None and use.reference.path and not use.reference.has_default:
            key = ".".join(map(str, use.reference.path))
            message = f"'context' has no attribute {str(use.reference.path[0])!r}"
            yield Finding(recipe.document, use.at, message, f"write context.get({key!r})", within=use.within)
    steps = {step.name for step in recipe.steps}
    for use in uses.of("steps"):
        path = use.reference.path
        if len(path) > 1 and path[0] in steps and path[1] not in _OF_A_STEP and not use.reference.has_default:
            hint = did_you_mean(str(path[1]), _OF_A_STEP, noun="it has")
            if path[1] not in {"output", "outputs"} and len(path) == 2 and not use.reference.is_open:
                hint = f"write steps.{path[0]}.outputs.{path[1]}"
            yield Finding(
                recipe.document, use.at, f"step {str(path[0])!r} has no {str(path[1])!r}", hint, within=use.within
            )


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every key of a text in a deploy parameter."""
    del workspace
    for environment in workflow.environments:
        uses = read_deploy_uses(environment)
        for name in _TEXTS:
            yield from _of_text(uses.of(name), workflow.document)


def _of_text(uses: Iterable[Use], document: Document) -> Iterator[Finding]:
    for use in uses:
        path, name = use.reference.path, use.reference.root
        if path and isinstance(path[0], str) and not use.reference.has_default:
            more = f", or config.environment.{path[0]}" if name == "environment" else ""
            message = f"{name!r} is a text and has no {path[0]!r}"
            yield Finding(document, use.at, message, f"write {name}{more}", within=use.within)
