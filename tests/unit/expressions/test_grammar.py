"""The grammar is Jinja's: whatever both can read means the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined, UndefinedError
from jinja2.exceptions import TemplateError, TemplateSyntaxError

from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.evaluation import evaluate

_SCOPE: dict[str, Any] = {
    "a": 3,
    "b": -2,
    "t": True,
    "n": None,
    "s": "xY",
    "l": [1, 2, 3],
    "m": {"k": {"j": 5}, "s": "z"},
}
_JINJA = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - nothing becomes HTML here

_ATOMS = st.sampled_from(
    ["1", "2", "7", "0.5", "a", "b", "t", "n", "s", "l", "m.k.j", "m['s']", "l[1]", "'q'", "true", "None", "m"]
)
_OPERATORS = st.sampled_from(
    ["+", "-", "*", "//", "%", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "~"]
)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, _OPERATORS, inner).map(" ".join),
        st.tuples(inner, _OPERATORS, inner, _OPERATORS, inner).map(" ".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"not {text}"),
        inner.map(lambda text: f"-{text}"),
        inner.map(lambda text: f"[{text}, 1]"),
        # in brackets, because Jinja takes a word after the test's name for its argument
        inner.map(lambda text: f"({text} is none)"),
        inner.map(lambda text: f"({text} is not string)"),
        inner.map(lambda text: f"{text} | abs"),
        inner.map(lambda text: f"({text}) | default(4)"),
        st.tuples(inner, inner, inner).map(lambda texts: f"{texts[0]} if {texts[1]} else {texts[2]}"),
    )


def _jinja(code: str) -> Any:
    try:
        value = _JINJA.compile_expression(code, undefined_to_none=False)(**_SCOPE)
        repr(value)
    except (TemplateError, UndefinedError, TypeError, ValueError, ArithmeticError) as error:
        return error
    return value


@settings(deadline=None, max_examples=300)
@given(st.recursive(_ATOMS, _compound, max_leaves=8))
def test_whatever_both_can_evaluate_means_the_same(code: str) -> None:
    expected = _jinja(code)
    try:
        found = evaluate(f"#{{ {code} }}", _SCOPE)
    except ExpressionError as error:
        # arithmetic is stricter here: no texts or truth values in it
        stricter = "cannot calculate" in error.message or "too large" in error.message
        assert stricter or isinstance(expected, Exception), (code, error.message)  # noqa: PT017
        return
    if "~" in code:
        # text of what is not text is JSON's here and Python's there
        return
    if isinstance(expected, TemplateSyntaxError):
        # a chain of tests, which Jinja refuses
        return
    assert not isinstance(expected, Exception), code
    assert found == (list(expected) if isinstance(expected, tuple) else expected), code
    assert type(found) is type(expected), code


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1 + 2 | abs", 3),
        ("-3 | abs", 3),
        ("not a == 3", False),
        ("not n is none", False),
        ("a == 3 and b == 1 or t", True),
        ("2 * a ~ 1 + 1", None),
        ("s ~ a * 2", "xY6"),
        ("1 < 2 < 3 == 3", True),
        ("t ? 1 : 2 if false else 3", 1),
        ("(t ? 1 : 2) + 1", 2),
        ("t ? 1 : 2 + 1", 1),
        ("false ? 1 : true ? 2 : 3", 2),
        ("t and n ? 1 : 2", 2),
        ("[t ? 1 : 2, 3][0]", 1),
        ("{'k': t ? 1 : 2}.k", 1),
        ("l[t ? 0 : 1]", 1),
        ("l[t ? 0 : 1:t ? 2 : 3]", [1, 2]),
        ("l[:][:2][1:]", [2]),
        ("m . k\n.j", 5),
        ("l.0 + l.1", 3),
        ("[[1, 2], [3]].0.1", 2),
        ("{}", {}),
        ("{'a': 1,}", {"a": 1}),
        ("[1, 2,]", [1, 2]),
        ("\"a'b\" ~ '\"'", "a'b\""),
    ],
)
def test_precedence(code: str, value: Any) -> None:
    if value is None:
        with pytest.raises(ExpressionError, match="cannot calculate"):
            evaluate(f"#{{{code}}}", _SCOPE)
        return
    assert evaluate(f"#{{{code}}}", _SCOPE) == value
