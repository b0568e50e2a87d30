"""What is seen at a glance is never wrong; where it is not sure, the real judge is asked."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from f0ci.source.plainly import Judge
from f0ci.source.schema import NAMES, check_against, check_schema, load_schema

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
    {"secrets": [{"provider": "age", "file": "secrets/{environment}.age"}], "remote": "upstream"},
]
RECIPES: list[dict[str, Any]] = [
    {"metadata": {"name": "a", "version": "1"}, "steps": [{"name": "a", "run": "x"}]},
    {
        "metadata": {"name": "a"},
        "parameters": [{"name": "p", "type": "string", "required": True}],
        "steps": [
            {"name": "a", "type": "python", "module": "b.c", "function": "d", "idx": 1, "args": {"x": [1, None]}},
            {"name": "b", "recipe_path": "c.yaml", "depends_on": ["a"], "condition": "environment == 'prod'"},
        ],
    },
]
WORDS = ["version", "recipes", "rules", "secrets", "remote", "select", "severity", "paths", "provider", "file", "x"]
STEP_WORDS = ["name", "run", "type", "module", "depends_on", "idx", "args", "condition", "timeout", "outputs", "retry"]
SCALARS = st.sampled_from(
    [None, True, 1, 1.0, -1, 0, 2, 10**30, 1.5, float("nan"), "", "note", "age", "shell", "python"]
)


def plain_verdict(schema: dict[str, Any], data: Any) -> bool | None:
    return Judge(schema).verdict(data)


def nested(words: list[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(words), inner, max_size=4),
        max_leaves=8,
    )


@pytest.mark.parametrize("data", PLAIN)
def test_what_people_write_is_seen_at_a_glance(data: dict[str, Any]) -> None:
    assert plain_verdict(load_schema("project"), data) is True


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
    assert plain_verdict(load_schema("project"), data) is not True
    assert check_schema("project", data) != ()


@pytest.mark.parametrize("data", RECIPES)
def test_small_recipes_are_seen_at_a_glance(data: dict[str, Any]) -> None:
    assert plain_verdict(load_schema("recipe"), data) is True


def verdict_is_right(name: str, data: Any) -> None:
    verdict = plain_verdict(load_schema(name), data)
    assert verdict in {None, check_against(load_schema(name), data) == ()}


@given(data=st.dictionaries(st.sampled_from(WORDS), nested(WORDS), max_size=3))
def test_a_verdict_on_settings_is_the_real_one(data: dict[str, Any]) -> None:
    verdict_is_right("project", data)


@settings(max_examples=300)
@given(
    steps=st.lists(st.dictionaries(st.sampled_from(STEP_WORDS), nested(STEP_WORDS), max_size=5) | SCALARS, max_size=3),
    more=st.dictionaries(
        st.sampled_from(["metadata", "parameters", "x"]), nested(["name", "type", "default"]), max_size=2
    ),
)
def test_a_verdict_on_a_recipe_is_the_real_one(steps: list[Any], more: dict[str, Any]) -> None:
    verdict_is_right("recipe", {"steps": steps, **more})


@pytest.mark.parametrize(
    ("data", "verdict"),
    [({}, True), ({"b": 1, "x-a": 1}, True), ({"x-a": 1, "xa": 1}, False), ([], True), ({1: 1}, False)],
)
def test_keys_that_a_pattern_allows(data: Any, verdict: object) -> None:
    schema = {"properties": {"b": {}}, "patternProperties": {"^x-": True}, "additionalProperties": False}

    assert plain_verdict(schema, data) is verdict


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        ({"pattern": "a"}, "á"),
        ({"pattern": "a$"}, "a\n"),
        ({"pattern": "a"}, "a" * 201),
        ({"oneOf": [{"const": 1}]}, 1),
        ({"type": "string"}, b"a"),
        ({"additionalProperties": False, "patternProperties": {"a": {"type": "string"}}}, {"a": 1}),
        ({"additionalProperties": {"type": "string"}, "patternProperties": {"a": True}}, {"a": 1}),
        ({"additionalProperties": False, "patternProperties": {"a$": True}}, {"a\n": 1}),
        ({"minimum": 1}, float("nan")),
        ({"const": [1]}, [1]),
        ({"$ref": "https://example.com/other"}, 1),
    ],
)
def test_there_are_things_it_does_not_judge(schema: dict[str, Any], data: Any) -> None:
    assert plain_verdict(schema, data) is None


def test_much_is_left_to_the_real_judge() -> None:
    judge = Judge({"items": {"properties": {"a": {"type": "integer"}}}})
    judge.left = 5

    assert judge.verdict([{"a": 1}, {}]) is True
    assert judge.verdict([{"a": 1}, {}]) is None


def patterns_in(schema: Any) -> list[str]:
    below = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    own = schema.get("pattern") if isinstance(schema, dict) else None
    return [*([own] if isinstance(own, str) else ()), *(one for part in below for one in patterns_in(part))]


@pytest.mark.parametrize("name", NAMES)
def test_patterns_are_written_so_that_python_reads_them_alike(name: str) -> None:
    """Sets, alternatives, repetition, looking ahead; no properties, back references, inline flags or named groups."""
    for pattern in patterns_in(load_schema(name)):
        assert re.fullmatch(r"(?:\\[.sd{]|\[[^\[\]\\]+\]|\(\?[:!]|\((?!\?)|[^\\\[(])*", pattern), pattern


@pytest.mark.parametrize(
    ("schema", "fitting", "others"),
    [
        ({"const": 1}, [1, 1.0], [True, "1", None]),
        ({"const": True}, [True], [1, "true"]),
        ({"enum": ["a", None]}, ["a", None], ["b", False, 0]),
        ({"type": ["integer", "null"]}, [1, 2.0, None], [1.5, True, "1"]),
        ({"type": "number"}, [1, 1.5], [True, "1"]),
        ({"minLength": 2}, ["ab", 1, None], ["a"]),
        ({"minItems": 1, "items": {"type": "string"}}, [["a"], "x"], [[], [1]]),
        ({"minimum": 1, "exclusiveMinimum": 0}, [1, 2.5, "0", False], [0.5, 0]),
        ({"maximum": 2}, [2, "3"], [3]),
        ({"maxLength": 1}, ["a", [1, 2]], ["ab"]),
        ({"maxItems": 1}, [[1], "ab"], [[1, 2]]),
        ({"minProperties": 1, "maxProperties": 1}, [{"a": 1}, []], [{}, {"a": 1, "b": 2}]),
        ({"propertyNames": {"pattern": "^a"}}, [{"ab": 1}, ["b"]], [{"b": 1}]),
        ({"pattern": "^a.?$"}, ["ab", 1], ["b"]),
        ({"enum": [1, "a"]}, [1, 1.0, "a"], [True, "1", [1]]),
        ({"required": ["a"], "properties": {"a": True, "b": False}}, [{"a": 1}, 3], [{}, {"a": 1, "b": 2}]),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "null"}}, [{"a": 1, "b": None}], [{"b": 1}]),
        ({"not": {"type": "null"}}, [1], [None]),
        ({"anyOf": [{"const": 1}, {"const": 2}]}, [1, 2], [3]),
        ({"allOf": [{"type": "string"}, {"minLength": 1}]}, ["a"], ["", 1]),
        ({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"type": "null"}}, ["a", None], ["", 1]),
        ({"$defs": {"word": {"minLength": 1}}, "$ref": "#/$defs/word"}, ["a", 1], [""]),
    ],
)
def test_what_each_keyword_means(schema: dict[str, Any], fitting: list[Any], others: list[Any]) -> None:
    assert [plain_verdict(schema, data) for data in fitting] == [True] * len(fitting)
    assert [plain_verdict(schema, data) for data in others] == [False] * len(others)
    # and so says the real judge
    judge = Draft202012Validator(schema)
    assert [judge.is_valid(data) for data in (*fitting, *others)] == [True] * len(fitting) + [False] * len(others)
