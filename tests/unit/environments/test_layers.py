from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.core.errors import InputError, UsageError
from f0ci.environments.layers import dotted, leaves, overlay, read_dotted, read_layer
from f0ci.environments.setting import set_layers
from f0ci.source.document import parse_document

_keys = st.text("abc.\\", min_size=1, max_size=2)
_scalars = st.booleans() | st.integers() | st.text(max_size=3)
# what lies in one place is a mapping in every layer, or in none
_shape = st.dictionaries(_keys, st.none() | st.dictionaries(_keys, st.none(), max_size=3), max_size=3)


def _layer_of(shape: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    values = {key: _layer_of(inner) if isinstance(inner, dict) else _scalars for key, inner in shape.items()}
    return st.fixed_dictionaries({}, optional=values)


_three_layers = _shape.flatmap(lambda shape: st.tuples(*[_layer_of(shape)] * 3))
_any_layer = st.recursive(
    _scalars | st.none() | st.lists(_scalars, max_size=2), lambda inner: st.dictionaries(_keys, inner, max_size=3)
).filter(lambda value: isinstance(value, dict))


def merge(layers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what layers say together."""
    return reduce(overlay, layers, {})


@pytest.mark.parametrize(
    ("lower", "upper", "merged"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}, {"a": {"x": 1, "y": 3}}),
        ({"a": [1, 2, 3]}, {"a": [4]}, {"a": [4]}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": {"x": 1}}, {"a": {"x": None}}, {"a": {}}),
        ({}, {"a": None}, {}),
        ({}, {"a": {"x": None, "y": 1}}, {"a": {"y": 1}}),
        ({"a": 1}, {"a": {"x": 2}}, {"a": {"x": 2}}),
        ({"a": {"x": 1}}, {"a": 2}, {"a": 2}),
        ({"a": [{"x": None}]}, {}, {"a": [{"x": None}]}),
        ({"a": False}, {"a": 0}, {"a": 0}),
    ],
)
def test_overlay(lower: dict[str, Any], upper: dict[str, Any], merged: dict[str, Any]) -> None:
    before = repr((lower, upper))

    assert repr(overlay(lower, upper)) == repr(merged)
    assert repr((lower, upper)) == before


@given(_three_layers)
def test_merging_groups_as_you_like(layers: tuple[dict[str, Any], dict[str, Any], dict[str, Any]]) -> None:
    first, second, third = layers

    assert overlay(overlay(first, second), third) == overlay(first, overlay(second, third))
    assert merge(layers) == overlay(overlay(first, second), third)


@given(_any_layer, _any_layer)
def test_the_upper_layer_has_the_last_word(lower: dict[str, Any], upper: dict[str, Any]) -> None:
    merged = dict(leaves(merge([lower, upper])))

    for at, value in leaves(upper):
        if value is None:
            assert not any(path[: len(at)] == at for path in merged)
        elif value != {}:
            assert merged[at] == value
    assert None not in merged.values()


@given(_any_layer)
def test_a_layer_over_itself_changes_nothing(layer: dict[str, Any]) -> None:
    once = merge([layer])

    assert merge([layer, layer]) == once
    assert merge([once, {}]) == once


@given(st.lists(_keys, min_size=1).filter(lambda keys: not any(key.endswith("\\") for key in keys)))
def test_a_dotted_name_reads_back(keys: list[str]) -> None:
    plain = [key.replace("\\", "") or "a" for key in keys]

    assert read_dotted(dotted(tuple(plain))) == tuple(plain)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a=1", {"a": 1}),
        ("a.b=true", {"a": {"b": True}}),
        ("a.b=[x, 2]", {"a": {"b": ["x", 2]}}),
        ("a={x: 1}", {"a": {"x": 1}}),
        ("a=null", {"a": None}),
        ("a=", {"a": None}),
        ("a='1.10'", {"a": "1.10"}),
        ("a=x=y", {"a": "x=y"}),
        (r"a\.b.c=1", {"a.b": {"c": 1}}),
        ("new.deep.key=1", {"new": {"deep": {"key": 1}}}),
        ("a=2024-01-31", {"a": "2024-01-31"}),
        ("a=#{config.b}", {"a": "#{config.b}"}),
        ("a=secret://db/password", {"a": "secret://db/password"}),
    ],
)
def test_set(text: str, data: dict[str, Any]) -> None:
    (layer,) = set_layers([text], {"a": {"z": 0}})

    assert layer.data == data
    assert (layer.label, layer.document) == ("--set", None)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a"], "--set 'a' is not of the form a.b=value"),
        (["=1"], "--set '=1' is not of the form a.b=value"),
        (["a..b=1"], "--set 'a..b=1' is not of the form a.b=value"),
        (["a=[1"], "--set 'a': not valid YAML: the '[' that opens here is never closed"),
        (["a=.inf"], "--set 'a': the value '.inf' cannot be written as JSON"),
        (["list.0=1"], "--set 'list.0': 'list' is a list, not a mapping"),
        (["map.word.x=1"], "--set 'map.word.x': 'map.word' is text, not a mapping"),
        (["extends=dev"], "--set 'extends': 'extends' is no configuration"),
        (["$schema=x.json"], "--set '$schema': '$schema' is no configuration"),
        (["n=1", "n.x=1"], "--set 'n.x': 'n' is a whole number, not a mapping"),
    ],
)
def test_set_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        set_layers(texts, {"list": [1], "map": {"word": "w"}})

    assert raised.value.message.startswith(message)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("path", "text", "place", "message"),
    [
        ("c.yaml", "a: 1\nb: [x, .nan]\n", "c.yaml:2:8", "the value cannot be written as JSON"),
        ("c.yaml", "a: !!binary aGk=\n", "c.yaml:1:4", "not valid YAML: the tag 'tag:yaml.org,2002:binary'"),
        ("c.json", '{"a": {"b": "\\ud800"}}', "c.json:1:13", "an escape stands for half a character"),
        ("c.yaml", "- a\n", "c.yaml:1:1", '["a"] is a list, not a mapping'),
        (
            "c.yaml",
            "environment: {debug_enabled: 'yes'}\n",
            "c.yaml:1:30",
            "\"yes\" is not an allowed value of 'debug_enabled'",
        ),
        (
            "c.json",
            '{"processing": {"batch_size": 0}}',
            "c.json:1:31",
            "0 is less than the minimum of 1",
        ),
        ("c.yaml", "a: [1\n", "c.yaml:1:4", "not valid YAML"),
        ("c.yaml", "", "c.yaml:1:1", "the file is empty"),
    ],
)
def test_a_layer_is_refused(path: str, text: str, place: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        read_layer(parse_document(path, text.encode()), "environment")

    assert raised.value.place == place
    assert raised.value.message.startswith(message)


def test_a_layer_leaves_out_what_steers_loading() -> None:
    layer = read_layer(parse_document("c.yaml", b"$schema: x\nextends: dev\na: 1\nunknown: {b: 2}\n"), "environment")

    assert layer.data == {"a": 1, "unknown": {"b": 2}}
