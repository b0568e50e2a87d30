"""Plans of runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from f0ci.core.errors import InputError, UsageError
from f0ci.core.redaction import Redactor
from f0ci.runner.options import RunOptions
from f0ci.runner.planning import RunPlan, plan_run
from f0ci.source.project import Project

STEP = "type: python, module: m, function: f"


def plan(
    root: Path, recipe: str, options: RunOptions | None = None, parameters: dict[str, object] | None = None
) -> RunPlan:
    """Return the plan of a recipe."""
    (root / "recipes").mkdir(exist_ok=True)
    (root / "recipes" / "r.yaml").write_text(f"metadata: {{name: r}}\n{recipe}\n")
    return plan_run(
        "r",
        tree_root=root,
        project=Project(),
        environment=None,
        parameters=parameters or {},
        options=options,
        redactor=Redactor(),
    )


def test_options_count(tmp_path: Path) -> None:
    made = plan(tmp_path, f"steps: [{{name: a, {STEP}}}, {{name: b, {STEP}}}]", RunOptions(skip=("a",)))

    assert [(step.name, step.runs, step.reason) for step in made.steps] == [
        ("a", False, "named by --skip"),
        ("b", True, ""),
    ]


def test_sensitive_parameters_do_not_show(tmp_path: Path) -> None:
    made = plan(
        tmp_path,
        "parameters: [{name: key, sensitive: true}]\n"
        f"steps: [{{name: a, {STEP}, args: {{k: 'is #{{params.key}}'}}}}]",
        parameters={"key": "hidden-key"},
    )

    assert (made.parameters, made.steps[0].arguments) == ({"key": "***"}, {"k": "is ***"})
    assert made.to_json()["parameters"] == {"key": "***"}


@pytest.mark.parametrize(
    ("recipe", "words", "place"),
    [
        (f"steps: [{{name: a, {STEP}, args: {{k: '#{{config.x}}'}}}}]", "'config' has no key 'x'", "recipes/r.yaml:2:"),
        (f"steps: [{{name: a, {STEP}, condition: '#{{parms.x}}'}}]", "'parms' is not defined", "recipes/r.yaml:2:"),
        (
            "steps: [{name: a, type: sub_recipe, recipe_path: recipes/s.yaml}]",
            "needs the parameter 'p'",
            "recipes/r.yaml:2:",
        ),
        (
            "steps: [{name: a, type: sub_recipe, recipe_path: recipes/t.yaml}]",
            "there is no recipe",
            "recipes/r.yaml:2:",
        ),
    ],
)
def test_what_is_known_to_fail_is_refused_at_its_place(tmp_path: Path, recipe: str, words: str, place: str) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "s.yaml").write_text(
        f"metadata: {{name: s}}\nparameters: [{{name: p, required: true}}]\nsteps: [{{name: a, {STEP}}}]\n"
    )

    with pytest.raises(InputError) as caught:
        plan(tmp_path, recipe)

    assert words in caught.value.message
    assert str(caught.value.place).startswith(place)


def test_unknown_steps_are_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--only names 'x'"):
        plan(tmp_path, f"steps: [{{name: a, {STEP}}}]", RunOptions(only=("x",)))


def test_steps_whose_path_only_the_run_knows_have_no_steps_yet(tmp_path: Path) -> None:
    made = plan(tmp_path, "steps: [{name: a, type: sub_recipe, recipe_path: \"#{context.get('p')}\"}]")

    assert (made.steps[0].steps, made.steps[0].action) == ((), "#{context.get('p')}")


def test_a_wait_is_shown_as_it_is_written(tmp_path: Path) -> None:
    made = plan(tmp_path, "steps: [{name: ask, type: wait, args: {approval: {by: [alice]}, message: ship it?}}]")

    assert made.steps[0].action == "approval {by: [alice]}: ship it?"
