"""Which parameters a rendered recipe has written out, and what is left to whoever runs it."""

from __future__ import annotations

from typing import Any

import pytest

from f0ci.core.errors import InputError
from f0ci.environments.loading import load_environment
from f0ci.recipes.parameters import bind_parameters, check_parameters
from f0ci.recipes.reading import read_recipe
from f0ci.render.rendering import ReleaseInfo, render
from f0ci.render.settled import calls_of
from f0ci.source.project import load_project
from f0ci.source.tree import MemoryTree
from f0ci.workflows.model import Deploy, WorkflowEnvironment
from tests.unit.environments.workspaces import workspace

_FILES: dict[str, Any] = {
    "environments/prod/config.yaml": "size: 4\nnote: 'a #{''#{''}x} b'\n",
    "environments/prod/eu/config.yaml": "size: 9\n",
}
_STEP = "steps:\n- {name: s, type: shell, run: x, env: {A: '#{params.a}', B: \"#{params.b}/#{context.get('k')}\"}}\n"


def _rendered(parameters: str, *, others: str = "", name: str = "prod", deploy: Deploy | None = None) -> MemoryTree:
    files = _FILES | {"recipes/a.yaml": f"metadata: {{name: a}}\nparameters: {parameters}\n{_STEP}"}
    files |= {"recipes/b.yaml": f"metadata: {{name: b}}\nsteps: {others}\n"} if others else {}
    tree = workspace(files)
    project = load_project(tree)
    described = WorkflowEnvironment("live", "prod", deploy=deploy) if deploy else None
    return MemoryTree(
        dict(render(tree, project, load_environment(tree, project, name), described, ReleaseInfo("ab" * 32)).files)
    )


@pytest.mark.parametrize(
    ("parameters", "others", "written"),
    [
        ("[{name: a, default: 1}]", "", 1),
        ("{a: {default: text}}", "", "text"),
        ("[{name: a, default: [1, x]}]", "", [1, "x"]),
        ("[{name: a, default: '#{config.size * 2}'}]", "", 18),
        ("[{name: a, default: ['#{environment}-#{overlay}', '{{ theirs }}']}]", "", ["prod-eu", "#{'{{'} theirs }}"]),
        ("[{name: a, default: '#{release}'}]", "", "ab" * 32),
        ("[{name: a, required: true, default: 1}]", "", 1),
        ("[{name: a}]", "", None),
        ("[{name: a, default: null}]", "", None),
        ("[{name: a, required: true}]", "", None),
        ("[{name: a, default: 1, sensitive: true}]", "", None),
        ("[{name: a, default: 1}]", "[{name: c, type: sub_recipe, recipe_path: a.yaml}]", 1),
        ("[{name: a, default: 1}]", "[{name: c, type: sub_recipe, recipe_path: a.yaml, parameters: {b: 2}}]", 1),
        ("[{name: a, default: 1}]", "[{name: c, type: sub_recipe, recipe_path: a.yaml, parameters: {a: 2}}]", None),
        ("[{name: a, default: 1}]", "[{name: c, type: sub_recipe, recipe_path: a.yaml, args: {a: 2}}]", None),
        ("[{name: a, default: 1}]", "[{name: c, type: sub_recipe, recipe_path: a.yaml, args: '#{context.x}'}]", None),
        ("[{name: a, default: 1}]", "[{name: c, type: sub_recipe, recipe_path: '#{context.x}.yaml'}]", None),
    ],
)
def test_what_has_a_default_and_is_given_by_nobody(parameters: str, others: str, written: Any) -> None:
    tree = _rendered(parameters, others=others, name="prod/eu")

    recipe = read_recipe(tree, "recipes/a.yaml")

    assert recipe.steps[0].env["A"] == (written if written is not None else "#{params.a}")
    assert recipe.steps[0].env["B"] == "#{params.b}/#{context.get('k')}"
    assert recipe.parameters[0].fixed is (written is not None)


def test_what_is_written_out_takes_no_other_value() -> None:
    recipe = read_recipe(_rendered("[{name: a, default: '#{config.size}'}, {name: b, default: 2}]"), "recipes/a.yaml")

    assert bind_parameters(recipe, {"a": 4}) == {"a": 4, "b": 2}
    (problem,) = check_parameters(recipe, {"a": 5})
    assert problem.message == "the parameter 'a' is fixed"


def test_a_value_with_delimiters_means_the_same_when_the_rendered_recipe_runs() -> None:
    recipe = read_recipe(_rendered("[{name: a, default: '#{config.note}'}]"), "recipes/a.yaml")

    assert bind_parameters(recipe, {}, {})["a"] == "a #{x} b"


def test_the_deploy_recipe_is_written_out_with_what_the_workflow_gives() -> None:
    deploy = Deploy("recipes/a.yaml", {"a": "#{config.size + 1}"})

    recipe = read_recipe(_rendered("[{name: a, default: 1}, {name: b}]", deploy=deploy), "recipes/a.yaml")

    assert recipe.steps[0].env == {"A": 5, "B": "null/#{context.get('k')}"}
    assert [(one.name, one.default, one.fixed) for one in recipe.parameters] == [("a", 5, True), ("b", None, True)]


def test_names_of_the_template_dialect_are_written_out() -> None:
    files = _FILES | {
        "recipes/t.yaml": "name: t\nparameters: {url: {default: 'http://#{environment}'}, size: {}}\n"
        "steps:\n- {name: s, scriptlet: m, function: f, parameters: {u: '{{ url }}/{{ size }}'}}\n"
    }
    tree = workspace(files)
    project = load_project(tree)

    files = dict(render(tree, project, load_environment(tree, project, "prod"), None, ReleaseInfo("ab" * 32)).files)

    assert b"u: http://prod/{{ size }}\n" in files["recipes/t.yaml"]


@pytest.mark.parametrize(
    ("parameters", "column", "message", "hint"),
    [
        ("[{name: a, default: '#{config.sise}'}]", 33, "'config' has no key 'sise'", "did you mean 'size'?"),
        ("[{name: a, default: '#{config.'}]", 33, "", None),
        ("[{name: a, default: {x: '#{params.b}'}}]", 37, "the name 'params' is not defined", None),
        ("[{name: a, type: string, default: '#{config.size}'}]", 47, "'a' is a whole number, not text", None),
    ],
)
def test_a_default_that_cannot_be_had(parameters: str, column: int, message: str, hint: str | None) -> None:
    with pytest.raises(InputError) as raised:
        _rendered(parameters)

    assert raised.value.message.endswith(message)
    assert raised.value.place == f"recipes/a.yaml:2:{column}"
    assert hint is None or raised.value.hint == hint


def test_a_deploy_parameter_that_cannot_be_had() -> None:
    with pytest.raises(InputError, match="the deploy parameters of environment 'live': 'config' has no key 'sise'"):
        _rendered("[{name: a}]", deploy=Deploy("recipes/a.yaml", {"a": "#{config.sise}"}))


def test_calls_are_found_wherever_a_recipe_is_named() -> None:
    tree = workspace(
        {
            "recipes/a.yaml": "metadata: {name: a}\nsteps:\n- name: s\n  run: x\n  compensate:\n"
            "    - {type: sub_recipe, recipe_path: lib/undo.yaml, parameters: {which: 1}}\n"
        }
    )

    assert calls_of([read_recipe(tree, "recipes/a.yaml")]) == {"undo.yaml": {"which"}}
