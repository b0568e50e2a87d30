"""The syntax tree of an expression: a closed set of nodes, so that nothing else can ever be evaluated.

There is no node for a call, but for `context.get` and `context.has`, none for an assignment, an import or a loop.
Every node knows where its first character stands, counted from the beginning of the expression's code.
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.values import dataclass

# name of the filter -> names of its arguments; what they do is what Jinja's filters of the same name do, but for
# `int` and `float`, which refuse what is no number unless a default is given
FILTERS: dict[str, tuple[str, ...]] = {
    "abs": (),
    "default": ("default_value", "boolean"),
    "first": (),
    "float": ("default",),
    "int": ("default",),
    "join": ("d", "attribute"),
    "last": (),
    "length": (),
    "list": (),
    "lower": (),
    "max": ("case_sensitive", "attribute"),
    "min": ("case_sensitive", "attribute"),
    "replace": ("old", "new", "count"),
    "round": ("precision", "method"),
    "sort": ("reverse", "case_sensitive", "attribute"),
    "string": (),
    "tojson": (),
    "trim": ("chars",),
    "unique": ("case_sensitive", "attribute"),
    "upper": (),
}
TESTS = frozenset(
    {
        "boolean",
        "defined",
        "even",
        "false",
        "float",
        "integer",
        "mapping",
        "none",
        "number",
        "odd",
        "sequence",
        "string",
        "true",
        "undefined",
    }
)
CONTEXT_CALLS: dict[str, tuple[int, int]] = {"get": (1, 2), "has": (1, 1)}


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A number, a text, true, false or null."""

    value: str | int | float | bool | None
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class ListOf:
    """A list; also what stands in round brackets with commas."""

    items: tuple[Node, ...]
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class MapOf:
    """A mapping."""

    pairs: tuple[tuple[Node, Node], ...]
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One step of a lookup: a fixed key or index, or an expression that yields one."""

    key: str | int | Node
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A name and the way from it: `config.features['ml']`; ends before character `end`."""

    root: str
    parts: tuple[Part, ...]
    at: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class ContextCall:
    """`context.get(key)`, `context.get(key, default)` or `context.has(key)`."""

    method: str
    arguments: tuple[Node, ...]
    at: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A key or index of something that is not a name: `(a | first).name`."""

    operand: Node
    part: Part
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """A stretch of a text or a list: `release.digest[:12]`."""

    operand: Node
    start: Node | None
    stop: Node | None
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Unary:
    """`not`, `-` or `+` before an operand."""

    operator: str
    operand: Node
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """`and`, `or`, or arithmetic; `~` joins as text."""

    operator: str
    left: Node
    right: Node
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A chain of comparisons: `0 < x <= 10`, `x not in y`."""

    first: Node
    rest: tuple[tuple[str, Node], ...]
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """`condition ? then : otherwise`, also written `then if condition else otherwise`."""

    condition: Node
    then: Node
    otherwise: Node
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Filtered:
    """`operand | name(arguments, keyword=...)`."""

    operand: Node
    name: str
    arguments: tuple[Node, ...]
    keywords: tuple[tuple[str, Node], ...]
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """`operand is name`, or `is not`."""

    operand: Node
    name: str
    negated: bool
    at: int


Node = (
    Literal
    | ListOf
    | MapOf
    | Lookup
    | ContextCall
    | Item
    | Slice
    | Unary
    | Binary
    | Comparison
    | Choice
    | Filtered
    | Tested
)


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes right below a node, in written order."""
    match node:
        case Literal():
            return
        case ListOf(items=items):
            yield from items
        case MapOf(pairs=pairs):
            for key, value in pairs:
                yield key
                yield value
        case Lookup(parts=parts):
            yield from (part.key for part in parts if not isinstance(part.key, str | int))
        case ContextCall(arguments=arguments):
            yield from arguments
        case Item(operand=operand, part=part):
            yield operand
            if not isinstance(part.key, str | int):
                yield part.key
        case Slice(operand=operand, start=start, stop=stop):
            yield operand
            yield from (bound for bound in (start, stop) if bound is not None)
        case Unary(operand=operand) | Tested(operand=operand):
            yield operand
        case Binary(left=left, right=right):
            yield left
            yield right
        case Comparison(first=first, rest=rest):
            yield first
            yield from (operand for _, operand in rest)
        case Choice(condition=condition, then=then, otherwise=otherwise):
            yield condition
            yield then
            yield otherwise
        case Filtered(operand=operand, arguments=arguments, keywords=keywords):
            yield operand
            yield from arguments
            yield from (value for _, value in keywords)


def answers_for_missing(node: Node) -> Node | None:
    """Return the operand that may be missing without harm: of `default`, and of `is defined` and `is undefined`."""
    match node:
        case Filtered(name="default", operand=operand):
            return operand
        case Tested(name="defined" | "undefined", operand=operand):
            return operand
    return None
