"""What is suspicious about environments, alone and side by side: pure checks that linting and rendering share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from f0ci.core.values import dataclass
from f0ci.environments.model import Environment
from f0ci.source.reading import Path
from f0ci.source.schema import type_name


@dataclass(frozen=True, slots=True)
class Finding:
    """Something suspicious at one place of a configuration.

    Attributes:
        environment: folder name of the environment it is about.
        path: the file, or None where no file is to blame.
        at: the value inside that file; where it is missing, the path it would have.
        message: what is suspicious, with the value quoted.
        hint: what to do.
        others: places to compare with: file, path inside it, and what is there.
    """

    environment: str
    path: str | None
    at: Path
    message: str
    hint: str
    others: tuple[tuple[str, Path, str], ...] = ()


def debug_in_production(environment: Environment) -> tuple[Finding, ...]:
    """Return a finding where production runs with debugging on."""
    at = ("environment", "debug_enabled")
    if not environment.is_production or environment.section.get("debug_enabled") is not True:
        return ()
    message = f"production environment {environment.name!r} has debugging switched on"
    return (_finding(environment, at, message, "set environment.debug_enabled to false"),)


def production_without_monitoring(environment: Environment) -> tuple[Finding, ...]:
    """Return a finding where nobody would see production slow down or fail."""
    at = ("environment", "performance_monitoring")
    if not environment.is_production or environment.section.get("performance_monitoring") is True:
        return ()
    monitoring = environment.config.get("monitoring")
    if "performance_monitoring" not in environment.section and isinstance(monitoring, Mapping):
        # a section of its own is monitoring, unless it says that it is off
        if monitoring and monitoring.get("enabled") is not False:
            return ()
        at = ("monitoring", "enabled") if "enabled" in monitoring else at
    message = f"production environment {environment.name!r} is not monitored"
    return (_finding(environment, at, message, "set environment.performance_monitoring to true"),)


def production_without_notifications(environment: Environment) -> tuple[Finding, ...]:
    """Return a finding where nobody is told that production failed."""
    at = ("environment", "error_notifications")
    if not environment.is_production or environment.section.get("error_notifications") is True:
        return ()
    message = f"production environment {environment.name!r} tells nobody of errors"
    return (_finding(environment, at, message, "set environment.error_notifications to true"),)


def missing_keys(environments: Sequence[Environment]) -> tuple[Finding, ...]:
    """Return every key that an environment lacks and another has; of nested keys only the outermost."""
    found = []
    holders: dict[Path, list[Environment]] = {}
    for environment in environments:
        for at in _paths(environment.config):
            holders.setdefault(at, []).append(environment)
    paths = sorted(holders, key=_key)
    for environment in environments:
        for at in islice(_missing(environment.config, paths), _MOST):
            having = holders[at]
            names = _listed([other.name for other in having])
            message = f"environment {environment.name!r} has no {_dotted(at)!r}, which {names} {_has_have(having)}"
            hint = "write it here or in base, or remove it there"
            found.append(_finding(environment, at, message, hint, having))
    return tuple(found)


def _missing(config: Mapping[str, Any], paths: Iterable[Path]) -> Iterator[Path]:
    """Yield those of some paths at which a configuration has nothing, though it has a mapping right above."""
    for at in paths:
        if not _has(config, at) and isinstance(_value(config, at[:-1]), Mapping):
            yield at


def differing_types(environments: Sequence[Environment]) -> tuple[Finding, ...]:
    """Return every value whose kind differs from what most other environments have there.

    Whole numbers and fractions are one kind; null is of every kind.
    """
    found = []
    paths = sorted({at for environment in environments for at in _paths(environment.config)}, key=_key)
    for at in paths:
        kinds = {e.name: _kind(_value(e.config, at)) for e in environments if _has(e.config, at)}
        counted = Counter(kind for kind in kinds.values() if kind != "null")
        if len(counted) < 2:
            continue
        # where two kinds are equally frequent, the first environment decides
        usual = counted.most_common(1)[0][0]
        agreeing = [e for e in environments if kinds.get(e.name) == usual]
        for environment in environments:
            kind = kinds.get(environment.name, "null")
            if kind in {"null", usual}:
                continue
            message = f"{_dotted(at)!r} is {kind} in {environment.name!r} and {usual} in "
            message += _listed([other.name for other in agreeing])
            found.append(_finding(environment, at, message, f"write {usual}", agreeing))
    return tuple(found)


def check_one(environment: Environment) -> dict[str, tuple[Finding, ...]]:
    """Return what is suspicious about values that somebody wrote for one environment, by the rule that says so."""
    found = {
        "debug-in-production": debug_in_production(environment),
        "monitoring-off-in-production": production_without_monitoring(environment),
        "notifications-off-in-production": production_without_notifications(environment),
    }
    written = {rule: tuple(one for one in several if environment.origins(one.at)) for rule, several in found.items()}
    return {rule: several for rule, several in written.items() if several}


def _finding(
    environment: Environment, at: Path, message: str, hint: str, others: Sequence[Environment] = ()
) -> Finding:
    shown = others[:_MOST_NAMED]
    places = tuple((path, at, f"{other.name!r} has it here") for other in shown if (path := _file(other, at)))
    return Finding(environment.name, _file(environment, at), at, message, hint, places)


def _file(environment: Environment, at: Path) -> str | None:
    """Return the file that wrote a value last; where none did, the environment's own."""
    origins = [origin for origin in environment.origins(at) if origin.path is not None]
    if origins:
        return origins[-1].path
    return environment.document.path if environment.document else None


def _paths(data: Mapping[str, Any], at: Path = ()) -> Iterator[Path]:
    for key, value in data.items():
        yield (*at, key)
        if isinstance(value, Mapping):
            yield from _paths(value, (*at, key))


_ABSENT = object()


def _value(config: Mapping[str, Any], at: Path) -> Any:
    value: Any = config
    for key in at:
        value = value.get(key, _ABSENT) if isinstance(value, Mapping) else _ABSENT
    return value


def _has(config: Mapping[str, Any], at: Path) -> bool:
    return _value(config, at) is not _ABSENT


def _kind(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "a number" if is_number else type_name(value)


def _key(at: Path) -> tuple[str, ...]:
    return tuple(map(str, at))


def _dotted(at: Path) -> str:
    return ".".join(map(str, at))


# nobody reads on
_MOST = 10_001
# of hundreds of environments the first tell enough
_MOST_NAMED = 8


def _listed(names: Sequence[str]) -> str:
    if len(names) > _MOST_NAMED:
        return f"{', '.join(map(repr, names[:_MOST_NAMED]))} and {len(names) - _MOST_NAMED} more"
    return repr(names[0]) if len(names) == 1 else f"{', '.join(map(repr, names[:-1]))} and {names[-1]!r}"


def _has_have(things: Sequence[object]) -> str:
    return "has" if len(things) == 1 else "have"
