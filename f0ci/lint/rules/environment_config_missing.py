"""An environment that is spoken of has no configuration.

## What it does

Reports three places where an environment is expected and none is found:

- an environment of a workflow for which there is no `environments/<name>/config.*`;
- a parameter called `environment` whose `validation.enum`, or whose description as in "(dev, staging, prod)", names an
  environment without a configuration while others of the list have one (a warning);
- a folder beside other environments that is called like one, or is empty, and holds no configuration (a warning).

A workflow in a repository without any configuration gets one warning.

## Why it matters

Nothing can be rendered for that environment, so nothing can be promoted into it: the way to production ends there.

## Bad

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
parameters:
  - name: environment
    description: Target environment (dev, staging, prod)
    required: true
steps:
  - name: load
    run: ./load.sh
    env: {TARGET: "#{params.environment}"}
# file: environments/dev/config.yaml
processing: {batch_size: 100}
# file: environments/prod/config.yaml
processing: {batch_size: 1000}
```

## Good

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
parameters:
  - name: environment
    description: Target environment (dev, staging, prod)
    required: true
steps:
  - name: load
    run: ./load.sh
    env: {TARGET: "#{params.environment}"}
# file: environments/dev/config.yaml
processing: {batch_size: 100}
# file: environments/staging/config.yaml
processing: {batch_size: 500}
# file: environments/prod/config.yaml
processing: {batch_size: 1000}
```

## Fix

Write the configuration, or say no more that the environment exists. `extends: dev` starts from another one.

## References

- `environment-unusable`, for a configuration that is there and cannot be used
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from f0ci.core.diagnostics import Severity
from f0ci.core.patterns import pattern
from f0ci.lint.environments import EnvironmentSet
from f0ci.lint.rules.base import Finding, Group, Rule, listed
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Parameter, Recipe
from f0ci.source.project import ENVIRONMENT_ALIASES
from f0ci.source.reading import Path

if TYPE_CHECKING:
    from f0ci.workflows.model import Workflow

RULE = Rule("environment-config-missing", Group.ENVIRONMENTS, Severity.ERROR)

_WORDS = frozenset(name for group in ENVIRONMENT_ALIASES for name in group)
_PARAMETERS = frozenset({"environment", "env", "target_environment"})
_LIST = pattern(r"\(([^()]*)\)")
_WORD = pattern(r"[A-Za-z0-9_-]+")


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every environment of a workflow that has no configuration."""
    members = workspace.environments_of(workflow.document.path)
    if members is None:
        if workflow.environments and not workspace.environment_sets:
            names = listed([environment.name for environment in workflow.environments])
            message = f"there is no configuration for {names}, nor for any other environment"
            hint = (
                f"write {workspace.project.environments}/{workflow.environments[0].config}/config.yaml and its siblings"
            )
            at: Path = ("spec", "environments")
            yield Finding(workflow.document, at, message, hint, key=True, severity=Severity.WARNING)
        return
    for environment in workflow.environments:
        if not members.has(environment.config):
            message = f"environment {environment.name!r} has no configuration"
            yield Finding(workflow.document, environment.at, message, _hint(members, environment.config), key=True)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every environment that a parameter offers and that has no configuration, where others have one."""
    for parameter in recipe.parameters:
        members = workspace.environments_of(recipe.path) if parameter.name in _PARAMETERS else None
        offered = list(_offered(parameter)) if members is not None else []
        if members is None or not any(members.has(name) for name, _, _ in offered):
            continue
        for name, at, within in offered:
            if not members.has(name):
                message = f"the parameter {parameter.name!r} offers {name!r}, which has no configuration"
                hint = _hint(members, name)
                yield Finding(recipe.document, at, message, hint, within=within, severity=Severity.WARNING)


def check_environments(members: EnvironmentSet, workspace: Workspace) -> Iterator[Finding]:
    """Yield every folder that is meant for an environment and holds no configuration."""
    del workspace
    for name in members.bare:
        message = f"the folder of environment {name!r} holds no configuration"
        yield Finding(f"{members.root}/{name}", (), message, _hint(members, name), severity=Severity.WARNING)


def _offered(parameter: Parameter) -> Iterator[tuple[str, Path, tuple[int, int] | None]]:
    """Yield every environment that a parameter names, with its place."""
    values = parameter.validation.get("enum")
    if isinstance(values, list):
        start = (*parameter.at, "validation", "enum")
        yield from ((value, (*start, i), None) for i, value in enumerate(values) if isinstance(value, str))
        return
    for group in _LIST.finditer(parameter.description):
        words = list(_WORD.finditer(parameter.description, *group.span(1)))
        # a list of environments, and not some other remark in brackets
        if len(words) > 1 and all(word.group() in _WORDS for word in words):
            at = (*parameter.at, "description")
            yield from ((word.group(), at, (word.start(), len(word.group()))) for word in words)


def _hint(members: EnvironmentSet, name: str) -> str:
    return f"write {members.root}/{name}/config.json or .yaml beside {listed(members.names)}"
