"""Recipes call each other in a circle.

## What it does

Reports each circle of `recipe_path` once, spelled out, in the recipe of it whose path comes first.

## Why it matters

The run would never end.

## Bad

```yaml
# file: recipes/a.yaml
metadata:
  name: a
steps:
  - name: call_b
    type: sub_recipe
    recipe_path: recipes/b.yaml
# file: recipes/b.yaml
metadata:
  name: b
steps:
  - name: call_a
    type: sub_recipe
    recipe_path: recipes/a.yaml
```

## Good

```yaml
# file: recipes/a.yaml
metadata:
  name: a
steps:
  - name: call_b
    type: sub_recipe
    recipe_path: recipes/b.yaml
# file: recipes/b.yaml
metadata:
  name: b
steps:
  - name: load
    run: echo loading
```

## Fix

Move what both need into a third recipe that calls neither.

## References

- `dependency-cycle`, for the steps of one recipe
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.lint.calls import Call, calls_of
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe

RULE = Rule("recipe-cycle", Group.COMPOSITION, Severity.ERROR)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every circle that begins here."""
    for call in calls_of(recipe, workspace):
        way = _way_back(call, recipe.path, workspace)
        if way is None:
            continue
        names = [recipe.path, *(str(each.path) for each in way)]
        if recipe.path == min(names):
            yield Finding(
                recipe.document,
                call.at,
                f"recipes call each other in a circle: {' -> '.join(names)}",
                "move what they share into a recipe of its own",
                related=tuple(Place(each.document, each.at, f"calls {each.path!r}") for each in way[1:]),
            )


def _way_back(call: Call, home: str, workspace: Workspace) -> list[Call] | None:
    """Return the shortest chain of calls that starts with one and ends at home, or None."""
    # each call with the number of the one before it
    calls = [(call, -1)]
    seen: set[str] = set()
    for number, (last, _) in enumerate(calls):
        if last.path == home:
            return _chain(calls, number)
        if last.recipe is None or last.recipe.path in seen:
            continue
        seen.add(last.recipe.path)
        calls.extend((following, number) for following in calls_of(last.recipe, workspace))
    return None


def _chain(calls: list[tuple[Call, int]], number: int) -> list[Call]:
    way: list[Call] = []
    while number >= 0:
        call, number = calls[number]
        way.append(call)
    return way[::-1]
