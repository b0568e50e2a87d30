"""The second wall: what would happen to a syntax tree that the grammar never yields."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import StrictUndefined

from f0ci.expressions import sandbox
from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.syntax import Binary, Filtered, Literal, Lookup, Node, Part, Slice

_SCOPE: dict[str, Any] = {"text": "a", "items": [1], "call": print, "huge": 10**400}


@pytest.mark.parametrize("key", ["__class__", "upper", "format", "__init__"])
@pytest.mark.parametrize("root", ["text", "items", "call"])
def test_attributes_of_python_objects_do_not_exist(root: str, key: str) -> None:
    node = Lookup(root, (Part(key, 1),), 0, 1)

    with pytest.raises(ExpressionError):
        sandbox.run(f"attribute {root} {key}", node, _SCOPE)
    assert sandbox.run(f"forgiving {root} {key}", Filtered(node, "default", (Literal(1, 0),), (), 0), _SCOPE) == 1


def test_objects_that_are_no_data_never_leave() -> None:
    with pytest.raises(ExpressionError, match="which is not data"):
        sandbox.run("a function", Lookup("call", (), 0, 1), _SCOPE)


def test_jinjas_own_ways_to_objects_are_closed() -> None:
    environment = sandbox._environment()

    assert environment.globals == {}
    for name in ("getattr", "getitem"):
        assert isinstance(getattr(environment, name)("a", "__class__"), StrictUndefined)
    assert environment.getitem({"a": 1}, "a") == 1
    with pytest.raises(ExpressionError, match="expressions call nothing"):
        environment.call(None, print, "x")


@pytest.mark.parametrize(
    ("code", "node"),
    [
        ("huge / 3", Binary("/", Lookup("huge", (), 0, 4), Literal(3, 7), 0)),
        ("huge * 1", Binary("*", Lookup("huge", (), 0, 4), Literal(1, 7), 0)),
        ("a slice of a function", Slice(Lookup("call", (), 0, 1), Literal(1, 2), None, 0)),
        ("huge | float", Filtered(Lookup("huge", (), 0, 4), "float", (), (), 0)),
    ],
)
def test_what_python_refuses_is_an_expression_error(code: str, node: Node) -> None:
    with pytest.raises(ExpressionError):
        sandbox.run(code, node, _SCOPE)


def test_a_tree_too_deep_for_jinja_is_an_expression_error() -> None:
    node: Node = Literal(1, 0)
    for _ in range(3000):
        node = Binary("+", node, Literal(1, 0), 0)

    with pytest.raises(ExpressionError, match="too large to be evaluated"):
        sandbox.run("a very deep tree", node, {})
