"""Runs of small recipes, from end to end, with real scriptlets and real programs."""

from __future__ import annotations

import io
import json
import sys

import pytest

from f0ci.core.errors import CannotWork, InputError, UsageError
from f0ci.core.outcome import Outcome
from f0ci.runner.events import StepEnded, StepStarted
from f0ci.runner.executing import run_recipe
from f0ci.runner.options import RunOptions
from f0ci.source.project import Project
from tests.unit.runner.conftest import ECHO, LEGACY, Workspace, of


def test_a_recipe_passes_when_its_steps_pass(zoo: Workspace) -> None:
    record = zoo.run(f"  - {{name: one, {LEGACY}}}\n  - {{name: two, {LEGACY}}}\n", options=RunOptions(release="abc"))

    assert (record.outcome, record.environment, record.release) == (Outcome.PASSED, "dev", "abc")
    assert [(step.name, step.outcome, step.attempts) for step in record.steps] == [
        ("one", Outcome.PASSED, 1),
        ("two", Outcome.PASSED, 1),
    ]
    assert [type(event) for event in zoo.events] == [StepStarted, StepEnded] * 2
    assert zoo.context.get_history()[0]["who"] == "one"


def test_values_flow_from_parameters_configuration_context_and_steps(zoo: Workspace) -> None:
    record = zoo.run(
        f"""
  - {{name: first, type: python, module: scriptlets.answers, function: with_context, args: {{value: 21}}}}
  - name: second
    {ECHO.replace(", ", chr(10) + "    ")}
    depends_on: [first]
    args:
      doubled: "#{{steps.first.outputs.doubled}}"
      seen: "#{{context.get('function.saw')}}"
      workers: "#{{config.processing.workers}}"
      where: "#{{environment}}-#{{params.region}}"
      release: "#{{release}}"
""",
        heading="metadata: {name: test}\nparameters: [{name: region, default: eu}]",
    )

    assert of(record, "second").outputs == {
        "doubled": 42,
        "seen": 21,
        "workers": 2,
        "where": "dev-eu",
        "release": None,
    }
    assert record.parameters == {"region": "eu"}


def test_the_template_dialect_names_parameters_and_scriptlets_shortly(zoo: Workspace) -> None:
    record = zoo.run(
        """
  - name: prepare
    scriptlet: core.calls
    function: prepare
    parameters: {base_url: "{{ base_url }}", timeout: "{{ limits.total | default(60) }}"}
    outputs: [{name: client}]
  - name: request
    scriptlet: core.calls
    function: request
    depends_on: [prepare]
    parameters: {client: "{{ steps.prepare.outputs.client }}", path: /users}
    outputs: [{name: url}]
""",
        heading=(
            "name: api\nversion: '1'\nparameters:\n"
            "  base_url: {type: string, required: true}\n  limits: {type: object, default: {}}"
        ),
        parameters={"base_url": "https://api.example.com"},
    )

    assert of(record, "prepare").outputs["client"] == {"url": "https://api.example.com", "timeout": 60}
    assert of(record, "request").outputs == {"url": "https://api.example.com/users"}


@pytest.mark.parametrize(
    ("recipe", "error", "words"),
    [
        ("steps: [{name: a, type: phyton, module: x, function: y}]", InputError, "there is no step type 'phyton'"),
        (
            f"steps: [{{name: a, depends_on: [b], {LEGACY}}}, {{name: b, depends_on: [a], {LEGACY}}}]",
            InputError,
            "wait",
        ),
        ("steps: [{name: a, type: sub_recipe, recipe_path: ../out.yaml}]", InputError, "'../out.yaml'"),
        (f"parameters: [{{name: p, required: true}}]\nsteps: [{{name: a, {LEGACY}}}]", InputError, "'p'"),
    ],
)
def test_a_recipe_that_cannot_run_is_refused_before_anything_runs(
    zoo: Workspace, recipe: str, error: type[Exception], words: str
) -> None:
    zoo.write("recipes/refused.yaml", f"metadata: {{name: r}}\n{recipe}\n")

    with pytest.raises(error, match=words):
        zoo.run_file("recipes/refused.yaml")

    assert zoo.events == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (RunOptions(only=("lod",)), "--only names 'lod'"),
        (RunOptions(skip=("lod",)), "--skip names 'lod'"),
        (RunOptions(parallel=0), "--parallel is 0"),
        (RunOptions(max_retries=-1), "--max-retries is -1"),
    ],
)
def test_options_that_make_no_sense_are_wrong_usage(zoo: Workspace, options: RunOptions, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        zoo.run(f"  - {{name: load, {LEGACY}}}\n", options=options)

    assert caught.value.hint


def test_a_recipe_is_also_found_in_the_folders_of_the_project(zoo: Workspace) -> None:
    zoo.write("recipes/deploy.yaml", f"metadata: {{name: deploy}}\nsteps: [{{name: a, {LEGACY}}}]\n")

    assert zoo.run_file("deploy").recipe == "recipes/deploy.yaml"


def test_a_listener_may_print(zoo: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)

    zoo.write("recipes/one.yaml", f"metadata: {{name: one}}\nsteps: [{{name: a, {LEGACY}}}]\n")
    record = run_recipe(
        "recipes/one.yaml",
        tree_root=zoo.root,
        project=Project(),
        environment=None,
        parameters={},
        on_event=lambda event: sys.stderr.write(f"{type(event).__name__}\n"),
    )

    assert stream.getvalue() == "StepStarted\nStepEnded\n"
    assert of(record, "a").output == ""


def test_a_listener_that_fails_ends_the_run(zoo: Workspace) -> None:
    def fail(_event: object) -> None:
        raise LookupError("the listener is broken")

    zoo.write("recipes/test.yaml", f"metadata: {{name: t}}\nsteps: [{{name: a, {LEGACY}}}]\n")
    with pytest.raises(LookupError, match="the listener is broken"):
        run_recipe(
            "recipes/test.yaml",
            tree_root=zoo.root,
            project=Project(),
            environment=None,
            parameters={},
            on_event=fail,
        )


def test_a_record_is_json(zoo: Workspace) -> None:
    record = zoo.run(f"  - {{name: one, {ECHO}, args: {{a: [1, 2.5, null, true, text]}}}}\n")

    assert json.loads(json.dumps(of(record, "one").outputs)) == {"a": [1, 2.5, None, True, "text"]}


def test_two_runs_at_once_in_one_process_are_refused(zoo: Workspace) -> None:
    errors: list[BaseException] = []

    def run_another(_event: object) -> None:
        try:
            run_recipe("recipes/test.yaml", tree_root=zoo.root, project=Project(), environment=None, parameters={})
        except CannotWork as error:
            errors.append(error)

    zoo.write("recipes/test.yaml", f"metadata: {{name: t}}\nsteps: [{{name: a, {LEGACY}}}]\n")
    record = run_recipe(
        "recipes/test.yaml",
        tree_root=zoo.root,
        project=Project(),
        environment=None,
        parameters={},
        on_event=run_another,
    )

    assert record.outcome is Outcome.PASSED
    assert str(errors[0]).startswith("another run is active in this process")


def test_a_run_of_skipped_steps_alone_is_skipped(zoo: Workspace) -> None:
    assert zoo.run(f"  - {{name: one, condition: false, {LEGACY}}}\n").outcome is Outcome.SKIPPED
