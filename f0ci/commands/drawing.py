"""Replayed history as a drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import accumulate

from f0ci.analysis.observing import usable
from f0ci.analysis.plotting import Mark, Panel, draw
from f0ci.analysis.providers.base import Observation, Point
from f0ci.analysis.sequential import Counts, interval
from f0ci.commands.replaying import EnvironmentReplay
from f0ci.workflows.units import RATIO, kind_of, to_base


def drawing(replayed: Sequence[EnvironmentReplay]) -> str:
    """Return an SVG document: each metric of each environment with its bounds and the moments of verdicts."""
    names = ", ".join(one.environment for one in replayed)
    return draw([panel for one in replayed for panel in _panels(one)], f"analysis of {names}")


def _panels(replayed: EnvironmentReplay) -> Iterator[Panel]:
    marks = tuple(
        Mark(one.span.start, one.at, one.span.end, one.outcome, f"{one.span.name}: {one.outcome}: {one.reasons[0]}")
        for one in replayed.spans
    )
    checks = replayed.described.checks if replayed.described is not None else ()
    for name, observed in replayed.observed.items():
        bounds = tuple(
            (str(check.condition), check.condition.quantity.base)
            for check in checks
            if check.condition.metric == name and check.condition.quantity is not None
        )
        spec = replayed.specs[name]
        bands = tuple(_band(one, spec.alpha) for one in observed if one.measurement.hits is not None)
        unit = "%" if any(_is_share(one) for one in observed) else _base_unit(spec.unit)
        lines = tuple(tuple(_line(one)) for one in observed)
        trends = tuple(tuple(_trend(one)) for one in observed if one.measurement.hits is not None)
        if any(lines):
            yield Panel(f"{replayed.environment}: {name}", unit, lines, bounds, bands, marks, trends)


def _line(observed: Observation) -> Iterator[tuple[datetime, float]]:
    for point in usable(observed.points):
        yield point.end, _base(point)


def _band(observed: Observation, alpha: float) -> tuple[tuple[datetime, float, float], ...]:
    return tuple((moment, *interval(seen, alpha)) for moment, seen in _so_far(observed))


def _trend(observed: Observation) -> Iterator[tuple[datetime, float]]:
    yield from ((moment, seen.share) for moment, seen in _so_far(observed))


def _so_far(observed: Observation) -> Iterator[tuple[datetime, Counts]]:
    points = usable(observed.points)
    counts = accumulate(
        (Counts(point.measurement.hits or 0, point.measurement.samples) for point in points),
        lambda one, other: Counts(one.hits + other.hits, one.total + other.total),
    )
    yield from zip((point.end for point in points), counts, strict=True)


def _base(point: Point) -> float:
    measured = point.measurement
    return to_base(measured.value or 0.0, measured.unit if kind_of(measured.unit) else "")


def _is_share(observed: Observation) -> bool:
    return kind_of(observed.measurement.unit) == RATIO


def _base_unit(unit: str) -> str:
    return {"a time": "s", "a size": "B"}.get(kind_of(unit) or "", "")
