from __future__ import annotations

from difflib import get_close_matches
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.core import suggestions
from f0ci.core.suggestions import closest, did_you_mean

NAMES = st.text(alphabet="abcd_", min_size=1, max_size=7)


@settings(deadline=None)
@given(NAMES, st.lists(NAMES, max_size=12, unique=True))
def test_the_closest_is_the_one_that_difflib_finds(name: str, known: list[str]) -> None:
    matches = get_close_matches(name, sorted(known), n=1, cutoff=0.6)

    assert closest(name, known) == next(iter(matches), None)


def test_case_does_not_matter() -> None:
    assert closest("STEPS", ["Steps", "other"]) == "Steps"


def test_nothing_is_guessed_where_the_allowance_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "allowance", [3])

    assert did_you_mean("stpes", ["steps", "other", "more"]) == "did you mean 'steps'?"
    assert did_you_mean("stpes", ["steps", "other", "more"]) is None


def test_the_allowance_is_without_end_by_itself() -> None:
    assert suggestions.allowance == [inf]
