"""From points to what is known of a metric over a window; pure but for `observe`, which asks for them.

Points answer for whole intervals from the window's beginning on, so whoever asks later asks the same questions. What
they say together, by the first row that fits:

    | points                                                          | together                      |
    |-----------------------------------------------------------------|-------------------------------|
    | none, because the window is shorter than the interval           | no series                     |
    | errors only, or more than `consecutive_error_limit` at the end  | the newest error              |
    | some with several series                                        | several series                |
    | some infinite                                                   | infinite                      |
    | nothing but errors, no traffic and no data; at least one idle   | no traffic                    |
    | nothing but errors and no data                                  | no value                      |
    | counts                                                          | their sums                    |
    | values                                                          | `aggregate` of them, mean     |

An error, a gap, NaN and a point without traffic count for nothing beside points with data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from f0ci.analysis.aggregating import aggregate
from f0ci.analysis.measuring import measure, measure_points
from f0ci.analysis.providers.base import Measurement, Observation, Point, Query, nothing
from f0ci.core.duration import format_duration
from f0ci.core.errors import ProviderError
from f0ci.workflows.metrics import MetricSpec


def observe(spec: MetricSpec, query: Query, root: Path) -> Observation:
    """Measure a metric over a window: at once, or point by point where it has an interval.

    Args:
        spec: how it is measured.
        query: the window; what ends after `query.now` less the metric's delay is not asked for yet.
        root: folder that relative paths of settings start from.
    """
    if spec.interval is None:
        return Observation(measure(spec, query, root))
    end = min(query.end, query.now - spec.delay)
    if spec.count is not None:
        end = min(end, query.start + spec.interval * spec.count)
    if end < query.start + spec.interval:
        wanted = format_duration(spec.interval)
        return Observation(replace(nothing(f"no interval of {wanted} is over yet"), unit=spec.unit))
    points = measure_points(spec, replace(query, end=end), root)
    return Observation(combine(spec, points), points)


def usable(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the points that have a number."""
    return tuple(point for point in points if _has_number(point.measurement))


def combine(spec: MetricSpec, points: Sequence[Point]) -> Measurement:
    """Return what points say together; see the table above.

    Args:
        spec: how the metric is measured.
        points: in order of time.
    """
    if not points:
        return replace(nothing("the window is shorter than the interval"), unit=spec.unit)
    newest = points[-1].measurement
    failing = _errors_at_end(points)
    if failing == len(points) or failing > spec.consecutive_error_limit:
        return replace(newest, note=f"{failing} of {len(points)} points in a row")
    said = [point.measurement for point in points if point.measurement.error is None]
    lost = len(points) - len(said)
    note = f"{lost} of {len(points)} points could not be measured" if lost else ""
    many = max(one.series for one in said)
    if many > 1:
        return Measurement(None, 0, unit=spec.unit, series=many, note=note)
    numbers = [one for one in said if _has_number(one)]
    infinite = next((one for one in numbers if one.value is not None and math.isinf(one.value)), None)
    if infinite is not None:
        return infinite
    if not numbers:
        idle = any(one.no_traffic for one in said)
        because = note or next((one.note for one in reversed(said) if one.note), "")
        return Measurement(None, 0, unit=spec.unit, series=0, no_traffic=idle, note=because)
    if all(one.hits is not None for one in numbers):
        hits, total = sum(one.hits or 0 for one in numbers), sum(one.samples for one in numbers)
        return Measurement(hits / total if total else None, total, "ratio", hits=hits, note=note, no_traffic=not total)
    return _aggregated(spec, numbers, note)


def _aggregated(spec: MetricSpec, numbers: Sequence[Measurement], note: str) -> Measurement:
    units = {one.unit for one in numbers}
    if len(units) > 1:
        return Measurement(None, 0, unit=spec.unit, error=f"points are measured in {', '.join(sorted(units))}")
    how = str(spec.settings.get("aggregate", "mean"))
    try:
        value = aggregate([one.value for one in numbers if one.value is not None], how)
    except ProviderError as error:
        return Measurement(None, 0, unit=spec.unit, error=str(error))
    return Measurement(value, sum(one.samples for one in numbers), unit=units.pop(), note=note)


def _errors_at_end(points: Sequence[Point]) -> int:
    for number, point in enumerate(reversed(points)):
        if point.measurement.error is None:
            return number
    return len(points)


def _has_number(one: Measurement) -> bool:
    if one.error is not None or one.no_traffic or one.series != 1 or one.samples < 1:
        return False
    return one.value is not None and not math.isnan(one.value)
