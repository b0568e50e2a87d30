"""What a caller gives, and what a recipe's expressions see."""

from __future__ import annotations

from typing import Any

import pytest

from f0ci.core.errors import InputError, UsageError
from f0ci.recipes.model import Recipe
from f0ci.recipes.parameters import bind_parameters, check_parameters, read_texts, used_parameters
from f0ci.recipes.reading import recipe_from
from f0ci.source.document import parse_document

_TEMPLATE = r"""
name: fetch
version: "1.0"
parameters:
  url:
    type: string
    description: where to fetch from
    required: true
    validation: {pattern: "^https?://\\w+$", error_message: must be an address}
  method: {type: string, required: true, default: GET, validation: {enum: [GET, POST]}}
  tries: {type: integer, default: 3, validation: {minimum: 1, maximum: 9}}
  ratio: {type: number}
  body: {type: [object, string, "null"], default: null}
  auth:
    type: object
    default: {type: none}
    validation:
      schema: {type: object, properties: {type: {enum: [none, bearer]}, token: {type: string}}, required: [type]}
  tags: {type: array, default: [], validation: {max_items: 2, unique_items: true}}
  flag: {type: boolean, default: false}
  odd: {type: secret-ish, default: 1}
  anything: {}
steps:
  - {name: get, scriptlet: core.http, function: get, parameters: {u: "{{ url }}"}}
"""


def _recipe(text: str, path: str = "recipes/r.yaml") -> Recipe:
    return recipe_from(parse_document(path, text.encode()))


_FETCH = _recipe(_TEMPLATE)
_URL = {"url": "https://a"}


def test_what_is_not_given_takes_its_default_or_null() -> None:
    assert bind_parameters(_FETCH, _URL) == {
        "url": "https://a",
        "method": "GET",
        "tries": 3,
        "ratio": None,
        "body": None,
        "auth": {"type": "none"},
        "tags": [],
        "flag": False,
        "odd": 1,
        "anything": None,
    }
    assert next(iter(bind_parameters(_FETCH, {"ratio": 1, **_URL}))) == "url"


def test_a_default_belongs_to_one_call() -> None:
    bind_parameters(_FETCH, _URL)["tags"].append("x")

    assert bind_parameters(_FETCH, _URL)["tags"] == []


@pytest.mark.parametrize(
    "given",
    [
        {"method": "POST", "tries": 9, "ratio": 2, "flag": True},
        {"ratio": 0.5, "body": {"a": 1}},
        {"body": "text", "tags": ["a", "b"]},
        {"body": None, "auth": {"type": "bearer", "token": "t"}},
        {"odd": object, "anything": [1]},
        {"ratio": None, "anything": None},
    ],
)
def test_what_fits_is_bound(given: dict[str, Any]) -> None:
    assert {name: bind_parameters(_FETCH, _URL | given)[name] for name in given} == given


@pytest.mark.parametrize(
    ("given", "kind", "message", "hint"),
    [
        ({}, "missing", "'recipes/r.yaml' needs the parameter 'url'", "give a value: where to fetch from; text"),
        ({"url": None}, "missing", "the parameter 'url' is null", "give a value: where to fetch from; text"),
        (
            {"url": 5},
            "type",
            "the parameter 'url' is a whole number, not text",
            "give a value: where to fetch from; text",
        ),
        ({"url": "ftp://x"}, "validation", "parameter 'url': must be an address", r"it must match '^https?://\\w+$'"),
        (_URL | {"method": "PUT"}, "validation", "parameter 'method': the value is not allowed", "allowed: GET, POST"),
        (_URL | {"method": None}, "type", "the parameter 'method' is null, not text", "give a value: text"),
        (_URL | {"tries": True}, "type", "the parameter 'tries' is true or false, not a whole number", None),
        (_URL | {"tries": "3"}, "type", "the parameter 'tries' is text, not a whole number", None),
        (_URL | {"tries": 10}, "validation", "parameter 'tries': the value is not allowed", None),
        (_URL | {"ratio": "1"}, "type", "the parameter 'ratio' is text, not a number", None),
        (_URL | {"body": [1]}, "type", "the parameter 'body' is a list, not a mapping or text or null", None),
        (_URL | {"auth": {"type": "x"}}, "validation", "parameter 'auth': the value at 'type' is not allowed", None),
        (_URL | {"auth": {}}, "validation", "parameter 'auth': the value lacks a key", "add 'type' here"),
        (_URL | {"tags": ["a", "b", "c"]}, "validation", "parameter 'tags': the value is not allowed", None),
        (_URL | {"tags": ["a", "a"]}, "validation", "parameter 'tags': the value is not allowed", None),
        (_URL | {"flag": "true"}, "type", "the parameter 'flag' is text, not true or false", None),
        (_URL | {"metod": "GET"}, "unknown", "'recipes/r.yaml' has no parameter 'metod'", "did you mean 'method'?"),
        (_URL | {"zzz": 1}, "unknown", "'recipes/r.yaml' has no parameter 'zzz'", None),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], kind: str, message: str, hint: str | None) -> None:
    (problem,) = check_parameters(_FETCH, given)
    assert (problem.kind, problem.message) == (kind, message)
    if hint:
        assert problem.hint == hint

    with pytest.raises(InputError) as caught:
        bind_parameters(_FETCH, given)
    assert (caught.value.message, caught.value.hint) == (problem.message, problem.hint)
    assert (caught.value.place or "").startswith("recipes/r.yaml")


