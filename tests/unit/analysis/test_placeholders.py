from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from f0ci.analysis.placeholders import fill, window_seconds
from f0ci.analysis.providers.base import Query
from f0ci.core.errors import ProviderError

START = datetime(2026, 11, 21, 9, 0, 0, 400_000, tzinfo=UTC)
QUERY = Query("prod", "abc123", START, START + timedelta(minutes=10), START, metric="m")

FILLED = [
    ("", ""),
    ("up{env='prod'}", "up{env='prod'}"),
    ("{{ environment }}/{{environment}}/#{environment}", "prod/prod/prod"),
    ("{{ release[:4] }}", "abc1"),
    ("{{ window }}s of {{ window / 60 }}m", "600s of 10.0m"),
    ("{{ start }} to {{ end * 1000 }}", "1795251600 to 1795252200000"),
    ("{{ start_iso }} to {{ end_iso }}", "2026-11-21T09%3A00%3A00Z to 2026-11-21T09%3A10%3A00Z"),
    ("{{ 'production' if environment == 'prod' else environment }}", "production"),
    ("{{ 'a b/c' }} d/e", "a%20b%2Fc d/e"),
    ("{{ environment ~ '&' }}&", "prod%26&"),
]


@pytest.mark.parametrize(("template", "expected"), FILLED)
def test_values_are_escaped_and_the_rest_is_not(template: str, expected: str) -> None:
    assert fill(template, QUERY, lambda value: quote(value, safe=""), "url") == expected


REFUSED = [
    ("{{ environmnt }}", "'environmnt'", "did you mean 'environment'?"),
    ("a {{ params.x }}", "'params'", "end, end_iso, environment"),
    ("{{ environment.name }}", "environment", ""),
    ("{{ steps.a.outputs.b }}", "'steps'", "environment"),
    ("{{ window", "", "}}"),
    ("{{ 1 / 0 }}", "division by zero", "placeholders: environment, release, canary, baseline, start"),
]


@pytest.mark.parametrize(("template", "message", "hint"), REFUSED)
def test_what_is_no_placeholder_is_refused(template: str, message: str, hint: str) -> None:
    with pytest.raises(ProviderError) as caught:
        fill(template, QUERY, str, "query")

    assert caught.value.message.startswith("'query' of metric 'm': ")
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(("milliseconds", "seconds"), [(0, 1), (900, 1), (1999, 1), (2000, 2), (600_000, 600)])
def test_a_window_is_whole_seconds_and_never_none(milliseconds: int, seconds: int) -> None:
    query = Query("prod", "", START, START + timedelta(milliseconds=milliseconds), START)

    assert window_seconds(query) == seconds
