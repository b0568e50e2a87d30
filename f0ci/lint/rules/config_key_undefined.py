"""A recipe reads a configuration key that an environment does not define.

## What it does

Looks up every `config.<key>` of a recipe's expressions in the merged configuration of each environment and overlay, and
names those that lack it; every one in the workflow's deploy parameters in the configuration of that environment. Names
with a default (`config.x | default(...)`) are left alone. Where only some lack the key and the step has a `condition`,
or the expression a choice, it is a warning: the key may never be read there.

## Why it matters

Undefined names are errors: rendering for that environment fails, and so would the run. A key that a scriptlet puts into
the context while it runs is `context.get('...')`, not `config`.

## Bad

```yaml
# file: recipes/nightly.yaml
metadata:
  name: nightly
steps:
  - name: load
    run: ./load.sh
    env: {SIZE: "#{config.processing.batch_sise}"}
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
steps:
  - name: load
    run: ./load.sh
    env: {SIZE: "#{config.processing.batch_size}"}
# file: environments/dev/config.yaml
processing: {batch_size: 100}
# file: environments/prod/config.yaml
processing: {batch_size: 1000}
```

## Fix

Correct the key, define it in each environment or in `environments/base.yaml`, or give the expression a default.

## References

- `environment-key-missing`, which compares environments with each other
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import closest, may_compare
from f0ci.environments.model import Environment
from f0ci.lint.environments import EnvironmentSet
from f0ci.lint.rules.base import Finding, Group, Place, Rule, listed
from f0ci.lint.uses import Use, read_deploy_uses
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe
from f0ci.source.reading import Path

if TYPE_CHECKING:
    from f0ci.workflows.model import Workflow

RULE = Rule("config-key-undefined", Group.EXPRESSIONS, Severity.ERROR)

_MOST_PLACES = 5


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every use of a key that one environment or all of them lack."""
    members = workspace.environments_of(recipe.path)
    if members is None:
        return
    # the same few keys are read all over a repository
    known: dict[Path, list[Environment]] = workspace.shared(f"lacking keys in {members.root}", lambda _: {})
    for use in workspace.uses(recipe).of("config"):
        path = use.reference.path
        if not path or use.reference.has_default:
            continue
        if path not in known:
            known[path] = _lacking(path, members)
        if known[path]:
            yield _finding(recipe, use, known[path], members)


def check_workflow(workflow: Workflow, workspace: Workspace) -> Iterator[Finding]:
    """Yield every use of a key in a deploy parameter that the environment lacks."""
    members = workspace.environments_of(workflow.document.path)
    if members is None:
        return
    for described in workflow.environments:
        environment = members.find(described.config)
        for use in read_deploy_uses(described).names if environment is not None else ():
            reference, path = use.reference, use.reference.path
            if environment is None or reference.root != "config" or not path or reference.has_default:
                continue
            if _depth(environment.config, path) < len(path):
                name = ".".join(map(str, path))
                message = f"the configuration key {name!r} is read here, and {environment.name!r} lacks it"
                hint = _hint(path, [environment], EnvironmentSet(members.root, (environment,)))
                yield Finding(workflow.document, use.at, message, hint, within=use.within)


def _lacking(path: Path, members: EnvironmentSet) -> list[Environment]:
    """Return the environments that lack a key, and the overlays that take it away."""
    lacking = [each for each in members.environments if _depth(each.config, path) < len(path)]
    names = {each.name for each in lacking}
    over = (each for each in members.overlays if each.base_name not in names)
    return [*lacking, *(each for each in over if _depth(each.config, path) < len(path))]


def _finding(recipe: Recipe, use: Use, lacking: Sequence[Environment], members: EnvironmentSet) -> Finding:
    path = use.reference.path
    name = ".".join(map(str, path))
    # an environment that cannot be loaded may define it
    everywhere = sum(not each.overlay for each in lacking) == len(members.environments) and not members.faults
    names = listed([environment.name for environment in lacking])
    lack = f"{names} {'lacks' if len(lacking) == 1 else 'lack'} it"
    what = f"no environment defines it (looked in {names})" if everywhere else lack
    is_guarded = use.is_optional or (use.step is not None and use.step.condition is not None)
    return Finding(
        recipe.document,
        use.at,
        f"the configuration key {name!r} is read here, and {what}",
        _hint(path, lacking, members),
        within=use.within,
        related=tuple(place for e in lacking[:_MOST_PLACES] for place in _parent(e, path)),
        severity=Severity.WARNING if is_guarded and not everywhere else None,
    )


def _depth(config: Any, path: Path) -> int:
    """Return how many keys of a path lead somewhere."""
    value = config
    for depth, key in enumerate(path):
        if isinstance(value, list) and isinstance(key, int):
            value = dict(enumerate(value))
        if not isinstance(value, Mapping) or key not in value:
            return depth
        value = value[key]
    return len(path)


def _parent(environment: Environment, path: Path) -> Iterator[Place]:
    """Yield the place below which the key is missing."""
    above = path[: _depth(environment.config, path)]
    document = environment.document
    if above and document is not None and document.get(above) is not None:
        yield Place(document, above, f"{'.'.join(map(str, above))!r} of {environment.name!r}", key=True)


def _hint(path: Path, lacking: Sequence[Environment], members: EnvironmentSet) -> str:
    documents = (e.layers[-1].document if e.overlay and e.layers else e.document for e in lacking)
    files = listed([document.path for document in documents if document is not None])
    definition = f"define it in {files}, or once in {members.root}/base.yaml"
    if sum(not each.overlay for each in lacking) < len(members.environments) or not may_compare():
        # where the others know the key, it is no slip of the pen
        return definition
    depth = min(_depth(environment.config, path) for environment in lacking)
    siblings = {str(key) for e in members.environments for key in _keys(e.config, path[:depth])}
    near = closest(str(path[depth]), siblings - {str(path[depth])})
    if near is not None:
        return f"did you mean {'.'.join([*map(str, path[:depth]), near])!r}?"
    return definition


def _keys(config: Any, path: Path) -> Iterator[Any]:
    value = config
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        yield from value
