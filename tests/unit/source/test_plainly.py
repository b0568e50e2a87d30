"""What is seen at a glance is never wrong; where it is not sure, the real judge is asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.source.plainly import plainly_fits
from f0ci.source.schema import check_schema, load_schema

PLAIN: list[dict[str, Any]] = [
    {},
    {"version": 1},
    {
        "version": 1,
        "recipes": ["recipes"],
        "environments": "environments",
        "workflow": "w.yaml",
        "code": ["scriptlets"],
    },
    {"rules": {"select": ["a"], "severity": {"b": "note"}, "paths": {"legacy/**": {"ignore": ["c"]}}}},
    {"remote": "upstream", "code": []},
]
WORDS = ["version", "recipes", "rules", "secrets", "remote", "select", "severity", "paths", "provider", "file", "x"]
VALUES = st.recursive(
    st.sampled_from([None, True, 1, 1.0, 2, "", "note", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("data", PLAIN)
def test_what_people_write_is_seen_at_a_glance(data: dict[str, Any]) -> None:
    assert plainly_fits(load_schema("project"), data)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"version": 2},
        {"version": True},
        {"unknown": 1},
        {"recipes": "recipes"},
        {"recipes": [1]},
        {"remote": ""},
        {"secrets": []},
        {"secrets": [{}]},
        {"rules": {"severity": {"a": "loud"}}},
        {"branch_prefix": "-"},
    ],
)
def test_what_does_not_fit_is_not(data: Any) -> None:
    assert not plainly_fits(load_schema("project"), data)
    assert check_schema("project", data) != ()


@given(data=st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=3))
def test_what_is_seen_to_fit_fits(data: dict[str, Any]) -> None:
    assert not plainly_fits(load_schema("project"), data) or check_schema("project", data) == ()
