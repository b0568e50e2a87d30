"""Metrics from a file in the repository: CSV, JSON, JSON lines, or a test report in JUnit's form.

Settings: `path`, `format`, `allow_absolute`; the columns `value` (with `aggregate`), or `good` or `bad` with
`total` and `counter`; the columns `time`, `environment`, `release`; `grace`. Rows with a time answer for any window. A
file without times is a snapshot of the present: asked about the past, it has no data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from f0ci.analysis.aggregating import aggregate, ratio
from f0ci.analysis.providers.base import Measurement, Point, Query, asked_late, intervals, nothing
from f0ci.core.clock import parse_time
from f0ci.core.errors import InputError, ProviderError
from f0ci.source.records import FORMATS, Record, read_records
from f0ci.source.tree import resolve_path

# a shortened digest of at least this many characters stands for the whole
_SHORT_DIGEST = 12


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
    rows = [row for row in _read(query, root) if _belongs(row, query)]
    if not rows:
        return nothing(f"no row of {str(settings['path'])!r} is about {query.environment!r}")
    timed = [(moment, row) for moment, row in ((_moment(row, settings), row) for row in rows) if moment is not None]
    if timed and len(timed) < len(rows):
        bare = next(row for row in rows if _moment(row, settings) is None)
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
        rows = [row for row in _read(query, root) if _belongs(row, query)]
        moments = [(_moment(row, query.settings), row) for row in rows]
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
        values = [_number(row, str(settings["value"])) for row in rows]
        return Measurement(aggregate(values, str(settings.get("aggregate", "mean"))), len(values))
    of_rows = _growth if settings.get("counter") is True else _ratio
    return of_rows(rows, str(settings[count]), str(settings["total"]))


def _inside(timed: Sequence[tuple[datetime, Record]]) -> list[Record]:
    """Return rows in order of time; rows that are alike in every column are one row, written twice."""
    rows: dict[tuple[tuple[str, str], ...], tuple[datetime, Record]] = {}
    for moment, row in timed:
        rows.setdefault(tuple((key, repr(value)) for key, value in sorted(row.cells.items())), (moment, row))
    return [row for _, row in sorted(rows.values(), key=lambda pair: pair[0])]


def _read(query: Query, root: Path) -> list[Record]:
    settings = query.settings
    written = str(settings.get("path", ""))
    form = str(settings.get("format") or FORMATS.get(Path(written).suffix.lower(), ""))
    if form not in FORMATS.values():
        raise ProviderError(
            f"{written!r} is of no known format", "add 'format': csv, json, jsonl or junit", place=written
        )
    path = Path(written)
    if not path.is_absolute():
        path = (root / written).resolve()
        if resolve_path(written) is None or not path.is_relative_to(root.resolve()):
            raise ProviderError(f"{written!r} leaves the repository", "keep the file inside", place=written)
    elif settings.get("allow_absolute") is not True:
        hint = "write a path inside the repository, or set 'allow_absolute: true'"
        raise ProviderError(f"{written!r} is an absolute path", hint, place=written)
    if not path.is_file():
        raise ProviderError(f"there is no file {written!r}", "check 'path', and what writes the file", place=written)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ProviderError(f"cannot read {written!r}: {error.strerror or error}", place=written) from error
    return list(read_records(written, raw, form))


def _belongs(row: Record, query: Query) -> bool:
    environment, release = query.settings.get("environment"), query.settings.get("release")
    if environment is not None and str(row.cell(str(environment))) != query.environment:
        return False
    if release is None:
        return True
    if not query.release:
        raise ProviderError(
            f"metric {query.metric!r} reads rows of one release, and none is known",
            "remove 'release' from its settings",
        )
    cell = str(row.cell(str(release)))
    return cell == query.release or (len(cell) >= _SHORT_DIGEST and query.release.startswith(cell))


def _moment(row: Record, settings: Mapping[str, Any]) -> datetime | None:
    column = str(settings.get("time", "time"))
    if "time" not in settings and column not in row.cells:
        return None
    cell = row.cell(column)
    try:
        return parse_time(str(cell))
    except ValueError:
        pass
    try:
        return datetime.fromtimestamp(float(cell), UTC)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        hint = "write ISO 8601 with an offset, such as 2026-11-21T09:30:00Z, or seconds since 1970"
        raise row.error(f"{cell!r} in column {column!r} is not a time", hint) from error


def _number(row: Record, column: str) -> float:
    cell = row.cell(column)
    try:
        number = float("nan" if isinstance(cell, bool) else cell)
    except (ValueError, TypeError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise row.error(f"{cell!r} in column {column!r} is not a number", "write a finite number with a decimal point")
    return number


def _growth(rows: Sequence[Record], part: str, total: str) -> Measurement:
    """Return by how much running totals grew from row to row; where one fell, it began again from 0."""
    grown = [0.0, 0.0]
    for at, column in enumerate((part, total)):
        totals = [_number(row, column) for row in rows]
        grown[at] = math.fsum(after - before if after >= before else after for before, after in pairwise(totals))
    return ratio(min(grown), grown[1], part) if len(rows) > 1 else nothing("a running total needs two rows to grow")


def _ratio(rows: Sequence[Record], part: str, total: str) -> Measurement:
    counted = whole = 0
    for row in rows:
        of_part, of_whole = _number(row, part), _number(row, total)
        if not (of_part.is_integer() and of_whole.is_integer() and 0 <= of_part <= of_whole):
            message = f"{row.cell(part)!r} of {row.cell(total)!r} in columns {part!r} and {total!r} are not counts"
            raise row.error(message, "write whole numbers, the first not above the second")
        counted += int(of_part)
        whole += int(of_whole)
    if whole == 0:
        return Measurement(None, 0, no_traffic=True)
    return Measurement(counted / whole, whole, unit="ratio", hits=counted)
