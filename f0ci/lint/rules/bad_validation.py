"""The validation of a parameter cannot be used.

## What it does

Reports `validation` of a declared parameter whose `pattern` is no regular expression, whose `schema` is no JSON Schema,
or whose bounds leave no value at all.

## Why it matters

Every call of the recipe is refused, whatever value it gives: nobody can tell whether a value fits.

## Bad

```yaml
name: fetch
version: "1.0"
parameters:
  url:
    type: string
    validation: {pattern: "^https?://[a-z+/.*$"}
steps:
  - name: call
    run: ./fetch.sh
    env: {URL: "{{ url }}"}
```

## Good

```yaml
name: fetch
version: "1.0"
parameters:
  url:
    type: string
    validation: {pattern: "^https?://[a-z]+/.*$"}
steps:
  - name: call
    run: ./fetch.sh
    env: {URL: "{{ url }}"}
```

## Fix

Correct the pattern, the schema or the bounds.

## References

- https://json-schema.org/draft/2020-12/json-schema-validation
- `parameter-type`, for values that a validation refuses
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from f0ci.core.diagnostics import Severity
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe
from f0ci.source.bounded import MOST_OF_A_PATTERN
from f0ci.source.reading import Path

RULE = Rule("bad-validation", Group.COMPOSITION, Severity.ERROR)

_BOUNDS = (("minimum", "maximum"), ("min_length", "max_length"), ("min_items", "max_items"))


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield everything in a validation that no value could be held against."""
    del workspace
    for parameter in recipe.parameters:
        if not parameter.validation:
            continue
        at: Path = (*parameter.at, "validation")
        rules = parameter.validation
        yield from _pattern(recipe, rules, at)
        yield from _schema(recipe, rules.get("schema"), (*at, "schema"))
        yield from _bounds(recipe, rules, at)


def _pattern(recipe: Recipe, rules: Mapping[str, Any], at: Path) -> Iterator[Finding]:
    pattern = rules.get("pattern")
    if not isinstance(pattern, str):
        return
    if len(pattern) > MOST_OF_A_PATTERN:
        message = f"the pattern has more than {MOST_OF_A_PATTERN:,} letters"
        hint = "write a shorter one, or list the values under 'enum'"
        yield Finding(recipe.document, (*at, "pattern"), message, hint)
        return
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        message = f"the pattern is no regular expression: {error}"
        offset = getattr(error, "pos", None)
        within = None if offset is None else (offset, 1)
        yield Finding(recipe.document, (*at, "pattern"), message, "correct the pattern", within=within)


def _schema(recipe: Recipe, schema: Any, at: Path) -> Iterator[Finding]:
    if not isinstance(schema, dict):
        return
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for

    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        place = (*at, *error.absolute_path)
        yield Finding(recipe.document, place, f"this is no JSON Schema: {error.message}", "correct the schema")


def _bounds(recipe: Recipe, rules: Mapping[str, Any], at: Path) -> Iterator[Finding]:
    written = {re.sub(r"([A-Z])", r"_\1", str(key)).lower(): key for key in rules}
    for low, high in _BOUNDS:
        if low not in written or high not in written:
            continue
        least, most = rules[written[low]], rules[written[high]]
        if _is_number(least) and _is_number(most) and least > most:
            place = Place(recipe.document, (*at, written[high]), f"{written[high]!r} is {most}")
            message = f"no value is at least {least} and at most {most}"
            yield Finding(recipe.document, (*at, written[low]), message, "swap the two", related=(place,))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
