"""Jinja2's sandbox as templates see it: only what every machine gives alike, and limits that no template gets past.

Jinja's own sandbox keeps templates away from Python; it lets them run for ever and fill the memory. Here loops, calls
and the size of texts, lists and numbers are bounded by counts, which are the same on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, Undefined, UndefinedError, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from f0ci.core.errors import InputError
from f0ci.expressions.filters import text_of
from f0ci.expressions.templating import GLOBALS, REMOVED_FILTERS

# turns of loops and calls, in one template with all that it includes
MAX_STEPS = 5_000_000
# a call takes as long as so many turns
_CALL = 5
# characters of a text, items of a list
MAX_SIZE = 50_000_000
# what may say how wide, how often or how many
MAX_COUNT = 100_000
MAX_BITS = 4_096
# filters with an argument that says how much they make
_COUNTING = frozenset({"batch", "center", "indent", "round", "slice", "tojson", "to_json", "wordwrap"})
# filters that go through all items of a list
_WALKING = frozenset(
    {
        "groupby",
        "join",
        "list",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "reverse",
        "select",
        "selectattr",
        "sort",
        "sum",
        "to_json",
        "tojson",
        "unique",
    }
)
# widths: in `'%0999999d'` or `'{:>999999}'`, and those that a value says
_WIDE = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(?:\d*\.)?[1-9]\d{5}|:[^{}]*[1-9]\d{5}[^{}]*\}")
_OPEN_WIDTH = re.compile(r"%(?:\([^)]*\))?[-#0 +]*\d*\.?\*|:[^{}]*\{")


class Text(str):
    """A text that also has parts: `{{ release }}` is the digest, `{{ release.id }}` a part of it.

    Attributes:
        parts: what may be asked of it.
    """

    __slots__ = ("parts",)
    parts: Mapping[str, Any]


class MissingError(UndefinedError):
    """A template asked for what does not exist.

    Attributes:
        holder: what was asked; Jinja's `missing` for a name.
        name: what was asked for.
    """

    def __init__(self, message: str, holder: Any, name: Any) -> None:
        super().__init__(message)
        self.holder = holder
        self.name = name


class Strict(StrictUndefined):
    """An undefined value that says what was asked of what."""

    __slots__ = ()

    def __init__(self, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: Any = None) -> None:
        def build(message: str) -> Exception:
            return MissingError(message, obj, name)

        # Jinja raises what calling `exc` gives, so it need not be a class; with a hint Jinja says it all itself
        raised = build if hint is None else exc or UndefinedError
        super().__init__(hint, obj, name, raised)  # type: ignore[arg-type]


class TooMuchError(InputError):
    """A template makes or does more than one may."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with limits, in which a key of a mapping comes before a method of the same name.

    Args:
        loader: finds templates.
        more_filters: filters beside Jinja's.
    """

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, loader: Any, more_filters: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(
            undefined=Strict,
            keep_trailing_newline=True,
            # what is rendered is configuration, never a page; escaping would corrupt it
            autoescape=False,
            finalize=_finalize,
            loader=loader,
        )
        self.concat = _concat  # type: ignore[method-assign]
        self.steps = 0
        self.globals = {name: value for name, value in self.globals.items() if name in GLOBALS}
        filters = {name: value for name, value in self.filters.items() if name not in REMOVED_FILTERS}
        filters |= {**more_filters, "string": text_of, "_counted": _counted, "_joined": _joined}
        filters |= {name: _with_counts(name, filters[name]) for name in _COUNTING}
        self.filters = filters | {
            "replace": _guarded(filters["replace"], _check_replace),
            "join": _guarded(filters["join"], _check_join),
            "format": _guarded(filters["format"], _check_format),
            "sum": _guarded(filters["sum"], _check_sum),
        }
        self.filters |= {name: self._weighed(self.filters[name]) for name in _WALKING}

    def _weighed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        first = _first_argument(function)

        @wraps(function)
        def weighed(*args: Any, **kwargs: Any) -> Any:
            value = args[first] if len(args) > first else None
            if isinstance(value, list | tuple | range | Mapping):
                self.step(len(value))
            return function(*args, **kwargs)

        return weighed

    def step(self, count: int = 1) -> None:
        """Count turns of loops and calls.

        Raises:
            TooMuchError: there are too many.
        """
        self.steps += count
        if self.steps > MAX_STEPS:
            raise TooMuchError(
                f"the template takes more than {MAX_STEPS:,} turns of loops and calls",
                "do this outside of the template",
            )

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a key of a mapping, or else an attribute."""
        holder = obj.parts if isinstance(obj, Text) else obj
        if isinstance(holder, Mapping) and attribute in holder:
            return holder[attribute]
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item, of a text with parts a part."""
        return self.getattr(obj, argument) if isinstance(obj, Text) else super().getitem(obj, argument)

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call what a template may call; each call counts."""
        self.step(_CALL)
        # Jinja wraps what formats texts
        called = getattr(obj, "__wrapped__", obj)
        owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
        if isinstance(owner, str):
            # no method of a text takes a number but to say how wide or how often
            _check_counts(name, (*args, *kwargs.values()))
            if name in _CHECKED_METHODS:
                _CHECKED_METHODS[name](owner, *args, **kwargs)
        found = super().call(context, obj, *args, **kwargs)
        self.step(len(found) if isinstance(found, range) else 0)
        return found

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return the result of an operator, after a look at how large it will be."""
        if operator == "%" and isinstance(left, str):
            _check_format(left, *(right if isinstance(right, tuple) else (right,)))
        elif operator != "%":
            _check_operands(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        # a step for each turn of a loop; and `~`, which Jinja lets nobody intercept
        for loop in list(source.find_all(nodes.For)):
            loop.iter = _filter("_counted", loop.iter)
        for joined in list(source.find_all(nodes.Concat)):
            pieces = nodes.List(joined.nodes, lineno=joined.lineno)
            joined.nodes = [_filter("_joined", pieces)]
        source.set_environment(self)
        return super()._generate(source, name, filename, defer_init)


def _filter(name: str, operand: Any) -> nodes.Expr:
    return nodes.Filter(operand, name, [], [], None, None, lineno=operand.lineno)


@pass_context
def _counted(context: Context, items: Any) -> Any:
    """Return what a loop goes through, each turn counted."""
    sandbox: Any = context.environment
    if isinstance(items, Sized):
        sandbox.step(len(items))
        return items

    def counting() -> Iterator[Any]:
        for item in items:
            sandbox.step()
            yield item

    return counting()


@pass_context
def _joined(context: Context, pieces: Sequence[Any]) -> str:  # noqa: ARG001 - keeps Jinja from joining constants
    # as `{{ }}` writes them; asking a missing value for its text says that it is missing
    return _concat([str(piece) if isinstance(piece, Undefined) else text_of(piece) for piece in pieces])


def _concat(pieces: Iterable[str]) -> str:
    found = pieces if isinstance(pieces, list) else list(pieces)
    _check_size(sum(map(len, found)))
    return "".join(found)


def _finalize(value: Any) -> Any:
    if isinstance(value, Undefined | str):
        return value
    if value is None or isinstance(value, bool | int | float | Mapping | list | tuple):
        return text_of(value)
    raise InputError(f"a {type(value).__name__} cannot be written as text", "call it, or turn it into a list: `| list`")


def _check_size(size: int) -> None:
    if size > MAX_SIZE:
        raise TooMuchError(f"the template makes more than {MAX_SIZE:,} characters or items", "make less of it")


def _check_counts(name: str, values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, int) and abs(value) > MAX_COUNT:
            raise TooMuchError(f"{name!r} takes no number beyond {MAX_COUNT:,}", "make less of it")


def _check_operands(operator: str, left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() + right.bit_length()
        if operator == "**":
            bits = left.bit_length() * max(right, 1)
        if operator != "+" and bits > MAX_BITS:
            raise TooMuchError(f"the result of {operator!r} has more than {MAX_BITS:,} bits", "use smaller numbers")
    elif operator == "*":
        sizes = [len(one) if isinstance(one, Sized) else one for one in (left, right)]
        if isinstance(sizes[0], int) and isinstance(sizes[1], int):
            _check_size(sizes[0] * sizes[1])
    elif operator == "+" and isinstance(left, Sized) and isinstance(right, Sized):
        _check_size(len(left) + len(right))


def _check_format(text: Any, *values: Any, **named: Any) -> None:
    if not isinstance(text, str):
        return
    if _WIDE.search(text):
        raise TooMuchError(f"a format takes no width beyond {MAX_COUNT:,}", "make less of it")
    if _OPEN_WIDTH.search(text):
        inner = (one for value in values if isinstance(value, Mapping) for one in value.values())
        _check_counts("format", (*values, *named.values(), *inner))


def _check_replace(text: Any, old: Any, new: Any, count: Any = None, **named: Any) -> None:
    del count, named
    if isinstance(text, str) and isinstance(old, str) and isinstance(new, str):
        _check_size(len(text) + text.count(old) * max(0, len(new) - len(old)))


def _check_join(items: Any, d: Any = "", attribute: Any = None) -> None:
    del attribute
    if isinstance(items, Sized) and isinstance(d, str):
        _check_size(len(items) * len(d))


def _check_sum(items: Any, attribute: Any = None, start: Any = 0) -> None:
    del items, attribute
    if not isinstance(start, int | float):
        raise InputError("sum adds numbers", "join lists with '+'")


def _check_translate(*_: Any) -> None:
    raise InputError("'translate' is not known here", "use replace")


# by name, the methods of texts whose results grow by more than their own text
_CHECKED_METHODS: dict[str, Callable[..., None]] = {
    "replace": _check_replace,
    "join": lambda text, items=(): _check_join(items, text),
    "format": _check_format,
    "format_map": _check_format,
    "translate": _check_translate,
}


def _with_counts(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def counted(*args: Any, **kwargs: Any) -> Any:
        _check_counts(name, (*args[1:], *kwargs.values()))
        return function(*args, **kwargs)

    return counted


def _first_argument(function: Callable[..., Any]) -> int:
    """Return where a filter's own arguments begin: Jinja may pass its context before."""
    return 0 if getattr(function, "jinja_pass_arg", None) is None else 1


def _guarded(function: Callable[..., Any], check: Callable[..., None]) -> Callable[..., Any]:
    first = _first_argument(function)

    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        check(*args[first:], **kwargs)
        return function(*args, **kwargs)

    return guarded
