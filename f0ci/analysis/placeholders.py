"""Filling what is asked into queries and addresses: `{{ environment }}`, `{{ window }}` and others.

Placeholders are expressions, evaluated by the same sandbox as those of recipes. They see

    environment   workflow name of the environment
    release       digest of the release that is asked about, empty where nobody knows it
    canary        digest of the release that is judged; differs from `release` while the baseline is measured
    baseline      digest of the release that ran before, empty where none did
    start, end    the window's first and last moment, in seconds since 1970
    start_iso, end_iso    the same as 2026-11-21T09:30:00Z
    window        whole seconds between the two, at least 1

The value of each is escaped for the place where it stands, so that no name can become part of the question.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from f0ci.analysis.providers.base import Query
from f0ci.core.clock import format_time
from f0ci.core.errors import ProviderError
from f0ci.expressions.errors import ExpressionError


def fill(template: str, query: Query, escape: Callable[[str], str], setting: str) -> str:
    """Return a text with its placeholders filled.

    Args:
        template: as the settings write it.
        query: what is asked.
        escape: makes a value harmless where it stands.
        setting: name of the setting, for messages.

    Raises:
        ProviderError: a placeholder cannot be read, or has no value.
    """
    from f0ci.expressions.evaluation import evaluate
    from f0ci.expressions.filters import text_of
    from f0ci.expressions.parsing import parse

    scope = _scope(query)
    try:
        return "".join(
            part if isinstance(part, str) else escape(text_of(evaluate(template[part.start : part.end], scope)))
            for part in parse(template).segments
        )
    except ExpressionError as error:
        problem = f"{setting!r} of metric {query.metric!r}: {error.message}"
        raise ProviderError(problem, error.hint or f"placeholders: {', '.join(scope)}") from error


def window_seconds(query: Query) -> int:
    """Return how long the window is: whole seconds, at least 1, because no query can be about less."""
    return max(1, int((query.end - query.start).total_seconds()))


def _scope(query: Query) -> dict[str, Any]:
    return {
        "environment": query.environment,
        "release": query.release,
        "canary": query.canary or query.release,
        "baseline": query.baseline,
        "start": _seconds(query.start),
        "end": _seconds(query.end),
        "start_iso": format_time(query.start),
        "end_iso": format_time(query.end),
        "window": window_seconds(query),
    }


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
