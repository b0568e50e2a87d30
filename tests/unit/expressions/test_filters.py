"""The filters of expressions."""

from __future__ import annotations

from typing import Any

import pytest

from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.evaluation import evaluate
from f0ci.expressions.syntax import FILTERS, TESTS

_SCOPE = {"rows": [{"n": 2, "k": "b"}, {"n": 1, "k": "A"}], "name": " Ann "}


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("-2.5 | abs", 2.5),
        ("missing | default", ""),
        ("missing | default([1])", [1]),
        ("[3, 4] | first", 3),
        ("'ab' | last", "b"),
        ("'2.5' | float", 2.5),
        ("'x' | float(0)", 0),
        ("'nan' | float(none)", None),
        ("true | float", 1.0),
        ("' 42 ' | int", 42),
        ("3.9 | int", 3),
        ("'x' | int(default=7)", 7),
        ("[1, 'a', true, null] | join(', ')", "1, a, true, null"),
        ("rows | join('-', attribute='k')", "b-A"),
        ("'abc' | join('.')", "a.b.c"),
        ("rows | length", 2),
        ("{'a': 1} | list", ["a"]),
        ("name | lower", " ann "),
        ("true | upper", "TRUE"),
        ("[3, 1, 2] | max", 3),
        ("rows | min(attribute='n')", {"n": 1, "k": "A"}),
        ("'a.b.c' | replace('.', '/')", "a/b/c"),
        ("'a.b.c' | replace('.', '/', 1)", "a/b.c"),
        ("'aa' | replace('', '-')", "-a-a-"),
        ("2.567 | round(2)", 2.57),
        ("2.567 | round(precision=1, method='floor')", 2.5),
        ("[3, 1, 2] | sort", [1, 2, 3]),
        ("['b', 'A', 'c'] | sort(reverse=true)", ["c", "b", "A"]),
        ("['b', 'A'] | sort(case_sensitive=true)", ["A", "b"]),
        ("rows | sort(attribute='n') | first", {"n": 1, "k": "A"}),
        ("{'b': [1], 'a': null} | string", '{"a":null,"b":[1]}'),
        ("'x' | string", "x"),
        ("{'b': [1, 2.0], 'a': null} | tojson", '{"a":null,"b":[1,2.0]}'),
        ("'<&>' | tojson", '"<&>"'),
        ("name | trim", "Ann"),
        ("'--a--' | trim('-')", "a"),
        ("[1, 2, 1] | unique", [1, 2]),
        ("[1, 2, 1] | unique | length", 2),
        ("-1 | abs", 1),
        ("'a' ~ 'B' | lower", "ab"),
    ],
)
def test_a_filter_has_a_value(code: str, value: Any) -> None:
    found = evaluate(f"#{{{code}}}", _SCOPE)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("'x' | int", "text is no whole number"),
        ("null | int", "null is no whole number"),
        ("'inf' | float", "text is no number"),
        ("[] | float", "a list is no number"),
        ("3 | join", "cannot join a whole number"),
        ("'3' | round", "cannot round text"),
        ("3 | round(99)", "cannot round a whole number"),
    ],
)
def test_a_filter_refuses_what_it_cannot_do(code: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(f"#{{{code}}}", _SCOPE)

    assert caught.value.message == message


def test_text_that_json_cannot_write_is_refused() -> None:
    for value in (float("nan"), [{1, 2}], 10**5000):
        with pytest.raises(ExpressionError, match="JSON has no word for"):
            evaluate("x #{value}", {"value": value})


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_every_filter_can_be_used(name: str) -> None:
    try:
        evaluate(f"#{{'1' | {name}}}", {})
    except ExpressionError as error:
        assert "missing" in error.message or "cannot round" in error.message or "bad operand" in error.message  # noqa: PT017


@pytest.mark.parametrize("name", sorted(TESTS))
def test_every_test_can_be_used(name: str) -> None:
    assert isinstance(evaluate(f"#{{1 is {name}}}", {}), bool)
