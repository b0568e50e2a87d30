"""Finding expressions in text and data, and what they refer to; nothing is evaluated here, and Jinja is not imported.

`#{...}` and `{{ ... }}` are the same language. A text that is meant to hold a delimiter says `#{'#{'}` or `{{ '{{' }}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from typing import Any

from f0ci.core.patterns import pattern
from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.template import Expression, Reference, Template
from f0ci.source.reading import Path

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

# nobody writes as many into one text, and each takes half a kilobyte
_MOST_EXPRESSIONS = 10_000
DELIMITER = pattern(r"#\{|\{\{")
# nothing but a name, as most expressions are: the same few stand all over a repository
_SHORT = 200
_NAME = pattern(r"\s*[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\s*")
_PLAIN_NAME = pattern(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+")
# words that mean something to the grammar, in any of its spellings
_GRAMMAR_WORDS = frozenset(
    {"and", "else", "false", "False", "if", "in", "is", "none", "None", "not", "null", "or", "true", "True"}
)
_CLOSE = {"#{": "}", "{{": "}}", "": ""}


@lru_cache(maxsize=1024)
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
        if len(segments) >= 2 * _MOST_EXPRESSIONS:
            message = f"the text holds more than {_MOST_EXPRESSIONS:,} expressions"
            raise ExpressionError(message, "split it, or move it into a scriptlet", offset=match.start())
        expression = _expression(text, match.start(), match.group())
        segments.append(expression)
        index = expression.end
    if index < len(text):
        segments.append(text[index:])
    return Template(text, tuple(segments))


@lru_cache(maxsize=1024)
def parse_condition(text: str) -> Template:
    """Return a condition as a template of one expression; text without delimiters is an expression too.

    Raises:
        ExpressionError: the condition is empty, mixes expressions with text, or is not in the language.
    """
    template = parse(text)
    if template.is_plain:
        if not text.strip():
            raise ExpressionError("the condition is empty", "write an expression, or remove the condition")
        return Template(text, (_expression(text, 0, ""),))
    offset = 0
    for segment in template.segments:
        if isinstance(segment, str) and segment.strip():
            message = "the condition is an expression with text around it, which would always be true"
            at = offset + len(segment) - len(segment.lstrip())
            raise ExpressionError(message, "write the whole condition inside one #{...}", offset=at)
        offset += len(segment) if isinstance(segment, str) else segment.end - segment.start
    first, *others = template.expressions
    if others:
        message = "the condition is several expressions"
        raise ExpressionError(message, "write the whole condition inside one #{...}", offset=others[0].start)
    return Template(text, (first,))


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


@lru_cache(maxsize=4096)
def _named(code: str) -> Expression:
    """Return a name as an expression that stands at the beginning of a text, without delimiters."""
    return _plainly_named(code) or _parsed_name(code)


def _plainly_named(code: str) -> Expression | None:
    """Return a name of common words, joined by dots, as the grammar reads it; None where that takes the grammar."""
    from f0ci.expressions.syntax import Lookup, Part

    words = code.split(".")
    if not _PLAIN_NAME.fullmatch(code) or not _GRAMMAR_WORDS.isdisjoint(words):
        return None
    places = list(accumulate((len(word) + 1 for word in words), initial=0))[1:-1]
    path, parts = tuple(words[1:]), tuple(map(Part, words[1:], places))
    reference = Reference(words[0], path, code, 0, parts=tuple(places))
    return Expression(code, Lookup(words[0], parts, 0, len(code)), 0, 0, len(code), (reference,))


def _parsed_name(code: str) -> Expression:
    from f0ci.expressions.grammar import parse_tokens
    from f0ci.expressions.names import names_in
    from f0ci.expressions.tokens import tokenize

    node = parse_tokens(tokenize(code)[0])
    return Expression(code, node, 0, 0, len(code), names_in(node, code, 0))


# `data/#{environment}/...` begins many a text
@lru_cache(maxsize=1024)
def _placed(code: str, start: int, offset: int, closing: int) -> Expression:
    """Return a name as an expression at a place of a text."""
    return _moved(_named(code), start, offset, closing)


def _moved(known: Expression, start: int, offset: int, closing: int) -> Expression:
    """Return an expression at another place of a text."""
    found = tuple(
        Reference(
            root=reference.root,
            path=reference.path,
            text=reference.text,
            offset=offset + reference.offset,
            has_default=reference.has_default,
            call=reference.call,
            is_open=reference.is_open,
            parts=tuple(offset + part for part in reference.parts),
        )
        for reference in known.references
    )
    return Expression(known.code, known.node, start, offset, offset + len(known.code) + closing, found)


def _expression(text: str, start: int, opening: str) -> Expression:
    close, offset = _CLOSE[opening], start + len(opening)
    if opening == "{{" and text[offset : offset + 1] in {"-", "+"}:
        hint = "put a blank after '{{' where a sign is meant"
        raise ExpressionError("'{{-' does not trim blanks here", hint, offset=offset)
    try:
        name = _NAME.match(text, offset)
        if close and name and name.end() < offset + _SHORT and text.startswith(close, name.end()):
            return _placed(name.group(), start, offset, len(close))
        # text without expressions, most of it, needs no grammar
        from f0ci.expressions.grammar import parse_tokens
        from f0ci.expressions.names import names_in
        from f0ci.expressions.tokens import tokenize

        tokens, end = tokenize(text, offset, close)
        node = parse_tokens(tokens)
    except ExpressionError as error:
        raise error.moved(offset) from None
    except RecursionError:
        hint = "split it, or move it into a scriptlet"
        raise ExpressionError("the expression is nested too deep", hint, offset=offset) from None
    code = text[offset:end]
    return Expression(code, node, start, offset, end + len(close), names_in(node, code, offset))
