"""A comparison of two values that are never of the same type.

## What it does

Reports comparisons of a number with a text in expressions: of a configuration value with a literal, where the value is
of the other type in every environment, and of a parameter with a literal, by the parameter's declared type. Null is
of every type.

## Why it matters

A text never equals a number: `config.retries == '3'` is false even where retries is 3, and the step behind it never
runs. With `<` and `>` the run stops.

## Bad

```yaml
metadata:
  name: nightly
parameters:
  - name: limit
    type: integer
    default: 100
steps:
  - name: load
    run: ./load.sh
    condition: "params.limit == '100'"
```

## Good

```yaml
metadata:
  name: nightly
parameters:
  - name: limit
    type: integer
    default: 100
steps:
  - name: load
    run: ./load.sh
    condition: "params.limit == 100"
```

## Fix

Write the literal as the type that the value has, or convert the value: `config.retries | int`.

## References

- `type-mismatch`, for values that differ between environments
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Dialect, Recipe

if TYPE_CHECKING:
    from f0ci.expressions.syntax import Comparison, Literal, Lookup, Node
    from f0ci.expressions.template import Template

    Pairs = tuple[tuple[Lookup, Literal, str, int], ...]

RULE = Rule("comparison-of-types", Group.EXPRESSIONS, Severity.WARNING)

_TEXT, _NUMBER = "text", "a number"
_DECLARED = {"string": _TEXT, "str": _TEXT, "text": _TEXT, "integer": _NUMBER, "int": _NUMBER}
_MOST_KNOWN = 4096
_known: dict[tuple[str, bool], Pairs] = {}
_DECLARED |= {"number": _NUMBER, "float": _NUMBER}


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every comparison with a literal of another type."""
    for at, template in workspace.uses(recipe).templates.items():
        for name, literal, operator, offset in _pairs_of(template, at[-1] == "condition" and len(at) == 3):
            found = _judged(recipe, workspace, name, literal.value, operator)
            if found is not None:
                message, hint, severity = found
                within = (offset + name.at, name.end - name.at)
                yield Finding(recipe.document, at, message, hint, within=within, severity=severity)


def _pairs_of(template: Template, is_condition: bool) -> Pairs:
    """Return the pairs of a text; the same few conditions stand all over a repository."""
    key = (template.text, is_condition)
    if key not in _known:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[key] = _pairs(template)
    return _known[key]


def _pairs(template: Template) -> Pairs:
    """Return every comparison of a name with a literal, with its operator and the offset of its expression.

    What is right wherever it stands, as `environment == 'prod'`, is left out.
    """
    from f0ci.expressions.syntax import Literal, Lookup

    found = []
    for expression in template.expressions:
        for node in _comparisons(expression.node):
            sides = [node.first, *(operand for _, operand in node.rest)]
            for (operator, right), left in zip(node.rest, sides, strict=False):
                name, literal = (left, right) if isinstance(left, Lookup) else (right, left)
                if operator in {"in", "not in"} or not (isinstance(name, Lookup) and isinstance(literal, Literal)):
                    continue
                if _kind(literal.value) not in {None, _TEXT if _is_text(name) else None}:
                    found.append((name, literal, operator, expression.offset))
    return tuple(found)


def _comparisons(node: Node) -> Iterator[Comparison]:
    from f0ci.expressions.syntax import Comparison, children

    if isinstance(node, Comparison):
        yield node
    for child in children(node):
        yield from _comparisons(child)


def _judged(
    recipe: Recipe, workspace: Workspace, name: Lookup, value: Any, operator: str
) -> tuple[str, str, Severity | None] | None:
    written = _kind(value)
    kind = _kind_of(recipe, workspace, name)
    if written is None or kind is None or kind == written:
        return None
    way = ".".join([name.root, *(str(part.key) for part in name.parts)])
    if operator in {"==", "!="}:
        what = f"{way!r} is {kind} and never equals {value!r}, which is {written}"
    else:
        what = f"{way!r} is {kind} and cannot be compared with {value!r}, which is {written}"
    hint = f"write {_as_other(value)}" if _as_other(value) else f"compare it with {kind}"
    return what, hint, None if operator in {"==", "!="} else Severity.ERROR


def _as_other(value: Any) -> str:
    if not isinstance(value, str):
        return f"'{value}'"
    try:
        float(value)
    except ValueError:
        return ""
    return value


def _kind(value: Any) -> str | None:
    if isinstance(value, str):
        # what holds an expression has the type of its value
        return None if "{" in value else _TEXT
    return _NUMBER if isinstance(value, int | float) and not isinstance(value, bool) else None


def _kind_of(recipe: Recipe, workspace: Workspace, name: Lookup) -> str | None:
    """Return what a name is wherever it is defined, or None where that is not certain."""
    if _is_text(name):
        return _TEXT
    keys = [part.key for part in name.parts]
    if name.root == "params" and len(keys) == 1:
        return _declared(recipe, keys[0])
    if recipe.dialect is Dialect.TEMPLATE and not keys:
        return _declared(recipe, name.root)
    if name.root != "config" or not keys:
        return None
    members = workspace.environments_of(recipe.path)
    kinds = {_kind(_value(one.config, keys)) for one in members.environments} if members and not members.faults else {}
    return next(iter(kinds)) if len(kinds) == 1 else None


def _is_text(name: Lookup) -> bool:
    return name.root in {"environment", "overlay"} and not name.parts


def _declared(recipe: Recipe, name: Any) -> str | None:
    parameter = recipe.parameter(str(name))
    return _DECLARED.get(parameter.type) if parameter and isinstance(parameter.type, str) else None


def _value(config: Any, keys: list[Any]) -> Any:
    for key in keys:
        config = config.get(key) if isinstance(config, Mapping) and isinstance(key, str) else None
    return config
