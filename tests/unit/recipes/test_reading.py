"""From documents of three dialects to one model."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.core.errors import InputError, MissingFile
from f0ci.recipes.model import Dialect, Parameter, Recipe, Retry
from f0ci.recipes.reading import dialect_of, looks_like_recipe, read_recipe, recipe_from
from f0ci.source.document import Document, parse_document
from f0ci.source.tree import MemoryTree


def _recipe(text: str) -> Recipe:
    return recipe_from(parse_document("recipes/sample.yaml", text.encode()))


_TEST = """
test_meta: {test_id: ID-7, tester: ann, description: adds numbers}
steps:
  - idx: 1
    name: add
    type: python
    module: lib.add
    function: Add
    args: {src: data/n.csv}
    success: {ctx_has_keys: [numbers.sum, numbers.count]}
"""
_COMPOSITION = """
metadata:
  name: nightly
  version: 4.0
  description: everything at night
  template_parameters: [{name: depth, required: true, description: how deep}, {description: nameless}]
parameters:
  - {name: environment, required: true}
  - {name: mode, required: true, default: batch, type: [string, "null"]}
execution: {timeout_seconds: 120}
steps:
  - name: load
    idx: 1
    type: sub_recipe
    recipe_path: lib/load.yaml
    parameters: {environment: "#{params.environment}"}
    error_handling: {retry_attempts: 3, fallback_action: use_cached, notify_on_failure: true}
  - name: report
    type: python
    module: lib.report
    function: run
    depends_on: load
    condition: "#{x}"
    parallel_group: g
  - {name: rescue, idx: 99, type: python, module: lib.rescue, trigger: on_error, depends_on: []}
"""
_TEMPLATE = """
name: fetch
version: "1.0"
description: gets a page
parameters:
  url: {type: string, required: true, validation: {pattern: "^https"}}
  tries: {type: integer, default: null}
metadata: {examples: []}
steps:
  - name: get
    scriptlet: core.http
    function: get
    parameters: {u: "{{ url }}"}
    outputs: [{name: page, description: text}, size]
    error_handling: {on_failure: rollback, max_retries: 2, retry_delay: 1m30s}
    timeout: 90s
