"""From expressions to values.

A text that is one expression becomes that expression's value, with its type. In a text with several parts each value
is written as text: texts as they are, everything else as JSON (`true`, `null`, `[1,2]`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from f0ci.expressions import lookup
from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.filters import bounded, text_of
from f0ci.expressions.parsing import DELIMITER, Expression, Reference, Template, parse, parse_condition
from f0ci.expressions.syntax import ContextCall, Literal, Lookup
from f0ci.source.reading import Path
from f0ci.source.schema import type_name

DYNAMIC_ROOTS = frozenset({"context", "steps"})


def evaluate(value: Any, scope: Mapping[str, Any]) -> Any:
    """Return a text or nested data with every expression replaced by its value; keys of mappings stay.

    Args:
        value: a text, a list, a mapping, or anything else, which stays as it is.
        scope: values by name; `context` may be an object with `get` and `keys`.

    Raises:
        ExpressionError: an expression cannot be read, or has no value; carries its offset and the path of its text.
    """
    return _mapped(value, (), lambda template: _evaluated(template, scope))


def evaluate_condition(condition: str | bool, scope: Mapping[str, Any]) -> bool:
    """Tell whether a condition holds.

    Args:
        condition: an expression with or without delimiters.
        scope: values by name.

    Returns:
        The truth of its value as Python sees it, but for text: `true` and `false` in any case mean what they say,
        because parameters arrive as text, and any other text is true where it is not empty.

    Raises:
        ExpressionError: the condition cannot be read, or has no value.
    """
    if isinstance(condition, bool):
        return condition
    value = _value(parse_condition(condition).expressions[0], scope)
    return value.strip().lower() not in {"", "false"} if isinstance(value, str) else bool(value)


def resolve_static(
    value: Any,
    scope: Mapping[str, Any],
    dynamic_roots: frozenset[str] | set[str] = DYNAMIC_ROOTS,
    known: Collection[Path] = (),
) -> Any:
    """Return data with every expression replaced whose value is known before the run.

    What remains reads as before: evaluating the result later gives what evaluating the original would have given. So
    values that hold delimiters themselves are written as expressions that yield them.

    Args:
        value: a text or nested data.
        scope: the static values by name.
        dynamic_roots: names whose values only a run knows; expressions that use one stay as written.
        known: what is known of them all the same, such as `("params", "size")`.

    Raises:
        ExpressionError: a static expression cannot be read, or has no value.
    """
    return _mapped(value, (), lambda template: _partly(template, scope, frozenset(dynamic_roots), known))


def needs_run(reference: Reference, dynamic_roots: Collection[str], known: Collection[Path] = ()) -> bool:
    """Tell whether only a run knows what a name stands for; pure."""
    return reference.root in dynamic_roots and (reference.root, *reference.path[:1]) not in known


def as_written(value: Any) -> Any:
    """Return data in which every delimiter is written as an expression that yields it."""
    return _quoted(value)


def _mapped(value: Any, at: Path, replace: Any) -> Any:
    if isinstance(value, str):
        try:
            template = parse(value)
            return value if template.is_plain else replace(template)
        except ExpressionError as error:
            raise error.moved(0, at) from None
    if isinstance(value, Mapping):
        return {key: _mapped(item, (*at, key), replace) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(item, (*at, index), replace) for index, item in enumerate(value)]
    return value


def _evaluated(template: Template, scope: Mapping[str, Any]) -> Any:
    if template.whole is not None:
        return _value(template.whole, scope)
    words = [part if isinstance(part, str) else text_of(_value(part, scope)) for part in template.segments]
    bounded(sum(map(len, words)))
    return "".join(words)


def _value(expression: Expression, scope: Mapping[str, Any]) -> Any:
    try:
        return _found(expression, scope)
    except ExpressionError as error:
        raise error.moved(expression.offset) from None


def _found(expression: Expression, scope: Mapping[str, Any]) -> Any:
    # what needs no operator needs no Jinja either, which saves its import for most recipes
    node = expression.node
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, ContextCall) and all(isinstance(argument, Literal) for argument in node.arguments):
        given = [argument.value for argument in node.arguments if isinstance(argument, Literal)]
        return lookup.ask_context(scope, node.method, node.at, *given)
    if isinstance(node, Lookup) and all(isinstance(part.key, str | int) for part in node.parts):
        value = lookup.find(scope, node.root, node.at, [(part.key, part.at) for part in node.parts])
        if value is None or isinstance(value, str | int | float | Mapping | list | tuple):
            return value
        name = expression.code[node.at : node.end]
        raise ExpressionError(f"{name!r} is {type_name(value)}, which is not data", offset=node.at)
    from f0ci.expressions.sandbox import run

    return run(expression.code, node, scope)


def _partly(template: Template, scope: Mapping[str, Any], dynamic: frozenset[str], known: Collection[Path]) -> Any:
    whole = template.whole
    if whole is not None:
        return template.text if _asks_run(whole, dynamic, known) else _quoted(_value(whole, scope))
    pieces: list[str] = []
    run: list[str] = []
    for segment in template.segments:
        if isinstance(segment, str):
            run.append(segment)
        elif _asks_run(segment, dynamic, known):
            source = template.text[segment.start : segment.end]
            pieces += [_quoted_before("".join(run), source), source]
            run = []
        else:
            run.append(text_of(_value(segment, scope)))
    pieces.append(_quote("".join(run)))
    text = "".join(pieces)
    bounded(len(text))
    # one expression must not become the whole text, or its value would keep its type
    return f"#{{''}}{text}" if parse(text).whole is not None else text


def _asks_run(expression: Expression, dynamic: frozenset[str], known: Collection[Path]) -> bool:
    return any(needs_run(reference, dynamic, known) for reference in expression.references)


def _quoted(value: Any) -> Any:
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, Mapping):
        return {key: _quoted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_quoted(item) for item in value]
    return value


def _quote(text: str) -> str:
    return DELIMITER.sub(lambda match: f"#{{'{match.group()}'}}", text)


def _quoted_before(text: str, source: str) -> str:
    # a '#' or '{' at the end would make another delimiter together with the '{{' that follows
    if source.startswith("{{") and text.endswith(("#", "{")):
        return _quote(text[:-1]) + f"#{{'{text[-1]}'}}"
    return _quote(text)
