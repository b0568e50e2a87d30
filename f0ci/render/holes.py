"""Gaps of a compiled recipe: what an environment answers, and the quick way to most answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from f0ci.expressions.filters import text_of
from f0ci.expressions.template import Template
from f0ci.source.reading import Path


class Kind(StrEnum):
    """What a gap's text is."""

    VALUE = "value"
    CONDITION = "condition"
    RECIPE_PATH = "recipe_path"
    PARAMETER = "parameter"


@dataclass(frozen=True, slots=True)
class Hole:
    """A text that an environment answers.

    Attributes:
        text: as written; of a parameter's declaration the parameter's name.
        kind: what it is.
        at: where it stands in the recipe.
        dynamic: names that only a run knows.
        parts: the text as literal stretches and names with fixed keys, where it is nothing else.
        is_own: True where the recipe's parameters answer as well, so that no other recipe has the same answer.
    """

    text: str
    kind: Kind
    at: Path
    dynamic: frozenset[str]
    parts: tuple[str | Path, ...] | None = None
    is_own: bool = False

    def looked_up(self, scope: Mapping[str, Any]) -> Any:
        """Return the text's value where looking up is all there is to it, else `NOT_PLAIN`; never fails."""
        if self.parts is None:
            return NOT_PLAIN
        found = [part if part.__class__ is str else _at(scope, part) for part in self.parts]
        if len(found) > 1:
            if NOT_PLAIN in found:
                return NOT_PLAIN
            found = ["".join([_text_of(part) for part in found])]
        value = found[0]
        # a value with delimiters has to be quoted
        return NOT_PLAIN if isinstance(value, str) and "{" in value else value


class _NotPlain:
    """The answer where more than looking up is needed."""


NOT_PLAIN = _NotPlain()


def _text_of(value: Any) -> str:
    # a text or a whole number, as most are, needs nobody's help
    return value if value.__class__ is str else str(value) if value.__class__ is int else text_of(value)


def _at(scope: Any, path: str | Path) -> Any:
    value = scope
    for key in path:
        if value.__class__ is not dict or key not in value:
            return NOT_PLAIN
        value = value[key]
    return value if value is None or isinstance(value, str | int | float) else NOT_PLAIN


def parts_of(template: Template) -> tuple[str | Path, ...] | None:
    """Return a text as literal stretches and names with fixed keys, or None where it holds anything else."""
    from f0ci.expressions.syntax import Lookup

    parts: list[str | Path] = []
    for segment in template.segments:
        if isinstance(segment, str):
            parts.append(segment)
            continue
        node = segment.node
        if not isinstance(node, Lookup) or not all(isinstance(part.key, str) for part in node.parts):
            return None
        parts.append((node.root, *(str(part.key) for part in node.parts)))
    return tuple(parts)
