"""Metrics from a file in the repository: CSV, JSON, JSON lines, or a test report in JUnit's form.

Settings: `path`, `format`, `allow_absolute`; the columns `value` (with `aggregate`), or `good` or `bad` with
`total` and `counter`; the columns `time`, `environment`, `release`; `grace`. Rows with a time answer for any window. A
file without times is a snapshot of the present: asked about the past, it has no data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from f0ci.analysis.aggregating import aggregate, ratio
from f0ci.analysis.providers.base import Measurement, Point, Query, asked_late, intervals, nothing
from f0ci.analysis.rows import moment_of, none_about, number_in, rows_about
from f0ci.core.errors import InputError, ProviderError
from f0ci.source.records import Record

RUNS_NOTHING = True


def measure(query: Query, root: Path) -> Measurement:
    """Return what the file says of the query's window.

    Raises:
        ProviderError: the file, a column or a value is not what the settings say; names file and line.
    """
    try:
        return _measure(query, root)
    except InputError as error:
        raise ProviderError(error.message, error.hint, place=error.place) from error


def _measure(query: Query, root: Path) -> Measurement:
    settings = query.settings
    _count_of(query)
    rows = rows_about(query, root)
    if not rows:
        # rows come with deployments, often into a fresh checkout: that there are none yet is no misspelt question
        return none_about(query, root)
    timed = [(moment, row) for moment, row in ((moment_of(row, settings), row) for row in rows) if moment is not None]
    if timed and len(timed) < len(rows):
        bare = next(row for row in rows if moment_of(row, settings) is None)
        raise bare.error("this row has no time, while others have", "give every row a time, or none")
    if not timed:
        late = asked_late(query)
        return late if late is not None else _measured(rows, query)
    return _measured(_inside([pair for pair in timed if query.start <= pair[0] <= query.end]), query)


def measure_points(query: Query, root: Path, interval: timedelta) -> tuple[Point, ...]:
    """Return what the file says of each interval; its first moment belongs to the interval before.

    Raises:
        ProviderError: as `measure`.
    """
    spans = intervals(query, interval)
    _count_of(query)
    try:
        rows = rows_about(query, root)
        moments = [(moment_of(row, query.settings), row) for row in rows]
        timed = [(moment, row) for moment, row in moments if moment is not None]
        bare = next((row for moment, row in moments if moment is None), None)
        if bare is not None:
            raise bare.error("a metric with an interval needs a time in each row", "add 'time': the column's name")
        within: dict[int, list[tuple[datetime, Record]]] = {}
        for moment, row in timed:
            # an interval ends with its last moment, so what lies at an edge belongs to the one before
            within.setdefault(-((query.start - moment) // interval) - 1, []).append((moment, row))
        if query.settings.get("counter") is True:
            # what a running total grew by since the newest row before belongs to the interval as well
            ordered = sorted(timed, key=lambda pair: pair[0])
            for at, (start, _) in enumerate(spans):
                before = [pair for pair in ordered if pair[0] <= start][-1:]
                within[at] = [*before, *within.get(at, ())] if within.get(at) else []
        measured = [_measured(_inside(within.get(at, ())), query) for at in range(len(spans))]
    except InputError as error:
        raise ProviderError(error.message, error.hint, place=error.place) from error
    return tuple(Point(start, end, one) for (start, end), one in zip(spans, measured, strict=True))


def _count_of(query: Query) -> str | None:
    settings = query.settings
    count = next((key for key in ("good", "bad") if key in settings), None)
    if (count is None) is ("value" not in settings) or (count is None) is ("total" in settings):
        problem = f"metric {query.metric!r} does not say which columns to read"
        raise ProviderError(problem, "give 'value', or 'good' or 'bad' with 'total'")
    return count


def _measured(rows: Sequence[Record], query: Query) -> Measurement:
    settings = query.settings
    if not rows:
        return nothing(f"no row of {str(settings['path'])!r} lies in the window")
    count = _count_of(query)
    if count is None:
        values = [number_in(row, str(settings["value"])) for row in rows]
        return Measurement(aggregate(values, str(settings.get("aggregate", "mean"))), len(values))
    of_rows = _growth if settings.get("counter") is True else _ratio
    return of_rows(rows, str(settings[count]), str(settings["total"]))


def _inside(timed: Sequence[tuple[datetime, Record]]) -> list[Record]:
    """Return rows in order of time; rows that are alike in every column are one row, written twice."""
    rows: dict[tuple[tuple[str, str], ...], tuple[datetime, Record]] = {}
    for moment, row in timed:
        rows.setdefault(tuple((key, repr(value)) for key, value in sorted(row.cells.items())), (moment, row))
    return [row for _, row in sorted(rows.values(), key=lambda pair: pair[0])]


def _growth(rows: Sequence[Record], part: str, total: str) -> Measurement:
    """Return by how much running totals grew from row to row; where one fell, it began again from 0."""
    grown = [0.0, 0.0]
    for at, column in enumerate((part, total)):
        totals = [number_in(row, column) for row in rows]
        grown[at] = math.fsum(after - before if after >= before else after for before, after in pairwise(totals))
    return ratio(min(grown), grown[1], part) if len(rows) > 1 else nothing("a running total needs two rows to grow")


def _ratio(rows: Sequence[Record], part: str, total: str) -> Measurement:
    counted = whole = 0
    for row in rows:
        of_part, of_whole = number_in(row, part), number_in(row, total)
        if not (of_part.is_integer() and of_whole.is_integer() and 0 <= of_part <= of_whole):
            message = f"{row.cell(part)!r} of {row.cell(total)!r} in columns {part!r} and {total!r} are not counts"
            raise row.error(message, "write whole numbers, the first not above the second")
        counted += int(of_part)
        whole += int(of_whole)
    if whole == 0:
        return Measurement(None, 0, no_traffic=True)
    return Measurement(counted / whole, whole, unit="ratio", hits=counted)
