"""A recipe declares a parameter that nothing in it reads.

## What it does

Reports declared parameters whose name no expression of the recipe uses, neither as `params.<name>` nor, in the template
dialect, as `<name>`, and that no template mentions. Nothing is said where an expression cannot be read, or takes
`params` as a whole, and nothing where a name that is close to the parameter's is read: that name is reported.

## Why it matters

Callers give a value that changes nothing. Often the step that should read it has another name, or lost its expression.

## Bad

```yaml
metadata:
  name: nightly
parameters:
  - name: table
    required: true
  - name: limit
    default: 100
steps:
  - name: load
    run: ./load.sh
    env: {TABLE: "#{params.table}"}
```

## Good

```yaml
metadata:
  name: nightly
parameters:
  - name: table
    required: true
  - name: limit
    default: 100
steps:
  - name: load
    run: ./load.sh
    env: {TABLE: "#{params.table}", LIMIT: "#{params.limit}"}
```

## Fix

Use the parameter, or remove its declaration and what callers give for it.

## References

- `undeclared-parameter`, for what is read and not declared
- `unknown-parameter`, for the recipe that gives it
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.errors import InputError
from f0ci.core.patterns import pattern
from f0ci.core.suggestions import closest
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.uses import Uses
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Parameter, Recipe
from f0ci.recipes.parameters import used_parameters
from f0ci.source.tree import Tree

RULE = Rule("unused-parameter", Group.COMPOSITION, Severity.WARNING)

_WORD = pattern(rb"[\w-]+")


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every parameter that nothing reads."""
    if not recipe.parameters:
        return
    uses = workspace.uses(recipe)
    if uses.faults:
        return
    read = {root for root in uses.by_root if root != "params"}
    for use in uses.of("params"):
        if not use.reference.path:
            return
        read.add(str(use.reference.path[0]))
    left = [parameter for parameter in recipe.parameters if parameter.name not in read and not parameter.fixed]
    if not left:
        return
    slips = _misspelt(recipe, uses, read)
    left = [parameter for parameter in left if parameter.name not in slips]
    # texts outside of the steps, such as a description of outputs, may name it as well
    elsewhere = used_parameters(recipe)
    if "params" in elsewhere:
        return
    words = _template_words(workspace)
    if words is None:
        return
    for parameter in left:
        if parameter.name not in elsewhere and parameter.name.encode() not in words:
            yield _finding(recipe, parameter)


def _misspelt(recipe: Recipe, uses: Uses, read: set[str]) -> set[str | None]:
    """Return parameters that are read by a name that is close to theirs: what is wrong there is told there."""
    declared = {parameter.name for parameter in recipe.parameters}
    slips = {closest(name, declared) for name in sorted(read - declared)}
    for root, several in uses.by_root.items():
        if root != "params" and closest(root, ("params",)):
            slips.update(str(use.reference.path[0]) for use in several if use.reference.path)
    return slips


def _template_words(workspace: Workspace) -> frozenset[bytes] | None:
    """Return the words of all templates, which see the parameters of a deploy recipe; None where one cannot be read."""
    folder = workspace.project.templates.strip("/")

    def words(tree: Tree) -> frozenset[bytes] | None:
        try:
            return frozenset(word for path in tree.files(folder) for word in _WORD.findall(tree.read(path)))
        except InputError:
            return None

    return workspace.shared("template words", words)


def _finding(recipe: Recipe, parameter: Parameter) -> Finding:
    in_list = isinstance(parameter.at[-1], int)
    at = (*parameter.at, "name") if in_list else parameter.at
    message = f"nothing reads the parameter {parameter.name!r}"
    return Finding(recipe.document, at, message, "read it where it is meant, or remove it", key=not in_list)
