"""Rows of the files that metrics are read from: which are about a question, and what stands in them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from f0ci.analysis.providers.base import Measurement, Query, nothing
from f0ci.core.clock import parse_time
from f0ci.core.errors import ProviderError
from f0ci.git.ignored import is_ignored
from f0ci.source.records import FORMATS, Record, read_records
from f0ci.source.tree import resolve_path

# a shortened digest of at least this many characters stands for the whole
_SHORT_DIGEST = 12


def rows_about(query: Query, root: Path) -> list[Record]:
    """Return the rows of a metric's file that are about the environment, and the release where rows name one.

    Args:
        query: what is asked; its settings name the file and its columns.
        root: folder that a relative path starts from; a file that is not there and that Git ignores has no rows yet.

    Raises:
        ProviderError: the file cannot be read, or lies where it may not.
        InputError: a row is not what the settings say.
    """
    return [row for row in _read(query, root) if _belongs(row, query)]


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
        if not path.exists() and is_ignored(root, written):
            # what Git ignores is written by something, in a fresh checkout not before the first deployment
            return []
        hint = "check 'path'; what writes the file anew into each checkout is listed in .gitignore"
        raise ProviderError(f"there is no file {written!r}", hint, place=written)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ProviderError(f"cannot read {written!r}: {error.strerror or error}", place=written) from error
    return list(read_records(written, raw, form))


def none_about(query: Query, root: Path) -> Measurement:
    """Return the answer of a metric's file that has no row about the environment, or is not there yet."""
    written = str(query.settings["path"])
    if (root / written).exists():
        return nothing(f"no row of {written!r} is about {query.environment!r}")
    note = f"{written!r} is not written yet: git ignores it, and it is not there"
    return Measurement(None, 0, series=0, note=note, unwritten=True)


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


def moment_of(row: Record, settings: Mapping[str, Any]) -> datetime | None:
    """Return a row's time, or None where it has none.

    Raises:
        InputError: what stands there is no time.
    """
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


def number_in(row: Record, column: str) -> float:
    """Return the finite number in a column.

    Raises:
        InputError: there is none.
    """
    cell = row.cell(column)
    try:
        number = float("nan" if isinstance(cell, bool) else cell)
    except (ValueError, TypeError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise row.error(f"{cell!r} in column {column!r} is not a number", "write a finite number with a decimal point")
    return number
