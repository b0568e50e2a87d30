"""Metrics from a command that prints a number, true or false, or JSON.

JSON is `{"value": 0.2, "samples": 1500}`, or counts: `{"bad": 3, "total": 1500}`, or `good`.

Settings: `run` (a shell line, or a list of a program and its arguments), `timeout` (30s), `by_time`, `grace`.
The command finds what is asked in `F0CI_METRIC`, `F0CI_ENVIRONMENT`, `F0CI_RELEASE`, `F0CI_WINDOW_START` and
`F0CI_WINDOW_END`. Unless `by_time: true` promises that it answers for that window, it is taken to know only
the present. JSON may also carry `unit`, `no_traffic`, `series` and `note`; any exit code but 0 means that the
command cannot tell.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from f0ci.analysis.aggregating import ratio
from f0ci.analysis.providers.base import Measurement, Query, asked_late
from f0ci.core.clock import format_time
from f0ci.core.duration import parse_duration
from f0ci.core.errors import CannotWork, ProviderError
from f0ci.core.redaction import Redactor

DEFAULT_TIMEOUT = "30s"
_MOST_BYTES = 1_000_000
# standard output goes to the file named by $0, so that what the command logs cannot pass for its answer
_SHELL = 'exec /bin/sh -c "$1" > "$0"'
_EXEC = 'exec "$@" > "$0"'


def measure(query: Query, root: Path) -> Measurement:
    """Run the command and return what it printed.

    Raises:
        ProviderError: the command cannot be started, takes too long, fails, or prints no measurement.
    """
    if query.settings.get("by_time") is not True:
        late = asked_late(query)
        if late is not None:
            return late
    return _read(_run(query, root), query.metric)


def _run(query: Query, root: Path) -> bytes:
    from f0ci.core.processes import BoundedOutput, reduced_environment, run_process

    run = query.settings.get("run")
    if not run or not isinstance(run, str | list):
        raise ProviderError(
            f"metric {query.metric!r} names no command", "add 'run': the command that prints the number"
        )
    try:
        timeout = parse_duration(str(query.settings.get("timeout", DEFAULT_TIMEOUT))).total_seconds()
    except (ValueError, OverflowError) as error:
        raise ProviderError(f"'timeout' of metric {query.metric!r}: {error}", "write one such as 30s") from error
    logged = BoundedOutput(4_000)
    environ = reduced_environment(os.environ) | {
        "F0CI_METRIC": query.metric,
        "F0CI_ENVIRONMENT": query.environment,
        "F0CI_RELEASE": query.release,
        "F0CI_WINDOW_START": format_time(query.start),
        "F0CI_WINDOW_END": format_time(query.end),
    }
    with tempfile.TemporaryDirectory(prefix="f0ci-metric-") as folder:
        answer = Path(folder) / "answer"
        words = [_SHELL, str(answer), run] if isinstance(run, str) else [_EXEC, str(answer), *map(str, run)]
        try:
            ended = run_process(["/bin/sh", "-c", *words], folder=root, environ=environ, output=logged, timeout=timeout)
        except CannotWork as error:
            raise ProviderError(error.message, error.hint) from error
        said = logged.text(Redactor()).strip().rpartition("\n")[2]
        if ended.timed_out:
            raise ProviderError(f"the command took longer than {timeout:g}s", "raise 'timeout', or make it faster")
        if ended.code != 0:
            because = f": {said}" if said else ""
            raise ProviderError(f"the command ended with exit code {ended.code}{because}", f"run it: {run}")
        with answer.open("rb") as stream:
            return stream.read(_MOST_BYTES + 1)


def _read(raw: bytes, metric: str) -> Measurement:
    text = raw.decode("utf-8", "replace").strip() if len(raw) <= _MOST_BYTES else ""
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    fields = said if isinstance(said, dict) else {"value": said}
    part = next((name for name in ("good", "bad") if name in fields), None)
    if part is not None and fields.keys() <= {part, "total", "note"}:
        counted, total = fields[part], fields.get("total")
        if _count(counted) and _count(total):
            return replace(ratio(_float(counted), _float(total), part), note=str(fields.get("note", "")))
    value = fields.get("value")
    samples, series = fields.get("samples", 1), fields.get("series", 1)
    unknown = fields.keys() - {"value", "samples", "series", "no_traffic", "note", "unit"}
    empty = isinstance(said, dict) and value is None
    if not (empty or isinstance(value, int | float)) or unknown or not _count(samples) or not _count(series):
        shown = text if len(text) <= 60 else text[:57] + "..."
        hint = 'print one number, true or false, {"value": 0.2, "samples": 1500} or {"bad": 3, "total": 1500}'
        raise ProviderError(f"the command of metric {metric!r} printed {shown!r}, which is no measurement", hint)
    return Measurement(
        value=None if empty else _float(value),
        samples=0 if empty else samples,
        unit=str(fields.get("unit", "")),
        series=series,
        no_traffic=fields.get("no_traffic") is True,
        note=str(fields.get("note", "")),
        unmatched=series == 0,
    )


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
