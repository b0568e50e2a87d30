"""What is said of conditions before a run is what the run makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.expressions.evaluation import evaluate_condition
from f0ci.lint.deciding import verdicts_of
from f0ci.lint.workspace import Workspace, load_workspace
from f0ci.recipes.model import Recipe
from f0ci.source.project import load_project
from f0ci.source.tree import MemoryTree

CONFIG = {"on": True, "off": False, "size": 3, "name": "north", "none": None, "text": "false"}
_OPERANDS = st.sampled_from(
    [
        "environment",
        "'dev'",
        "'prod'",
        "''",
        "'false'",
        "3",
        "0",
        "true",
        "none",
        *(f"config.{key}" for key in CONFIG),
        "params.x",
        "context.get('k', 1)",
    ]
)
_COMPARED = st.tuples(_OPERANDS, st.sampled_from(["==", "!="]), _OPERANDS).map(" ".join)
_LISTED = st.tuples(_OPERANDS, st.sampled_from(["in", "not in"]), st.just("['dev', 3]")).map(" ".join)
_CONDITIONS = st.recursive(
    _OPERANDS | _COMPARED | _LISTED,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda one: f"(not {one})"),
        st.tuples(inner, inner, inner).map(lambda parts: "({} ? {} : {})".format(*parts)),
    ),
    max_leaves=6,
)


def workspace_of(condition: str) -> tuple[Recipe, Workspace]:
    """Return a recipe whose only step has a condition, among two environments."""
    config = b"{on: true, off: false, size: 3, name: north, none: ~, text: 'false'}\n"
    quoted = condition.replace("'", "''")
    text = f"metadata: {{name: a}}\nparameters: [{{name: x}}]\nsteps: [{{name: a, run: x, condition: '{quoted}'}}]\n"
    files = {f"environments/{name}/config.yaml": config for name in ("dev", "prod")} | {"recipes/a.yaml": text.encode()}
    tree = MemoryTree(files)
    workspace = load_workspace(tree, load_project(tree))
    recipe = workspace.recipe("recipes/a.yaml")
    assert recipe is not None
    return recipe, workspace


def said(condition: str) -> dict[str, bool | None] | None:
    """Return what is said of a condition, by environment."""
    recipe, workspace = workspace_of(condition)
    found = [verdicts for _, verdicts in verdicts_of(recipe, workspace)]
    return dict(found[0].by_environment) if found else None


@given(_CONDITIONS, st.sampled_from([None, 0, 1, "", "dev", "false", True]))
def test_a_verdict_is_what_a_run_finds(condition: str, value: Any) -> None:
    """Whatever parameters are given: where anything is said, it holds."""
    verdicts = said(condition)

    assert verdicts is not None
    for name, verdict in verdicts.items():
        scope = {"environment": name, "config": CONFIG, "params": {"x": value}, "context": {}}
        assert verdict in {None, evaluate_condition(condition, scope)}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param("environment == 'prod'", (False, True), id="the environment"),
        pytest.param("config.size > 2", (True, True), id="the configuration"),
        pytest.param("params.x", (None, None), id="a parameter"),
        pytest.param("params.x and environment == 'prod'", (False, None), id="one side decides"),
        pytest.param("params.x or environment == 'prod'", (None, None), id="what may be the text false"),
        pytest.param("environment == 'prod' or params.x", (None, True), id="one side decides the other way"),
        pytest.param("config.text", (False, False), id="a text that says false"),
        pytest.param("config.nowhere", (None, None), id="a key that there is not"),
        pytest.param("config.size > 'a'", (None, None), id="what cannot be compared"),
        pytest.param("config.name | upper == 'NORTH'", (None, None), id="a filter"),
        pytest.param("1 < config.size < 5", (None, None), id="a chain"),
    ],
)
def test_what_is_known(condition: str, expected: tuple[bool | None, bool | None]) -> None:
    """Three answers: yes, no, and only a run knows."""
    assert said(condition) == dict(zip(("dev", "prod"), expected, strict=True))


def test_what_cannot_be_read_is_not_judged() -> None:
    """It is reported as such."""
    assert said("environment ==") is None


def test_a_parameter_may_hide_a_name() -> None:
    """In the template dialect the recipe's own names come first."""
    text = "name: a\nparameters: {environment: {type: string}}\nsteps: [{name: a, run: x, condition: environment}]\n"
    tree = MemoryTree({"environments/dev/config.yaml": b"a: 1\n", "recipes/a.yaml": text.encode()})
    workspace = load_workspace(tree, load_project(tree))
    recipe = workspace.recipe("recipes/a.yaml")

    assert recipe is not None
    assert not verdicts_of(recipe, workspace)