"""


def test_the_test_dialect() -> None:
    recipe = _recipe(_TEST)

    assert (recipe.dialect, recipe.name, recipe.version, recipe.description) == (
        Dialect.TEST,
        "ID-7",
        "",
        "adds numbers",
    )
    (step,) = recipe.steps
    assert (step.name, step.kind, step.at, step.idx) == ("add", "python", ("steps", 0), 1)
    assert (step.module, step.function, step.arguments, step.arguments_key) == (
        "lib.add",
        "Add",
        {"src": "data/n.csv"},
        "args",
    )
    assert step.ctx_has_keys == ("numbers.sum", "numbers.count")
    assert step.retry == Retry()


def test_the_composition_dialect() -> None:
    recipe = _recipe(_COMPOSITION)

    assert (recipe.dialect, recipe.name, recipe.version, recipe.timeout) == (
        Dialect.COMPOSITION,
        "nightly",
        "4.0",
        120.0,
    )
    assert recipe.parameters == (
        Parameter("environment", required=True, at=("parameters", 0)),
        Parameter("mode", default="batch", has_default=True, type=("string", "null"), at=("parameters", 1)),
        Parameter("depth", required=True, description="how deep", at=("metadata", "template_parameters", 0)),
    )
    load, report, rescue = recipe.steps
    assert (load.kind, load.recipe_path, load.arguments_key) == ("sub_recipe", "lib/load.yaml", "parameters")
    assert load.arguments == {"environment": "#{params.environment}"}
    assert load.retry == Retry(attempts=3, fallback="use_cached", notify=True)
    assert (report.depends_on, report.condition, report.parallel_group) == (("load",), "#{x}", "g")
    assert (rescue.trigger, rescue.depends_on, rescue.raw["depends_on"]) == ("on_error", (), [])
    assert recipe.step("report") is report
    assert (recipe.step("nope"), recipe.parameter("nope")) == (None, None)


def test_the_template_dialect_even_with_metadata() -> None:
    recipe = _recipe(_TEMPLATE)

    assert (recipe.dialect, recipe.name, recipe.version) == (Dialect.TEMPLATE, "fetch", "1.0")
    assert recipe.parameters == (
        Parameter("url", required=True, type="string", validation={"pattern": "^https"}, at=("parameters", "url")),
        Parameter("tries", default=None, has_default=True, type="integer", at=("parameters", "tries")),
    )
    (step,) = recipe.steps
    assert (step.kind, step.module, step.function, step.outputs) == ("python", "core.http", "get", ("page", "size"))
    assert (step.retry, step.timeout) == (Retry(attempts=2, delay=90.0, on_failure="rollback"), 90.0)


@pytest.mark.parametrize(
    ("data", "dialect"),
    [
        ({"test_meta": {}, "metadata": {}}, Dialect.TEST),
        ({"metadata": {}, "steps": []}, Dialect.COMPOSITION),
        ({"metadata": {"name": "m"}, "name": "x", "steps": []}, Dialect.COMPOSITION),
        ({"metadata": {"examples": []}, "name": "x", "parameters": {}}, Dialect.TEMPLATE),
        ({"metadata": {}, "parameters": []}, Dialect.COMPOSITION),
        ({"parameters": [{"name": "a"}]}, Dialect.COMPOSITION),
        ({"name": "x", "parameters": {}}, Dialect.TEMPLATE),
        ({"steps": []}, Dialect.TEMPLATE),
    ],
)
def test_the_top_level_tells_the_dialect(data: dict[str, Any], dialect: Dialect) -> None:
    assert dialect_of(data) is dialect


@pytest.mark.parametrize(
    ("data", "looks"),
    [
        ({"steps": []}, True),
        ({"test_meta": {}}, True),
        ({"steps": [], "kind": "ProductionWorkflow"}, False),
        ({"environment": {}}, False),
        ([], False),
        (None, False),
    ],
)
def test_what_looks_like_a_recipe(data: Any, looks: bool) -> None:
    assert looks_like_recipe(data) is looks


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("{module: m}", "python"),
        ("{run: make}", "shell"),
        ("{run: make, module: m}", "python"),
        ("{recipe_path: r.yaml}", "sub_recipe"),
        ("{type: docker}", "docker"),
        ("{}", "python"),
    ],
)
def test_a_step_without_a_type_is_known_by_its_keys(step: str, kind: str) -> None:
    assert _recipe(f"steps: [{step}]").steps[0].kind == kind


@pytest.mark.parametrize(
    ("written", "retry"),
    [
        ("{retry_attempts: .inf, retry_delay: .nan}", Retry()),
        ("{retry_attempts: -1, retry_delay: -1}", Retry()),
        ("{retry_attempts: true, retry_delay: soon}", Retry()),
        ("{retry_attempts: 2.9, retry_delay: 0.5}", Retry(attempts=2, delay=0.5)),
        ("{max_retries: '{{ x }}'}", Retry()),
        (f"{{max_retries: {'9' * 400}, retry_delay: {'9' * 400}}}", Retry()),
        ("{retry_delay: 99999999999d}", Retry()),
        ("text", Retry()),
    ],
)
def test_numbers_that_are_none_are_left_at_their_default(written: str, retry: Retry) -> None:
    assert _recipe(f"steps: [{{name: a, error_handling: {written}}}]").steps[0].retry == retry


def test_an_order_that_is_no_number_is_none() -> None:
    steps = _recipe("steps: [{idx: .nan}, {idx: true}, {idx: '1'}, {idx: 1.5}, {idx: -3}]").steps

    assert [step.idx for step in steps] == [None, None, None, 1.5, -3]
    assert steps[0].name == "step 0"


def test_a_recipe_without_a_name_is_called_like_its_file() -> None:
    assert _recipe("steps: []").name == "sample"
    assert _recipe("metadata: {}\nsteps: []").name == "sample"


def test_recipes_are_read_from_a_tree() -> None:
    tree = MemoryTree({"a.yaml": b"steps: []", "b.yaml": b"x: 1", "c.yaml": b"steps: [", "d.json": b'{"steps": []}'})

    assert read_recipe(tree, "a.yaml").path == "a.yaml"
    assert read_recipe(tree, "d.json").steps == ()
    with pytest.raises(InputError, match=r"b\.yaml:1:1: 'b\.yaml' is not a recipe"):
        read_recipe(tree, "b.yaml")
    with pytest.raises(InputError, match=r"c\.yaml:1:8: not valid YAML"):
        read_recipe(tree, "c.yaml")
    with pytest.raises(MissingFile):
        read_recipe(tree, "nope.yaml")


_KEYS = [
    "name",
    "idx",
    "type",
    "module",
    "function",
    "args",
    "parameters",
    "depends_on",
    "condition",
    "parallel_group",
    "trigger",
    "error_handling",
    "outputs",
    "success",
    "timeout",
    "env",
    "recipe_path",
    "run",
    "scriptlet",
    "retry_attempts",
    "max_retries",
    "retry_delay",
    "on_failure",
    "ctx_has_keys",
    "required",
    "default",
    "validation",
    "description",
    "metadata",
    "template_parameters",
    "execution",
    "timeout_seconds",
    "steps",
    "test_meta",
    "version",
    "kind",
]
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "a", "1h", "#{x", "on_error"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5),
    max_leaves=25,
)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from(_KEYS), _ANYTHING), _ANYTHING)
def test_no_data_keep_a_recipe_from_being_read(data: dict[str, Any], step: Any) -> None:
    recipe = recipe_from(Document("r.yaml", b"", {**data, "steps": [step, data]}, broken=False))

    assert recipe.path == "r.yaml"
    assert all(each.retry.attempts >= 0 and each.retry.delay >= 0 for each in recipe.steps)