def test_messages_never_hold_the_value() -> None:
    for given in ({"url": "hunter2"}, _URL | {"auth": {"type": "hunter2"}}, _URL | {"tries": "hunter2"}):
        (problem,) = check_parameters(_FETCH, given)
        assert "hunter2" not in f"{problem.message} {problem.hint}"


@pytest.mark.parametrize(
    "validation",
    ["{pattern: '['}", "{schema: {type: nonsense}}", "{schema: {$ref: 'http://127.0.0.1:9/x'}}", "{minimum: x}"],
)
def test_a_validation_that_cannot_be_used_is_a_refusal(validation: str) -> None:
    recipe = _recipe(f"name: r\nparameters: {{a: {{validation: {validation}}}}}\nsteps: []\n")

    (problem,) = check_parameters(recipe, {"a": "x"} if "minimum" not in validation else {"a": 1})
    assert problem.message.startswith("the validation of parameter 'a' cannot be used: ")


def test_undeclared_names_are_unknown_only_where_declarations_mean_something() -> None:
    undeclared = _recipe("metadata: {name: r}\nsteps: []\n")
    used = _recipe(
        "parameters: [{name: a}]\nsteps: [{name: s, args: {x: '#{params.b}', y: ['{{ c.d }}', '#{bad bad']}}]\n"
    )

    assert bind_parameters(undeclared, {"a": 1}) == {"a": 1}
    assert bind_parameters(used, {"b": 1, "c": 2}) == {"a": None, "b": 1, "c": 2}
    assert used_parameters(used) == {"b", "c"}
    with pytest.raises(InputError, match="has no parameter 'd'"):
        bind_parameters(used, {"d": 1})


def test_values_that_are_not_evaluated_yet_are_not_judged() -> None:
    given = {"url": "#{params.url}", "tries": "{{ n }}", "auth": {"type": "#{context.get('t')}"}, "nope": "#{x}"}

    assert [problem.kind for problem in check_parameters(_FETCH, given, unevaluated=True)] == ["unknown"]
    assert len(check_parameters(_FETCH, given)) == 4


def test_declarations_of_all_three_kinds_count_and_the_first_wins() -> None:
    recipe = _recipe(
        "metadata: {name: r, template_parameters: [{name: a, default: 2}, {name: b, required: true}]}\n"
        "parameters: [{name: a, default: 1}, {name: c, required: true, default: 3}]\nsteps: []\n"
    )

    assert bind_parameters(recipe, {"b": 0}) == {"a": 1, "c": 3, "b": 0}


def test_texts_are_read_by_their_declared_type() -> None:
    given = {
        "url": "1.10",
        "tries": "4",
        "body": "7",
        "tags": "[a, 1]",
        "flag": "true",
        "ratio": "0.5",
        "anything": "x: 1",
    }
    assert read_texts(_FETCH, given) == {
        "url": "1.10",
        "tries": 4,
        "body": "7",
        "tags": ["a", 1],
        "flag": True,
        "ratio": 0.5,
        "anything": {"x": 1},
    }
    assert read_texts(_FETCH, {"body": "{a: 1}", "undeclared": "dev", "anything": ""}) == {
        "body": {"a": 1},
        "undeclared": "dev",
        "anything": "",
    }
    with pytest.raises(UsageError, match="parameter 'tries': not valid YAML"):
        read_texts(_FETCH, {"tries": "[1"})
