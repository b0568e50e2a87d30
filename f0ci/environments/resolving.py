"""Expressions inside a configuration: `#{config.output.base}/logs` becomes the text it means.

Each value is resolved after those it refers to. Only `#{...}` is read here: `{{ ... }}` in a configuration is usually
meant for somebody else, such as an alert's text. A text that is meant to hold `#{` says `#{'#{'}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from f0ci.core.errors import InputError
from f0ci.environments.layers import leaves
from f0ci.environments.model import Environment
from f0ci.expressions.errors import ExpressionError
from f0ci.source.reading import Path

_OPENING = "#{"


def resolve_config(environment: Environment) -> dict[str, Any]:
    """Return an environment's configuration with every expression replaced that it can answer itself.

    Raises:
        InputError: an expression is wrong, names what does not exist, or leads back to itself.
    """
    config: dict[str, Any] = _copy(environment.config)
    waiting = {at: value for at, value in leaves(config) if any(_expression_texts(value))}
    if not waiting:
        return config
    needs = {at: _needs(environment, at, value, waiting) for at, value in waiting.items()}
    for at in _ordered(environment, needs):
        _replace(config, at, _resolve(environment, at, waiting[at], config))
    return config


def _needs(environment: Environment, at: Path, value: Any, waiting: Mapping[Path, Any]) -> tuple[Path, ...]:
    from f0ci.expressions.parsing import references

    try:
        found = [each for text in _expression_texts(value) for each in references(text)]
    except ExpressionError as error:
        raise _blame(environment, at, error) from error
    needed: list[Path] = []
    for reference in found:
        if reference.root == "config":
            needed.extend(other for other in waiting if _overlaps(other, reference.path))
    return tuple(dict.fromkeys(needed))


def _expression_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if _OPENING in value:
            yield value
    elif isinstance(value, list | Mapping):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _expression_texts(item)


def _overlaps(one: Path, other: Path) -> bool:
    """Tell whether one of two paths leads to, or through, the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


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


def _resolve(environment: Environment, at: Path, value: Any, config: Mapping[str, Any]) -> Any:
    from f0ci.expressions.evaluation import evaluate

    if isinstance(value, list):
        return [_resolve(environment, at, item, config) for item in value]
    if isinstance(value, Mapping):
        return {key: _resolve(environment, at, item, config) for key, item in value.items()}
    if not isinstance(value, str) or _OPENING not in value:
        return value
    try:
        # a copy, because a value that is given twice would otherwise be one object
        return _copy(evaluate(value, {"config": config, "environment": environment.name}))
    except ExpressionError as error:
        raise _blame(environment, at, error) from error


def place_of(environment: Environment, at: Path) -> str | None:
    """Return `path:line:column` of the layer that wrote a value last, or None where no file did."""
    origins = environment.origins(at)
    if not origins or origins[-1].path is None:
        return None
    return f"{origins[-1].path}:{origins[-1].line}:{origins[-1].column}"


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
