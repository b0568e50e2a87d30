"""A detector that compares metrics with their own history, by season and robustly.

Settings: `metrics` (names of metrics), `season` (1d), `seasons` (7), `tolerance` (6), `direction` (`up`, `down` or
`both`), `share` (0.5); `points` (how far apart they are, 1m; a metric's own `interval` comes first).

Each point of the window is compared with the points at the same place of each earlier season: with their median, in
units of their median absolute deviation times 1.4826, which for a normal distribution is its standard deviation
(Rousseeuw and Croux, JASA 88, 1993). A point further away than `tolerance` is unusual; where at least `share` of a
metric's points are, the detector says 1, else 0. Points of seasons without data are left out; with fewer than three
nothing is known of a point. A spread below a thousandth of the median counts as that, so that a metric which never
moved may move a little.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from f0ci.analysis.providers.base import Measurement, Point, Query, nothing
from f0ci.core.duration import parse_duration
from f0ci.core.errors import ProviderError

RUNS_NOTHING = True

_NORMAL = 1.4826
_LEAST_SPREAD = 0.001
_LEAST_SEASONS = 3
_DEFAULT_SEASONS = 7


@dataclass(frozen=True, slots=True)
class Unusual:
    """How far points are from what is usual.

    Attributes:
        known: how many points could be compared.
        beyond: how many lie beyond the tolerance.
        furthest: the largest distance in usual spreads, with its sign.
    """

    known: int
    beyond: int
    furthest: float


def measure(query: Query, root: Path) -> Measurement:
    """Return 1 where a metric of the window is unlike its own history, 0 where none is.

    Raises:
        ProviderError: a setting is wrong, a metric is not declared, or it cannot be measured now.
    """
    settings = query.settings
    specs = settings.get("specs", {})
    names = [str(name) for name in settings.get("metrics", ())]
    unknown = next((name for name in names if name not in specs), None)
    if not names or unknown is not None:
        hint = "name metrics of spec.metrics in 'metrics'"
        raise ProviderError(f"detector {query.metric!r} watches {unknown!r}, which is not declared", hint)
    found = {name: _compare(query, specs[name], root) for name in names}
    known = sum(one.known for one in found.values())
    if not known:
        return nothing(f"fewer than {_LEAST_SEASONS} seasons are known of {', '.join(names)}")
    share = float(settings.get("share", 0.5))
    odd = {name: one for name, one in found.items() if one.known and one.beyond >= share * one.known and one.beyond}
    said = "; ".join(
        f"{name}: {one.beyond} of {one.known} points are unusual, the furthest by {one.furthest:+.1f} spreads"
        for name, one in (odd or found).items()
    )
    return Measurement(float(bool(odd)), known, note=said)


def compare(values: Sequence[float], history: Sequence[Sequence[float]], tolerance: float, direction: str) -> Unusual:
    """Return how unusual values are; pure.

    Args:
        values: points of the window.
        history: for each of them, the values at the same place of earlier seasons.
        tolerance: distance that is still usual, in usual spreads.
        direction: `up`, `down` or `both`.
    """
    known = beyond = 0
    furthest = 0.0
    for value, before in zip(values, history, strict=True):
        if len(before) < _LEAST_SEASONS:
            continue
        middle = statistics.median(before)
        spread = _NORMAL * statistics.median(abs(one - middle) for one in before)
        distance = (value - middle) / max(spread, abs(middle) * _LEAST_SPREAD, 1e-12)
        known += 1
        if {"up": distance, "down": -distance}.get(direction, abs(distance)) > tolerance:
            beyond += 1
            furthest = max(furthest, distance, key=abs)
    return Unusual(known, beyond, furthest)


def _compare(query: Query, spec: Any, root: Path) -> Unusual:
    settings = query.settings
    season = _span(query, "season", "1d")
    interval = spec.interval or _span(query, "points", "1m")
    watched = replace(spec, interval=interval)
    present = _numbers(_points(watched, query, root))
    if not present:
        return Unusual(0, 0, 0.0)
    earlier: list[Mapping[int, float]] = []
    for number in range(1, int(settings.get("seasons", _DEFAULT_SEASONS)) + 1):
        back = season * number
        then = replace(query, start=query.start - back, end=query.end - back, release="", canary="", baseline="")
        earlier.append(_numbers(_points(watched, then, root)))
    places = sorted(present)
    history = [[season_[place] for season_ in earlier if place in season_] for place in places]
    tolerance = float(settings.get("tolerance", 6))
    return compare([present[place] for place in places], history, tolerance, str(settings.get("direction", "both")))


def _points(spec: Any, query: Query, root: Path) -> tuple[Point, ...]:
    from f0ci.analysis.measuring import measure_points

    points = measure_points(spec, query, root)
    errors = [point.measurement.error for point in points if point.measurement.error is not None]
    if points and len(errors) == len(points):
        raise ProviderError(f"{spec.name!r} could not be measured: {errors[0]}")
    return points


def _numbers(points: Sequence[Point]) -> dict[int, float]:
    from f0ci.analysis.observing import usable

    good = {point.start for point in usable(points)}
    return {
        place: point.measurement.value
        for place, point in enumerate(points)
        if point.start in good and point.measurement.value is not None
    }


def _span(query: Query, setting: str, default: str) -> timedelta:
    hint = f"write one such as {default}"
    try:
        span = parse_duration(str(query.settings.get(setting, default)))
    except ValueError as error:
        raise ProviderError(f"{setting!r} of detector {query.metric!r}: {error}", hint) from error
    if span <= timedelta():
        raise ProviderError(f"{setting!r} of detector {query.metric!r} is nothing", hint)
    return span
