"""JSON Schema: messages that point at the key or value at fault."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.source.schema import (
    NAMES,
    SchemaProblem,
    check_against,
    check_schema,
    load_schema,
    type_name,
)


@pytest.mark.parametrize(
    ("schema", "data", "problems"),
    [
        ({"type": "object"}, {}, []),
        ({"type": "string"}, 3, [("wrong-type", (), False, "3 is a whole number, not text", None)]),
        (
            {"properties": {"a": {"type": ["string", "null"]}}},
            {"a": [1]},
            [("wrong-type", ("a",), False, "'a' is a list, not text or null", None)],
        ),
        (
            {"properties": {"steps": {}, "name": {}}, "additionalProperties": False},
            {"stpes": 1, "name": 2, "zzz": 3},
            [
                ("unknown-key", ("stpes",), True, "unknown key 'stpes'", "did you mean 'steps'?", "steps"),
                ("unknown-key", ("zzz",), True, "unknown key 'zzz'", "known keys: name, steps"),
            ],
        ),
        (
            {"patternProperties": {"^x-": {}}, "additionalProperties": False},
            {"x-a": 1, "y": 2},
            [("unknown-key", ("y",), True, "unknown key 'y'", None)],
        ),
        (
            {"items": {"required": ["a", "b"]}},
            [{"a": 1}, {}],
            [
                ("missing-key", (0,), False, "the key 'b' is missing", "add 'b' here"),
                ("missing-key", (1,), False, "the key 'a' is missing", "add 'a' here"),
                ("missing-key", (1,), False, "the key 'b' is missing", "add 'b' here"),
            ],
        ),
        (
            {"properties": {"m": {"enum": ["rolling", "canary"]}}},
            {"m": "rollin"},
            [("bad-value", ("m",), False, "\"rollin\" is not an allowed value of 'm'", "did you mean 'rolling'?")],
        ),
        ({"const": 1}, 2, [("bad-value", (), False, "2 is not an allowed value", "allowed: 1")]),
        (
            {"pattern": "^a", "description": "begins with a"},
            "b",
            [("bad-value", (), False, '"b" is not an allowed value', "begins with a")],
        ),
        ({"minimum": 3}, 2, [("bad-value", (), False, "2 is less than the minimum of 3", None)]),
        (
            {"anyOf": [{"type": "string"}, {"type": "array"}]},
            3,
            [("wrong-type", (), False, "3 is a whole number, not text or a list", None)],
        ),
        (
            {"oneOf": [{"type": "string"}, {"type": "object", "required": ["name"]}]},
            {},
            [("missing-key", (), False, "the key 'name' is missing", "add 'name' here")],
        ),
        (
            {"if": {"required": ["a"]}, "then": {"required": ["b"]}},
            {"a": 1},
            [("missing-key", (), False, "the key 'b' is missing", "add 'b' here")],
        ),
        (
            {"$defs": {"s": {"type": "string"}}, "items": {"$ref": "#/$defs/s"}},
            ["a", None],
            [("wrong-type", (1,), False, "null is null, not text", None)],
        ),
    ],
)
def test_a_problem_points_at_what_is_wrong(schema: dict[str, Any], data: Any, problems: list[tuple[Any, ...]]) -> None:
    assert check_against(schema, data) == tuple(SchemaProblem(*problem) for problem in problems)


def test_long_values_are_shown_in_part() -> None:
    (problem,) = check_against({"type": "object"}, "x" * 1000)

    assert len(problem.message) < 120


@pytest.mark.parametrize("name", NAMES)
def test_the_published_schemas_are_schemas(name: str) -> None:
    from jsonschema.validators import Draft202012Validator

    schema = load_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"https://framework0.io/schemas/f0ci/{name}.schema.json"
    assert schema["title"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(["project", "run-record", "recipe"]),
    st.dictionaries(st.sampled_from(["steps", "recipes", "metadata", "name", "run", "rules", "version", "x"]), _JSON),
)
def test_the_fast_gate_and_the_explainer_agree(name: str, data: Any) -> None:
    import jsonschema_rs

    explained = check_against(load_schema(name), data)
    try:
        fits = jsonschema_rs.validator_for(load_schema(name)).is_valid(data)
    except (ValueError, TypeError, OverflowError):
        return
    assert fits == (not explained)
    assert check_schema(name, data) == explained


def test_nothing_is_fetched_from_the_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Exception, match="Unresolvable"):
            check_against({"$ref": f"http://127.0.0.1:{port}/schema"}, 1)
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "true or false"),
        (1, "a whole number"),
        (1.0, "a number"),
        ("", "text"),
        ([], "a list"),
        ({}, "a mapping"),
        (b"", "bytes"),
    ],
)
def test_types_have_names_that_people_use(value: Any, name: str) -> None:
    assert type_name(value) == name


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        (r"^[a-z]+-\d{2}$", "team-07", True),
        (r"^[a-z]+-\d{2}$", "team-7", False),
        # ways to match that double with each letter
        (r"^(a+)+$", "a" * 5000 + "!", False),
        (r"^(\w+\s?)*$", "word " * 2000 + "!", False),
        (r"^(a|aa)+(?=c)$", "a" * 60 + "!", False),
        # the end, as only Python spells it; behind a backslash it is a letter
        (r"^a\Z", "a", True),
        (r"^a\Z", "a\n", False),
        (r"^(?P<all>(a+)+)\Z", "a" * 60 + "!", False),
        (r"^\\Z$", "\\Z", True),
        # a brace is a letter to Python
        (r"^{[a-z]+}$", "{ab}", True),
        # ECMA-262 has no such group
        (r"^(?P<year>\d{4})(?P=year)$", "20262026", True),
        (r"^(?P<year>\d{4})(?P=year)$", "20262025", False),
    ],
)
def test_patterns_of_others_are_matched_in_time(pattern: str, text: str, fits: bool) -> None:
    began = time.process_time()

    assert (check_against({"pattern": pattern}, text) == ()) is fits
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        ({"patternProperties": {"^(a+)+$": False}}, {"a" * 60 + "!": 1}),
        ({"properties": {"b": {}}, "additionalProperties": {"type": "integer"}}, {"b": "x", "c": 1}),
    ],
)
def test_names_of_others_are_matched_in_time(schema: dict[str, Any], data: Any) -> None:
    assert check_against(schema, data) == ()


def test_keys_that_no_pattern_allows_are_unknown() -> None:
    schema = {"patternProperties": {"^(a+)+$": {"type": "integer"}}, "additionalProperties": False}

    assert [(one.rule, one.path) for one in check_against(schema, {"aa": "x", "a" * 60 + "!": 1})] == [
        ("wrong-type", ("aa",)),
        ("unknown-key", ("a" * 60 + "!",)),
    ]
    others = {"additionalProperties": {"type": "integer"}}
    assert [one.path for one in check_against(others, {"a": "x"})] == [("a",)]


@pytest.mark.parametrize("pattern", [r"^(?>a+)+b$", r"(?P<x>a*)(?P=x)a*b*", "a" * 10_001])
def test_a_pattern_that_may_take_for_ever_is_refused(pattern: str) -> None:
    """Only Python can read it, and Python tries every way; nothing is said to fit."""
    with pytest.raises(ValueError, match=r"may take for ever|more than 10,000 letters"):
        check_against({"pattern": pattern}, "a" * 30)


def test_a_pattern_says_nothing_of_what_is_no_text() -> None:
    assert check_against({"pattern": "^a"}, 7) == ()
