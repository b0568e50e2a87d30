"""Metrics from f0ci's own runs of recipes: how many failed, and how long they took.

Settings: `journal` (file of the journal, `.f0ci/runs/journal.sqlite` by default) or `records` (a pattern of files, each
a run record as `f0ci run --format json` prints it); `recipe`, `step`; `measure` (`failed`, the share that failed or
errored, or `seconds`) with `aggregate`; `by_release`. Runs of the environment that ended within the window
count, deploy recipes of promotions only where `recipe` names them; what was skipped or cancelled counts for nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from f0ci.analysis.aggregating import aggregate
from f0ci.analysis.providers.base import Measurement, Query, nothing
from f0ci.core.errors import InputError, ProviderError
from f0ci.core.outcome import Outcome
from f0ci.recipes.records import RunRecord, StepRecord, from_json
from f0ci.source.tree import resolve_path

RUNS_NOTHING = True

DEFAULT_JOURNAL = ".f0ci/runs/journal.sqlite"
# what a run has in its variables that a promotion made
_PROMOTION = "F0CI_PROMOTION"
_BAD = frozenset({"failed", "errored"})
_COUNTED = _BAD | {"passed"}
_RUNS = "SELECT state, ended, seconds, recipe, environment, release, options FROM runs WHERE ended IS NOT NULL"
_STEPS = (
    "SELECT steps.outcome, steps.ended, steps.seconds, recipe, environment, release, options"
    " FROM steps JOIN runs USING (run) WHERE steps.ended IS NOT NULL AND steps.path = ?"
)


@dataclass(frozen=True, slots=True)
class _Ended:
    outcome: str
    ended: datetime
    seconds: float
    recipe: str
    environment: str | None
    release: str | None


def measure(query: Query, root: Path) -> Measurement:
    """Return what runs that ended in the window say.

    Raises:
        ProviderError: there is no journal or record, or it cannot be read; names the file.
    """
    settings = query.settings
    every = _records(query, root) if "records" in settings else _journal(query, root)
    known = [run for run in every if _belongs(run, query)]
    if not known:
        return nothing(f"no run that is known belongs to it in {query.environment!r}", unmatched=True)
    runs = [run for run in known if query.start <= run.ended <= query.end]
    if not runs:
        return nothing("no run ended in the window")
    if settings.get("measure", "failed") == "seconds":
        how = str(settings.get("aggregate", "mean"))
        ordered = sorted(runs, key=lambda run: run.ended)
        return Measurement(aggregate([run.seconds for run in ordered], how), len(runs), unit="s")
    failed = sum(run.outcome in _BAD for run in runs)
    return Measurement(failed / len(runs), len(runs), unit="ratio", hits=failed)


def _belongs(run: _Ended, query: Query) -> bool:
    settings = query.settings
    return (
        run.outcome in _COUNTED
        and run.environment == query.environment
        and ("recipe" not in settings or run.recipe == settings["recipe"])
        and (settings.get("by_release") is not True or run.release == query.release)
    )


def _journal(query: Query, root: Path) -> Iterator[_Ended]:
    path = _inside(str(query.settings.get("journal", DEFAULT_JOURNAL)), root)
    if not path.is_file():
        place = path.relative_to(root).as_posix()
        raise ProviderError(f"there is no journal {place!r}", "run a recipe first, or name 'records'", place=place)
    step = query.settings.get("step")
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(*((_RUNS,) if step is None else (_STEPS, (str(step),)))).fetchall()
    except sqlite3.Error as error:
        raise ProviderError(f"the journal cannot be read: {error}", "check 'journal'", place=path.name) from error
    for outcome, ended, seconds, recipe, environment, release, options in rows:
        if "recipe" not in query.settings and _PROMOTION in json.loads(options).get("variables", {}):
            continue
        yield _Ended(outcome, datetime.fromtimestamp(ended, UTC), seconds, recipe, environment, release)


def _records(query: Query, root: Path) -> Iterator[_Ended]:
    pattern = str(query.settings["records"])
    _inside(pattern, root)
    step = query.settings.get("step")
    files = sorted(path for path in root.glob(pattern) if path.is_file())
    if not files:
        raise ProviderError(f"no file is like {pattern!r}", "check 'records', and what writes them", place=pattern)
    for path in files:
        place = path.relative_to(root).as_posix()
        try:
            record = from_json(json.loads(path.read_bytes()), place)
        except (ValueError, OSError) as error:
            raise ProviderError(f"not a run record: {error}", "check 'records'", place=place) from error
        except InputError as error:
            raise ProviderError(error.message, error.hint, place=place) from error
        ended = _part(record, None if step is None else str(step))
        if ended is not None and ended.ended is not None:
            outcome = Outcome(ended.outcome)
            yield _Ended(str(outcome), ended.ended, ended.seconds, record.recipe, record.environment, record.release)


def _part(record: RunRecord, step: str | None) -> RunRecord | StepRecord | None:
    return record if step is None else record.step(step)


def _inside(written: str, root: Path) -> Path:
    if resolve_path(written) is None:
        raise ProviderError(f"{written!r} leaves the repository", "keep it inside", place=written)
    return root / written
