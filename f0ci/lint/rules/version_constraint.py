"""A version constraint cannot be read, or no version fulfils it.

## What it does

Reads what a recipe's `compatibility` says of versions (keys that end with `_version`, and lists that end with
`_packages`), as in `>=1.0, <2`, and reports what is no constraint and constraints that exclude each other.

## Why it matters

A constraint is there so that a recipe is not used where it cannot work. One that nobody can read protects nobody, and
one that no version fulfils is a slip.

## Bad

```yaml
name: fetch
version: "1.0"
compatibility:
  python_version: ">=3.12, <3.11"
steps:
  - name: call
    run: ./fetch.sh
```

## Good

```yaml
name: fetch
version: "1.0"
compatibility:
  python_version: ">=3.11, <3.13"
steps:
  - name: call
    run: ./fetch.sh
```

## Fix

Write operators (`==`, `!=`, `>=`, `<=`, `>`, `<`, `~=`) before versions, with commas between them.

## References

- https://packaging.python.org/en/latest/specifications/version-specifiers/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.core.patterns import pattern
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe
from f0ci.source.reading import Path

RULE = Rule("version-constraint", Group.COMPOSITION, Severity.WARNING)

_CLAUSE = pattern(
    r"(?P<operator>===|==|!=|>=|<=|~=|>|<|\^|~|)\s*v?(?P<version>\d+(?:\.(?:\d+|\*|x))*(?:[-+.]?[A-Za-z][\w.+-]*)?)",
    re.ASCII,
)
_PACKAGE = pattern(r"[A-Za-z0-9][\w.-]*(?:\[[\w,\s.-]*\])?", re.ASCII)
# some write blanks between bounds instead of commas
_BETWEEN = pattern(r",|(?<=[\w*])\s+(?=[=!<>~^])")
_ANY = frozenset({"*", "any", "latest", "x"})
_PLAIN = pattern(r"\d+(?:\.\d+)*", re.ASCII)


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every constraint that says nothing, or too much."""
    del workspace
    for at, text in _constraints(recipe):
        if text.strip() in _ANY or "||" in text or " - " in text:
            # ranges as other worlds write them
            continue
        clauses = [part.strip() for part in _BETWEEN.split(text)]
        read = [_CLAUSE.fullmatch(clause) for clause in clauses]
        bad = next((clause for clause, match in zip(clauses, read, strict=True) if match is None), None)
        if bad is not None:
            message = f"{bad!r} is no version constraint"
            yield Finding(recipe.document, at, message, "write one such as '>=1.2, <2'")
        elif _is_empty([(match["operator"], match["version"]) for match in read if match]):
            yield Finding(recipe.document, at, f"no version fulfils {text!r}", "correct one of the bounds")


def _constraints(recipe: Recipe) -> Iterator[tuple[Path, str]]:
    """Yield every constraint that is a text, with its place."""
    said = recipe.document.get(("compatibility",))
    if not isinstance(said, dict):
        return
    for key, value in said.items():
        at: Path = ("compatibility", key)
        if key.endswith("_version") and isinstance(value, str) and "{" not in value:
            yield at, value
        elif key.endswith("_packages") and isinstance(value, list):
            for index, item in enumerate(value):
                name = _PACKAGE.match(item) if isinstance(item, str) else None
                rest = item[name.end() :].partition(";")[0].strip() if name else ""
                # an address or a marker is no version
                if rest and rest[0] in "=!<>~^":
                    yield (*at, index), rest


def _is_empty(clauses: list[tuple[str, str]]) -> bool:
    """Tell whether bounds certainly leave no version; what is not made of numbers is not judged."""
    least: tuple[int, ...] | None = None
    most: tuple[int, ...] | None = None
    is_open = False
    for operator, version in clauses:
        if not _PLAIN.fullmatch(version):
            return False
        numbers = _numbers(version)
        if operator in {">=", ">", "==", "===", ""} and (least is None or numbers > least):
            least = numbers
            is_open = is_open or operator == ">"
        if operator in {"<=", "<", "==", "===", ""} and (most is None or numbers < most):
            most = numbers
            is_open = is_open or operator == "<"
    if least is None or most is None:
        return False
    return least > most or (least == most and is_open)


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
