"""Following a name through mappings and lists, and no further: attributes of Python objects do not exist here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from f0ci.core.suggestions import did_you_mean
from f0ci.expressions.errors import ExpressionError
from f0ci.source.schema import type_name


class ContextLike(Protocol):
    """What expressions may ask of a run's context; a mapping will do."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a dotted key, or the default."""
        ...

    def keys(self) -> Iterable[str]:
        """Return the keys that have a value."""
        ...


class Missing:
    """The answer of a forgiving lookup that found nothing."""


MISSING = Missing()


def find(
    scope: Mapping[str, Any], root: str, at: int, parts: Iterable[tuple[Any, int]], *, forgiving: bool = False
) -> Any:
    """Return the value of a name and the keys after it.

    Args:
        scope: values by name.
        root: the name.
        at: where the name stands in the code.
        parts: keys or indexes with their places.
        forgiving: return MISSING where there is no such value.

    Raises:
        ExpressionError: there is no such value; says the closest known name and the way so far.
    """
    if root not in scope:
        if forgiving:
            return MISSING
        raise ExpressionError(
            f"the name {root!r} is not defined", did_you_mean(root, scope, noun="known names"), offset=at
        )
    value, way = scope[root], [root]
    for key, place in parts:
        found = _step(value, key)
        if found is MISSING:
            if forgiving:
                return MISSING
            raise _not_found(value, key, "".join(way), place)
        value = found
        way.append(f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]")
    # a view that answers for its keys one by one is no data yet: filters and JSON know plain mappings
    return dict(value) if isinstance(value, Mapping) and not isinstance(value, dict) else value


def item(value: Any, key: Any, at: int, *, forgiving: bool = False) -> Any:
    """Return a key or index of a value that has no name.

    Raises:
        ExpressionError: there is none.
    """
    found = _step(value, key)
    if found is MISSING and not forgiving:
        raise _not_found(value, key, "the value", at)
    return found


def ask_context(scope: Mapping[str, Any], method: str, at: int, key: Any, default: Any = None) -> Any:
    """Return what `context.get` or `context.has` says.

    Raises:
        ExpressionError: there is no context here, or the key is not text.
    """
    if "context" not in scope:
        hint = "the context exists only while a recipe runs"
        raise ExpressionError("the name 'context' is not defined", hint, offset=at)
    if not isinstance(key, str):
        raise ExpressionError(f"a key of the context is text, not {type_name(key)}", "quote the key", offset=at)
    context: ContextLike = scope["context"]
    return key in context.keys() if method == "has" else context.get(key, default)  # noqa: SIM118 - not a mapping


def _step(value: Any, key: Any) -> Any:
    if isinstance(value, Mapping):
        try:
            return value.get(key, MISSING)
        except TypeError:
            return MISSING
    is_index = isinstance(key, int) and not isinstance(key, bool)
    if is_index and isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return value[key] if -len(value) <= key < len(value) else MISSING
    return MISSING


def _not_found(value: Any, key: Any, way: str, at: int) -> ExpressionError:
    if isinstance(value, Mapping):
        known = [str(name) for name in value]
        empty = f"{way!r} is empty"
        if way == "config":
            empty += ": no environment was named (-e dev), or it configures nothing"
        hint = did_you_mean(str(key), known, noun="its keys") if known else empty
        return ExpressionError(f"{way!r} has no key {key!r}", hint, offset=at)
    if isinstance(value, list | tuple) and isinstance(key, int):
        return ExpressionError(f"{way!r} has no item {key}", f"it has {len(value)} items, counted from 0", offset=at)
    if way == "context":
        return ExpressionError(f"'context' has no attribute {key!r}", f"write context.get({key!r})", offset=at)
    return ExpressionError(
        f"{way!r} is {type_name(value)}, so it has no {'item' if isinstance(key, int) else 'key'} {key!r}",
        "add `| default(...)` where it may be missing" if value is None else None,
        offset=at,
    )
