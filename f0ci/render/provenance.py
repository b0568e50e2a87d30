"""Where configuration values come from: the layer that won, and what it overrode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from f0ci.core.canonical import canonical_json
from f0ci.core.errors import UsageError
from f0ci.core.suggestions import did_you_mean
from f0ci.environments.keyed_lists import is_deletion
from f0ci.environments.layers import dotted, leaves, read_dotted
from f0ci.environments.model import Environment, Origin
from f0ci.source.reading import Path


def provenance_of(environment: Environment) -> dict[str, Any]:
    """Return for every value of a configuration, by its dotted name, where it was written and what it overrode."""
    found = {}
    for at, value in leaves(environment.config, keyed=environment.keyed):
        *overridden, winner = _origins(environment, at, value)
        overrides = [{"value": each.value, **_place(each)} for each in reversed(overridden)]
        found[dotted(at)] = {"value": value, **_place(winner), "overrides": overrides}
    return found


def explain_origin(environment: Environment, name: str) -> tuple[str, ...]:
    """Return lines that tell where a value comes from: the winning layer first, then everything it overrode.

    Args:
        environment: the environment.
        name: the value's dotted name; a section tells about every value in it.

    Raises:
        UsageError: no layer has such a value.
    """
    at = read_dotted(name)
    values = dict(leaves(environment.config, keyed=environment.keyed))
    if at in values:
        return _explain_value(environment, at, values[at])
    below = [path for path in values if path[: len(at)] == at]
    if below:
        return tuple(
            f"{dotted(path)} = {_show(values[path])}  ({_say(_origins(environment, path)[-1])})" for path in below
        )
    if at and environment.touches(at):
        return _explain_gone(environment, at)
    known = [dotted(path) for path in values]
    hint = did_you_mean(name, known, noun="values")
    raise UsageError(f"environment {environment.name!r} has no value {name!r}", hint)


def _explain_value(environment: Environment, at: Path, value: Any) -> tuple[str, ...]:
    *overridden, winner = _origins(environment, at, value)
    lines = [f"{dotted(at)} = {_show(value)}", f"  written in {_say(winner)}"]
    if winner.value != value:
        lines.append(f"  as {_show(winner.value)}")
    return (*lines, *map(_overrides, reversed(overridden)))


def _explain_gone(environment: Environment, at: Path) -> tuple[str, ...]:
    """Say who took a value away that a weaker layer wrote: by null, or by replacing what held it."""
    *overridden, last = _origins(environment, at)
    is_removed = last.value is None or (isinstance(last.value, Mapping) and is_deletion(last.value))
    how = "removed" if is_removed else f"replaced by {_show(last.value)}"
    return (f"{dotted(at)} is {how} in {_say(last)}", *map(_overrides, reversed(overridden)))


def _origins(environment: Environment, at: Path, value: Any = None) -> tuple[Origin, ...]:
    # a configuration that was made without layers has no origins
    return tuple(origin for _, origin in environment.touches(at)) or (Origin("unknown", None, 0, 0, value),)


def _overrides(origin: Origin) -> str:
    return f"  overrides {_show(origin.value)} in {_say(origin)}"


def _place(origin: Origin) -> dict[str, Any]:
    return {"layer": origin.layer, "file": origin.path, "line": origin.line or None, "column": origin.column or None}


def _layer(origin: Origin) -> dict[str, Any]:
    return {"value": origin.value, **_place(origin)}


def _say(origin: Origin) -> str:
    return origin.layer if origin.path is None else f"{origin.path}:{origin.line}:{origin.column} [{origin.layer}]"


def _show(value: Any) -> str:
    return canonical_json(value).decode()
