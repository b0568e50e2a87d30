from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.core.errors import InputError
from f0ci.render.toml import emit_toml

_keys = st.text(min_size=0, max_size=6).filter(lambda key: not any("\ud800" <= char <= "\udfff" for char in key))
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_scalars = (
    st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts
)
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3), max_leaves=10
)


@given(st.dictionaries(_keys, _values, max_size=4))
def test_what_is_written_reads_back(data: dict[str, Any]) -> None:
    assert tomllib.loads(emit_toml(data)) == data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"a": 1, "b": {"c": [1, 2]}, "d": True}, "a = 1\nd = true\n\n[b]\nc = [1, 2]"),
        ({"servers": [{"name": "one"}, {"name": "two"}]}, '[[servers]]\nname = "one"\n\n[[servers]]\nname = "two"'),
        ({"a b": {'q"': "x\ny"}}, '["a b"]\n"q\\"" = "x\\ny"'),
        ([1, {"a": "b"}], '[1, {a = "b"}]'),
        ({}, ""),
    ],
)
def test_emit(data: Any, text: str) -> None:
    assert emit_toml(data) == text


@pytest.mark.parametrize("data", [{"a": {"b": None}}, {"a": [1, None]}])
def test_null_is_refused_with_its_name(data: Any) -> None:
    with pytest.raises(InputError, match="null, for which TOML has no word"):
        emit_toml(data)
