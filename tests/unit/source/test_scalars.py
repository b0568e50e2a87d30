"""What plain words mean is what PyYAML's safe loader makes of them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.source.scalars import UNUSUAL, YAML_1_1_ONLY, Unfit, meaningful_starts, plain_value, usual_value

# pieces of numbers, dates, words and what looks like them
_SIGNS = [
    *"0123456789",
    *"+-._:~=<!&* eExXbT%/",
    "0x",
    "0b",
    "1e",
    ".inf",
    ".nan",
    ".NaN",
    ".Inf",
    "true",
    "yes",
    "Off",
]
_SIGNS += ["null", "NULL", "2024-01-02", "T10:11:12", "Z", "1.2", "10", "ab", "_", "<<", "é", "\n"]
_PIECES = st.lists(st.sampled_from(_SIGNS), max_size=6).map("".join)
_WORDS = [
    "",
    "~",
    "=",
    "<<",
    "<",
    "!",
    "&",
    "*",
    "yes",
    "Yes",
    "YES",
    "y",
    "n",
    "no",
    "on",
    "off",
    "true",
    "TRUE",
    "tRue",
]
_WORDS += [
    "null",
    "Null",
    "nULL",
    "1",
    "01",
    "0",
    "08",
    "+1",
    "-0",
    "1_0",
    "1:30",
    "1:30.5",
    "0x1F",
    "0b1",
    "0o7",
    ".5",
]
_WORDS += [
    ".inf",
    "-.inf",
    ".nan",
    "-.nan",
    "1.",
    "1.e+3",
    "1e3",
    "1.5e3",
    "1.5e+3",
    "5m",
    "1.2.3",
    "1.2.3:4",
    "1.5",
    "95%",
]
_WORDS += [
    "2024-01-02",
    "007-bond",
    "00ab",
    "0x",
    "0b2",
    "0xg",
    "12-3",
    "-1a",
    "2024-1-2T1:2:3Z",
    "2024-01-02 10:11:12.5 +01:00",
    "./bin",
    "-v",
    "--flag",
    "9" * 17,
    "1.50",
]


def meant(text: str) -> Any:
    """Return what PyYAML makes of a plain scalar; dates are texts here."""
    for tag, pattern in yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], ()):
        if pattern.match(text):
            if tag in {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value", "tag:yaml.org,2002:merge"}:
                return text
            return yaml.SafeLoader("").construct_object(yaml.ScalarNode(tag, text))
    return text


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and (one == other or (one != one and other != other))  # noqa: PLR0124 - nan


@settings(max_examples=1000)
@given(_PIECES | st.text(max_size=8))
def test_a_word_means_what_pyyaml_says(text: str) -> None:
    agrees(text)


@pytest.mark.parametrize("text", _WORDS)
def test_known_words(text: str) -> None:
    agrees(text)


def agrees(text: str) -> None:
    # a plain scalar neither begins nor ends with a break, and does not begin with a mark of YAML
    text = text.strip().lstrip("!&*")
    try:
        right = meant(text)
    except (ValueError, LookupError, OverflowError):
        assert usual_value(text) is UNUSUAL
        with pytest.raises(Unfit):
            plain_value(text)
        return
    assert same(plain_value(text), right)
    value = usual_value(text)
    if value is UNUSUAL:
        assert text == "<<" or YAML_1_1_ONLY.match(text)
    else:
        assert same(value, right)
    if not isinstance(right, str):
        assert text[:1] in meaningful_starts()


def test_the_starts_are_those_of_pyyaml() -> None:
    known = {start[:1] for start in yaml.SafeLoader.yaml_implicit_resolvers if start is not None}

    assert meaningful_starts() == known
