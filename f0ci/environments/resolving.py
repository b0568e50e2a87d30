"""Expressions inside a configuration: `#{config.output.base}/logs` becomes the text it means.

Each value is resolved after those it refers to. Only `#{...}` is read here: `{{ ... }}` in a configuration is usually
meant for somebody else, such as an alert's text. A text that is meant to hold `#{` says `#{'#{'}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from f0ci.core.errors import InputError
from f0ci.environments.layers import leaves
from f0ci.environments.model import Environment
from f0ci.expressions.errors import ExpressionError
from f0ci.source.reading import Path

_OPENING = "#{"


def resolve_config(environment: Environment, release: str | None = None) -> Environment:
    """Return an environment with every expression in its configuration replaced that it can answer itself.

    Args:
        environment: its merged configuration, which may refer to itself, to `environment` and to `release`.
        release: digest of the release; without it what refers to the release, directly or by another value, stays as
            it is written.

    Raises:
        InputError: an expression is wrong, names what does not exist, or leads back to itself.
    """
    config: dict[str, Any] = _copy(environment.config)
    waiting = {at: value for at, value in leaves(config) if _holds_expression(value)}
    return _resolved(environment, config, waiting, release) if waiting else replace(environment, config=config)


def with_release(environment: Environment, release: str) -> Environment:
    """Return an environment whose configuration knows the release; one that does not ask for it stays as it is.

    Raises:
        InputError: an expression that waited for the release has no answer.
    """
    if not environment.waiting:
        return environment
    config: dict[str, Any] = _copy(environment.config)
    waiting = {at: value for at, value in leaves(config) if at in environment.waiting}
    return _resolved(environment, config, waiting, release)


def _resolved(
    environment: Environment, config: dict[str, Any], waiting: Mapping[Path, Any], release: str | None
) -> Environment:
    scope: dict[str, Any] = environment.spoken | ({"release": release} if release is not None else {})
    left = {at for at, value in waiting.items() if release is None and _asks_for_release(environment, at, value)}
    below = _by_beginning(waiting)
    needs = {at: _needs(environment, at, value, below) for at, value in waiting.items()}
    for at in _ordered(environment, needs):
        if at in left or any(need in left for need in needs[at]):
            left.add(at)
        else:
            _replace(config, at, _resolve(environment, at, waiting[at], scope | {"config": config}))
    return replace(environment, config=config, waiting=frozenset(left))


def _asks_for_release(environment: Environment, at: Path, value: Any) -> bool:
    from f0ci.expressions.parsing import references

    try:
        return any(each.root == "release" for text in _expression_texts(value) for each in references(text))
    except ExpressionError as error:
        raise _blame(environment, at, error) from error


def _by_beginning(waiting: Iterable[Path]) -> dict[Path, list[Path]]:
    """Return paths by everything that they begin with, themselves included."""
    found: dict[Path, list[Path]] = {}
    for at in waiting:
        for length in range(len(at) + 1):
            found.setdefault(at[:length], []).append(at)
    return found


def _needs(environment: Environment, at: Path, value: Any, below: Mapping[Path, list[Path]]) -> tuple[Path, ...]:
    from f0ci.expressions.parsing import references

    try:
        found = [each for text in _expression_texts(value) for each in references(text)]
    except ExpressionError as error:
        raise _blame(environment, at, error) from error
    needed: list[Path] = []
    for reference in found:
        if reference.root == "config":
            path = reference.path
            needed.extend(below.get(path, ()))
            # nothing lies below a list that holds the value that is asked for
            holders = (path[:length] for length in range(1, len(path)))
            needed.extend(holder for holder in holders if below.get(holder) == [holder])
    return tuple(dict.fromkeys(needed))


def _holds_expression(value: Any) -> bool:
    # most values are numbers and texts, of which there may be thousands
    return _OPENING in value if isinstance(value, str) else any(_expression_texts(value))


def _expression_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if _OPENING in value:
            yield value
    elif isinstance(value, list | Mapping):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _expression_texts(item)


def _ordered(environment: Environment, needs: Mapping[Path, tuple[Path, ...]]) -> list[Path]:
    from graphlib import CycleError, TopologicalSorter

    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        # graphlib lists a circle against the direction of reading
        circle: list[Path] = list(reversed(error.args[1]))
        names = " -> ".join(".".join(map(str, at)) for at in circle)
        raise InputError(
            f"configuration values refer to each other in a circle: {names}",
            "write one of them out",
            place=place_of(environment, circle[0]),
        ) from error


def _resolve(environment: Environment, at: Path, value: Any, scope: Mapping[str, Any]) -> Any:
    from f0ci.expressions.evaluation import evaluate

    if isinstance(value, list):
        return [_resolve(environment, (*at, index), item, scope) for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {key: _resolve(environment, (*at, key), item, scope) for key, item in value.items()}
    if not isinstance(value, str) or _OPENING not in value:
        return value
    try:
        # a copy, because a value that is given twice would otherwise be one object
        return _copy(evaluate(value, scope))
    except ExpressionError as error:
        raise _blame(environment, at, error) from error


def place_of(environment: Environment, at: Path) -> str | None:
    """Return `path:line:column` of what wrote a value last, or None where no file did.

    Args:
        environment: its layered configuration.
        at: as the merged configuration has it: items of lists by their index.
    """
    written = environment.written_at(at)
    return str(written[0].location(written[1])) if written is not None else None


def _blame(environment: Environment, at: Path, error: ExpressionError) -> InputError:
    message = f"configuration value {'.'.join(map(str, at))!r}: {error.message}"
    return InputError(message, error.hint, place=place_of(environment, at))


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _replace(config: dict[str, Any], at: Path, value: Any) -> None:
    holder: Any = config
    for part in at[:-1]:
        holder = holder[part]
    holder[at[-1]] = value
