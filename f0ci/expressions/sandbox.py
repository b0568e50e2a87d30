"""Evaluation by Jinja's sandbox: the syntax tree becomes Jinja's, and Jinja compiles and runs it.

What reaches Jinja has been through the closed grammar already. The sandbox is the second wall: it resolves keys of
mappings and items of lists only, calls nothing, and bounds what operators may build.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, nodes, pass_environment
from jinja2.exceptions import TemplateError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.filters import do_unique
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS as JINJA_TESTS

from f0ci.expressions import filters, lookup
from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.syntax import (
    FILTERS,
    TESTS,
    Binary,
    Choice,
    Comparison,
    ContextCall,
    Filtered,
    Item,
    ListOf,
    Literal,
    Lookup,
    MapOf,
    Node,
    Part,
    Slice,
    Tested,
    Unary,
    answers_for_missing,
)
from f0ci.source.schema import type_name


@pass_environment
def _unique(environment: Environment, value: Any, case_sensitive: Any = False, attribute: Any = None) -> list[Any]:
    return list(do_unique(environment, value, case_sensitive, attribute))


_OWN_FILTERS: dict[str, Any] = {
    "float": filters.to_float,
    "int": filters.to_int,
    "join": filters.join,
    "lower": filters.lower,
    "replace": filters.replace,
    "round": filters.rounded,
    "string": filters.text_of,
    "tojson": filters.tojson,
    "trim": filters.trim,
    "unique": _unique,
    "upper": filters.upper,
}
_BINARY: dict[str, type[nodes.BinExpr]] = {
    "and": nodes.And,
    "or": nodes.Or,
    "+": nodes.Add,
    "-": nodes.Sub,
    "*": nodes.Mul,
    "/": nodes.Div,
    "//": nodes.FloorDiv,
    "%": nodes.Mod,
}
_UNARY: dict[str, type[nodes.UnaryExpr]] = {"not": nodes.Not, "-": nodes.Neg, "+": nodes.Pos}
_COMPARE = {
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "lteq",
    ">": "gt",
    ">=": "gteq",
    "in": "in",
    "not in": "notin",
}


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(_BINARY) - {"and", "or"}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002 - Jinja's
        return filters.arithmetic(operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        found = lookup.item(obj, argument, 0, forgiving=True)
        return self.undefined(obj=obj, name=argument) if found is lookup.MISSING else found

    def call(self, *_: Any, **__: Any) -> Any:
        raise ExpressionError("expressions call nothing")


@cache
def _environment() -> _Sandbox:
    sandbox = _Sandbox(undefined=StrictUndefined, optimized=False, autoescape=False)
    sandbox.globals = {}
    sandbox.filters = {name: _OWN_FILTERS.get(name) or JINJA_FILTERS[name] for name in FILTERS}
    sandbox.filters.update(_find=_find, _item=_item, _context=lookup.ask_context, _join=filters.joined)
    sandbox.tests = {name: JINJA_TESTS[name] for name in TESTS}
    return sandbox


def run(code: str, node: Node, scope: Mapping[str, Any]) -> Any:
    """Return the value of an expression; copies of lists and mappings, never the originals.

    Args:
        code: as written; the compiled program is kept under it.
        node: its syntax tree.
        scope: values by name.

    Raises:
        ExpressionError: it has no value.
    """
    try:
        module = _program(code, node).make_module({"_scope": scope})
        return _Copy().of(module.result)  # type: ignore[attr-defined]
    except ExpressionError as error:
        # what has no place of its own is said of the whole expression
        raise ExpressionError(error.message, error.hint, offset=max(error.offset, node.at)) from None
    except TemplateError as error:
        raise ExpressionError(f"cannot be evaluated: {_first_line(error)}", offset=node.at) from None
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, SyntaxError) as error:
        raise ExpressionError(
            f"cannot be evaluated: {_first_line(error)}",
            "check the types of the values in it",
            offset=node.at,
        ) from None
    except (RecursionError, MemoryError):
        raise ExpressionError("the expression is too large to be evaluated", offset=node.at) from None


class _Program:
    """A key for the cache that compares the code only, because the code determines the tree."""

    __slots__ = ("code", "node")

    def __init__(self, code: str, node: Node) -> None:
        self.code = code
        self.node = node

    def __hash__(self) -> int:
        return hash(self.code)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Program) and other.code == self.code


def _program(code: str, node: Node) -> Template:
    return _compiled(_Program(code, node))


@lru_cache(maxsize=4096)
def _compiled(program: _Program) -> Template:
    sandbox = _environment()
    result = nodes.Assign(nodes.Name("result", "store"), _translated(program.node), lineno=1)
    template = nodes.Template([result], lineno=1)
    template.set_environment(sandbox)
    return sandbox.from_string(template)


def _translated(node: Node, *, forgiving: bool = False) -> nodes.Expr:
    match node:
        case Literal(value=value):
            return nodes.Const(value)
        case ListOf(items=items):
            return nodes.List([_translated(item) for item in items])
        case MapOf(pairs=pairs):
            return nodes.Dict([nodes.Pair(_translated(key), _translated(value)) for key, value in pairs])
        case Lookup(root=root, parts=parts, at=at):
            way = nodes.List([nodes.Tuple([_key(part), nodes.Const(part.at)], "load") for part in parts])
            return _call("_find", _SCOPE, nodes.Const(root), nodes.Const(at), way, nodes.Const(forgiving))
        case ContextCall(method=method, arguments=arguments, at=at):
            given = [_translated(argument) for argument in arguments]
            return _call("_context", _SCOPE, nodes.Const(method), nodes.Const(at), *given)
        case Item(operand=operand, part=part):
            inner = _translated(operand)
            return _call("_item", inner, _key(part), nodes.Const(part.at), nodes.Const(forgiving))
        case Slice(operand=operand, start=start, stop=stop):
            bounds = [None if bound is None else _translated(bound) for bound in (start, stop)]
            return nodes.Getitem(_translated(operand), nodes.Slice(*bounds, None), "load")
        case Unary(operator=operator, operand=operand):
            return _UNARY[operator](_translated(operand))
        case Binary(operator="~", left=left, right=right):
            return _call("_join", nodes.List([_translated(left), _translated(right)]))
        case Binary(operator=operator, left=left, right=right):
            return _BINARY[operator](_translated(left), _translated(right))
        case Comparison(first=first, rest=rest):
            operands = [nodes.Operand(_COMPARE[operator], _translated(operand)) for operator, operand in rest]
            return nodes.Compare(_translated(first), operands)
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return nodes.CondExpr(_translated(condition), _translated(then), _translated(otherwise))
        case Filtered(operand=operand, name=name, arguments=arguments, keywords=keywords):
            return nodes.Filter(
                _translated(operand, forgiving=operand is answers_for_missing(node)),
                name,
                [_translated(argument) for argument in arguments],
                [nodes.Keyword(key, _translated(value)) for key, value in keywords],
                None,
                None,
            )
        case Tested(operand=operand, name=name, negated=negated):
            inner = _translated(operand, forgiving=operand is answers_for_missing(node))
            test = nodes.Test(inner, name, [], [], None, None)
            return nodes.Not(test) if negated else test


_SCOPE = nodes.Name("_scope", "load")


def _call(name: str, operand: nodes.Expr, *arguments: nodes.Expr) -> nodes.Expr:
    return nodes.Filter(operand, name, list(arguments), [], None, None)


def _key(part: Part) -> nodes.Expr:
    return nodes.Const(part.key) if isinstance(part.key, str | int) else _translated(part.key)


def _find(scope: Mapping[str, Any], root: str, at: int, parts: list[tuple[Any, int]], forgiving: bool) -> Any:
    return _undefined(lookup.find(scope, root, at, parts, forgiving=forgiving), root)


def _item(value: Any, key: Any, at: int, forgiving: bool) -> Any:
    return _undefined(lookup.item(value, key, at, forgiving=forgiving), key)


def _undefined(value: Any, name: Any) -> Any:
    return _environment().undefined(name=str(name)) if value is lookup.MISSING else value


class _Copy:
    """Copies a value, so that nobody changes the original through it, and counts what it copies."""

    def __init__(self) -> None:
        self.size = 0

    def of(self, value: Any) -> Any:
        self.size += 1
        filters.bounded(self.size)
        if isinstance(value, Undefined):
            hint = "an empty list has no first, last, least or largest item"
            raise ExpressionError("the expression has no value", hint)
        if value is None or isinstance(value, str | int | float):
            return value
        if isinstance(value, Mapping):
            return {key: self.of(item) for key, item in value.items()}
        if isinstance(value, list | tuple | Iterator):
            return [self.of(item) for item in value]
        raise ExpressionError(f"the expression yields {type_name(value)}, which is not data")


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
