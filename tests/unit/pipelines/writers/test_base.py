"""The YAML that writers write: it says what was meant, to readers of old and of new YAML."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from f0ci.pipelines.writers.base import Bare, Remarked, dump, label


class NewYaml(yaml.SafeLoader):
    """Reads plain scalars by the core schema of YAML 1.2.2, chapter 10.3.2, as GitHub does."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - as in the class above it


for tag, pattern in (
    ("null", r"null|Null|NULL|~|"),
    ("bool", r"true|True|TRUE|false|False|FALSE"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
):
    NewYaml.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})\\Z"), None)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
DATA = st.recursive(
    st.one_of(TEXTS, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@example({"": ["\n"], "0": None})
@given(st.dictionaries(TEXTS, DATA, min_size=1, max_size=4))
def test_what_is_written_is_what_is_read(data: dict[str, Any]) -> None:
    text = dump(data)

    assert yaml.safe_load(text) == data
    assert yaml.load(text, NewYaml) == data  # noqa: S506 - a safe loader


@settings(deadline=None, max_examples=200)
@example({"a": {"x": "y\n\n"}, "b": {}})
@given(st.dictionaries(TEXTS, st.dictionaries(TEXTS, DATA, max_size=3), min_size=1, max_size=4))
def test_entries_that_are_set_apart_keep_their_content(entries: dict[str, Any]) -> None:
    text = dump({"name": "x", "jobs": entries}, spaced="jobs")

    assert yaml.safe_load(text) == {"name": "x", "jobs": entries}


@pytest.mark.parametrize(
    "text",
    ["on", "yes", "no", "~", "1e3", "0o17", "017", "1_000", "1.10", ".5", "0x1F", "12:30", "2026-11-21", "<<", "="],
)
def test_a_text_that_looks_like_something_else_is_quoted(text: str) -> None:
    assert dump({"a": text}) == f"a: '{text}'\n"


def test_on_stays_a_plain_key() -> None:
    assert dump({Bare("on"): {"push": None}}) == "on:\n  push:\n"


def test_a_remark_stands_beside_its_text_and_nowhere_else() -> None:
    uses = "owner/name@commit"
    data = {"uses": Remarked(uses, "v1"), "run": f"uses: {uses}\npermissions:\n", "list": [Remarked("a b", "why")]}

    text = dump(data)

    assert text.splitlines() == [
        f"uses: {uses}  # v1",
        "run: |",
        f"  uses: {uses}",
        "  permissions:",
        "list:",
        "  - a b  # why",
    ]
    assert yaml.safe_load(text) == data


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("unit tests", "unit tests"),
        ("a\nb\t c", "a b c"),
        ("\x1b[31mred", "[31mred"),
        ("x" * 300, "x" * 97 + "..."),
        ("größe", "größe"),
    ],
)
def test_a_label_is_one_short_line(text: str, shown: str) -> None:
    assert label(text) == shown
