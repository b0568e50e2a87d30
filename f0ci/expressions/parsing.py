"""Finding expressions in text and data, and what they refer to; nothing is evaluated here, and Jinja is not imported.

`#{...}` and `{{ ... }}` are the same language. A text that is meant to hold a delimiter says `#{'#{'}` or `{{ '{{' }}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.grammar import parse_tokens
from f0ci.expressions.syntax import ContextCall, Literal, Lookup, Node, answers_for_missing, children
from f0ci.expressions.tokens import tokenize
from f0ci.source.yaml import Path

__all__ = [
    "Expression",
    "ExpressionError",
    "Reference",
    "Template",
    "parse",
    "parse_condition",
    "references",
    "texts",
]

DELIMITER = re.compile(r"#\{|\{\{")
_CLOSE = {"#{": "}", "{{": "}}"}


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that an expression uses.

    Attributes:
        root: the first word: `config`, `params`, `context`, `steps`, ...
        path: the fixed keys after it; for `context.get('k')` the key. Ends early at a computed key.
        text: as written.
        offset: where it begins in the text that holds it, in code points from 0.
        at: path of that text inside the data.
        has_default: True where a missing value does no harm: `| default(...)`, `is defined`, `context.get(k, d)`.
        call: `get` or `has` for a call of the context, else None.
        is_open: True where a computed key cuts the path short.
        parts: offset of each key of the path.
    """

    root: str
    path: tuple[str | int, ...]
    text: str
    offset: int
    at: Path = ()
    has_default: bool = False
    call: str | None = None
    is_open: bool = False
    parts: tuple[int, ...] = ()

    @property
    def end(self) -> int:
        """Return the offset after the last character."""
        return self.offset + len(self.text)


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression inside a text.

    Attributes:
        code: what stands between the delimiters.
        node: its syntax tree, whose places count from the beginning of the code.
        start: where the opening delimiter stands in the text.
        offset: where the code begins in the text.
        end: the character after the closing delimiter.
        references: every name it uses, in written order; places count from the beginning of the text.
    """

    code: str
    node: Node
    start: int
    offset: int
    end: int
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A text, cut into literal stretches and expressions.

    Attributes:
        text: as written.
        segments: in order; literal stretches are never empty.
    """

    text: str
    segments: tuple[str | Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Return the expressions in order."""
        return tuple(segment for segment in self.segments if isinstance(segment, Expression))

    @property
    def is_plain(self) -> bool:
        """Tell whether the text holds no expression."""
        return not self.segments or (len(self.segments) == 1 and isinstance(self.segments[0], str))

    @property
    def whole(self) -> Expression | None:
        """Return the expression that is the whole text and therefore keeps its type, or None."""
        only = self.segments[0] if len(self.segments) == 1 else None
        return only if isinstance(only, Expression) else None


@lru_cache(maxsize=16384)
def parse(text: str) -> Template:
    """Cut a text into literal stretches and expressions.

    Raises:
        ExpressionError: an expression is not closed, or not in the language; the offset is exact.
    """
    if "{{" not in text and "#{" not in text:
        return Template(text, (text,) if text else ())
    segments: list[str | Expression] = []
    index = 0
    while (match := DELIMITER.search(text, index)) is not None:
        if match.start() > index:
            segments.append(text[index : match.start()])
        expression = _expression(text, match.start(), match.group())
        segments.append(expression)
        index = expression.end
    if index < len(text):
        segments.append(text[index:])
    return Template(text, tuple(segments))


@lru_cache(maxsize=4096)
def parse_condition(text: str) -> Template:
    """Return a condition as a template of one expression; text without delimiters is an expression too.

    Raises:
        ExpressionError: the condition is empty, mixes expressions with text, or is not in the language.
    """
    template = parse(text)
    if template.is_plain:
        if not text.strip():
            raise ExpressionError("the condition is empty", "write an expression, or remove the condition")
        tokens, _ = tokenize(text)
        node = _tree(tokens)
        return Template(text, (Expression(text, node, 0, 0, len(text), _references(node, text, 0)),))
    only = [segment for segment in template.segments if isinstance(segment, Expression) or segment.strip()]
    if len(only) == 1 and isinstance(only[0], Expression):
        return Template(text, (only[0],))
    outside = next(segment for segment in template.segments if isinstance(segment, Expression)).end
    raise ExpressionError(
        "the condition is an expression with text around it, which is always true",
        "write the whole condition inside one #{...}",
        offset=min(outside, len(text) - 1),
    )


def references(value: Any) -> tuple[Reference, ...]:
    """Return every name that expressions in a text, a template or nested data use, in written order.

    Raises:
        ExpressionError: an expression is not in the language; carries the path of its text.
    """
    if isinstance(value, Template):
        return tuple(reference for expression in value.expressions for reference in expression.references)
    found: list[Reference] = []
    for at, text in texts(value):
        try:
            template = parse(text)
        except ExpressionError as error:
            raise error.moved(0, at) from None
        for expression in template.expressions:
            found.extend(replace(reference, at=at) if at else reference for reference in expression.references)
    return tuple(found)


def texts(value: Any, at: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every text in nested data that holds a delimiter, with its path; keys of mappings are not texts."""
    if isinstance(value, str):
        if "{{" in value or "#{" in value:
            yield at, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts(item, (*at, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from texts(item, (*at, index))


def _expression(text: str, start: int, opening: str) -> Expression:
    close, offset = _CLOSE[opening], start + len(opening)
    if opening == "{{" and text[offset : offset + 1] in {"-", "+"}:
        hint = "put a blank after '{{' where a sign is meant"
        raise ExpressionError("'{{-' does not trim blanks here", hint, offset=offset)
    try:
        tokens, end = tokenize(text, offset, close)
        node = _tree(tokens)
    except ExpressionError as error:
        raise error.moved(offset) from None
    code = text[offset:end]
    return Expression(code, node, start, offset, end + len(close), _references(node, code, offset))


def _tree(tokens: Any) -> Node:
    try:
        return parse_tokens(tokens)
    except RecursionError:
        raise ExpressionError("the expression is nested too deep", "split it, or move it into a scriptlet") from None


def _references(node: Node, code: str, offset: int) -> tuple[Reference, ...]:
    found: list[Reference] = []
    _collect(node, code, offset, found, has_default=False)
    return tuple(sorted(found, key=lambda reference: reference.offset))


def _collect(node: Node, code: str, offset: int, found: list[Reference], *, has_default: bool) -> None:
    forgiven = answers_for_missing(node)
    if isinstance(node, Lookup | ContextCall):
        keys: list[tuple[Any, int]]
        if isinstance(node, Lookup):
            keys = [(part.key, part.at) for part in node.parts]
        else:
            first = node.arguments[0]
            keys = [
                (
                    first.value if isinstance(first, Literal) and isinstance(first.value, str) else first,
                    first.at,
                )
            ]
        fixed = next((index for index, (key, _) in enumerate(keys) if not isinstance(key, str | int)), len(keys))
        found.append(
            Reference(
                root=node.root if isinstance(node, Lookup) else "context",
                path=tuple(key for key, _ in keys[:fixed]),
                text=code[node.at : node.end],
                offset=offset + node.at,
                has_default=has_default
                or (isinstance(node, ContextCall) and (node.method, len(node.arguments)) != ("get", 1)),
                call=node.method if isinstance(node, ContextCall) else None,
                is_open=fixed < len(keys),
                parts=tuple(offset + place for _, place in keys[:fixed]),
            )
        )
    for child in children(node):
        _collect(child, code, offset, found, has_default=child is forgiven)
