"""Metrics from any service that answers with JSON over HTTP.

Settings: `url`, with the placeholders of `f0ci.analysis.placeholders`, each value encoded for a URL; the other settings
of `f0ci.analysis.services`; `value`, or `good` or `bad` with `total`, and `samples`: where a number stands in the
answer, as keys and list indexes between dots (`data.items.0.count`); `missing`, what it means that the answer lacks the
key; `by_time`, `grace`.

Unless `by_time: true` promises that the address asks for the window, the service is taken to know only the present.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from f0ci.analysis.aggregating import ratio, whole_count
from f0ci.analysis.placeholders import fill
from f0ci.analysis.providers.base import Measurement, Query, asked_late, nothing
from f0ci.analysis.services import address, open_service
from f0ci.core.errors import ProviderError
from f0ci.core.suggestions import did_you_mean
from f0ci.source.schema import type_name

RUNS_NOTHING = True

# keys of an answer among which a misspelt one is sought
_LISTED = 200
_MISSING = ("error", "no_data", "no_match")


class _Missing(ProviderError):
    """The answer has nothing where a number was sought."""


def measure(query: Query, root: Path) -> Measurement:
    """Ask the service and return what it answers.

    Raises:
        ProviderError: a setting is wrong, the service cannot be asked, or its answer lacks a number.
    """
    settings = query.settings
    count = next((key for key in ("good", "bad") if key in settings), None)
    if (count is None) is ("value" not in settings) or (count is None) is ("total" in settings):
        problem = f"metric {query.metric!r} does not say where its numbers stand"
        raise ProviderError(problem, "give 'value', or 'good' or 'bad' with 'total'")
    missing = settings.get("missing", "error")
    if missing not in _MISSING:
        raise ProviderError(f"'missing' of metric {query.metric!r} is {missing!r}", f"write {', '.join(_MISSING)}")
    if settings.get("by_time") is not True:
        late = asked_late(query)
        if late is not None:
            return late
    answer = _answer(query, root)
    try:
        return _measured(query, answer) if count is None else _counted(query, answer, count)
    except _Missing as error:
        if missing == "error":
            raise
        return nothing(error.message, unmatched=missing == "no_match")


def _answer(query: Query, root: Path) -> Any:
    from f0ci.http.session import get_json

    with open_service(query, root) as session:
        return get_json(session, address(query))


def _measured(query: Query, answer: Any) -> Measurement:
    value = _number(query, answer, "value")
    samples = 1.0
    if "samples" in query.settings:
        counted = _number(query, answer, "samples")
        samples = 0.0 if counted is None or math.isnan(counted) else counted
        if samples < 0 or math.isinf(samples):
            raise ProviderError(f"'samples' of metric {query.metric!r} is {samples:g}, which is no count", None)
        if counted == 0:
            return Measurement(None, 0, no_traffic=True)
    if value is None:
        return nothing(f"the answer holds nothing at {query.settings['value']!r}")
    return Measurement(value, whole_count(samples))


def _counted(query: Query, answer: Any, count: str) -> Measurement:
    part, total = _number(query, answer, count), _number(query, answer, "total")
    if total is None:
        return nothing(f"the answer holds nothing at {query.settings['total']!r}")
    return ratio(part, total, count)


def _number(query: Query, answer: Any, key: str) -> float | None:
    """Return the number at a path, or None where the answer leaves it open: null, or a list that ends before.

    Raises:
        ProviderError: the path leads nowhere, or to what is no number.
    """
    path = fill(str(query.settings[key]), query, str, key)
    found = _at(answer, path, key, listed=query.settings.get("missing") == "no_match")
    if found is None:
        return None
    # whether something was detected is an answer, how many times it was true is not
    if not (isinstance(found, int | float | str) and (key == "value" or not isinstance(found, bool))):
        raise ProviderError(f"{path!r} ({key!r}) is {type_name(found)}, not a number", "check the path")
    try:
        return float(found)
    except OverflowError:
        return math.inf
    except ValueError as error:
        raise ProviderError(f"{path!r} ({key!r}) is text that is not a number", "check the path") from error


def _at(answer: Any, path: str, key: str, *, listed: bool) -> Any:
    """Return what stands at a path; `listed` says that a list has an item for everything that there is."""
    from f0ci.http.answers import printable

    found = answer
    walked: list[str] = []
    for word in path.split("."):
        place = repr(".".join(walked)) if walked else "the top"
        if found is None:
            return None
        if isinstance(found, list):
            if not word.isdecimal():
                raise ProviderError(f"a list stands at {place}, which {key!r} enters by {word!r}", "write an index")
            if listed and int(word) >= len(found):
                raise _Missing(f"the list at {place} of the answer has no item {word} ({key!r})", None)
            found = found[int(word)] if int(word) < len(found) else None
        elif isinstance(found, Mapping):
            if word not in found:
                hint = did_you_mean(word, map(printable, islice(found, _LISTED)), noun="there are")
                raise _Missing(f"there is no {word!r} at {place} of the answer ({key!r})", hint)
            found = found[word]
        else:
            raise ProviderError(f"{type_name(found)} stands at {place}, where {key!r} goes on", "check the path")
        walked.append(word)
    return found
