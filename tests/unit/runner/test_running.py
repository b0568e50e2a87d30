"""The order of steps, failures, and recipes inside recipes."""

from __future__ import annotations

import pytest

from f0ci.core.canonical import canonical_json
from f0ci.core.outcome import Outcome
from f0ci.runner.events import StepSkipped
from f0ci.runner.options import RunOptions
from tests.unit.runner.conftest import ECHO, FAILING, LEGACY, Workspace, of, outcomes


def test_a_failure_stops_the_run_and_on_error_steps_learn_of_it(zoo: Workspace) -> None:
    record = zoo.run(f"""
  - {{name: fails, {FAILING}}}
  - {{name: never, {LEGACY}}}
  - name: recover
    trigger: on_error
    {ECHO.replace(", ", chr(10) + "    ")}
    args: {{step: "#{{error.step}}", why: "#{{error.message}}", tries: "#{{error.attempts}}"}}
""")

    assert record.outcome is Outcome.FAILED
    assert record.message == "step 'fails' failed"
    assert outcomes(record) == {"fails": "failed", "recover": "passed", "never": "skipped"}
    assert of(record, "recover").outputs == {"step": "fails", "why": "returned 1", "tries": 1}
    assert of(record, "never").message == "the run stopped before it"


def test_on_error_steps_do_not_run_without_a_failure(zoo: Workspace) -> None:
    record = zoo.run(f"  - {{name: works, {LEGACY}}}\n  - {{name: recover, trigger: on_error, {LEGACY}}}\n")

    assert record.outcome is Outcome.PASSED
    assert of(record, "recover").message == "it runs only after a failure"


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        ("error_handling: {on_failure: continue}", RunOptions()),
        ("error_handling: {on_failure: log_and_continue}", RunOptions()),
        ("", RunOptions(continue_on_error=True)),
    ],
)
def test_continuing_runs_what_does_not_need_the_failed_step(zoo: Workspace, policy: str, options: RunOptions) -> None:
    record = zoo.run(
        f"""
  - name: fails
    {FAILING.replace(", ", chr(10) + "    ")}
    {policy}
  - {{name: beside, depends_on: [], {LEGACY}}}
  - {{name: behind, depends_on: [fails], {LEGACY}}}
  - {{name: further, depends_on: [behind], {LEGACY}}}
  - {{name: later, {LEGACY}}}
""",
        options=options,
    )

    assert outcomes(record) == {
        "fails": "failed",
        "beside": "passed",
        "later": "passed",
        "behind": "skipped",
        "further": "skipped",
    }
    assert of(record, "further").message == "it needs 'fails', which did not pass"
    assert record.outcome is Outcome.FAILED


def test_a_skipped_dependency_counts_as_satisfied(zoo: Workspace) -> None:
    record = zoo.run(f"""
  - {{name: optional, condition: "#{{environment == 'prod'}}", {LEGACY}}}
  - {{name: after, depends_on: [optional], condition: "config.processing.workers > 1", {LEGACY}}}
""")

    assert outcomes(record) == {"after": "passed", "optional": "skipped"}
    assert of(record, "optional").message == "its condition is false"


def test_steps_of_a_group_run_at_the_same_time(zoo: Workspace) -> None:
    meet = "type: python, module: scriptlets.meeting, function: Meet, parallel_group: both"
    steps = f"  - {{name: a, {meet}, args: {{name: A}}}}\n  - {{name: b, {meet}, args: {{name: B}}}}\n"

    record = zoo.run(steps)

    assert record.outcome is Outcome.PASSED
    # what they print at the same time stays apart
    assert (of(record, "a").output, of(record, "b").output) == ("A waits\nA met\n", "B waits\nB met\n")


@pytest.mark.parametrize(
    ("heading", "options"),
    [
        ("metadata: {name: test}", RunOptions(parallel=1)),
        ("metadata: {name: test}\nexecution: {parallel_execution: false}", RunOptions()),
    ],
)
def test_parallel_steps_can_be_limited(zoo: Workspace, heading: str, options: RunOptions) -> None:
    meet = "type: python, module: scriptlets.meeting, function: Meet, parallel_group: both"
    steps = f"  - {{name: a, {meet}, args: {{name: A, seconds: 0.05}}}}\n  - {{name: b, {meet}, args: {{name: B}}}}\n"

    record = zoo.run(steps, heading=heading, options=options)

    assert of(record, "a").outcome is Outcome.FAILED
    assert "BrokenBarrierError" in of(record, "a").message


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (RunOptions(only=("b",)), {"b": "passed", "a": "skipped", "c": "skipped"}),
        (RunOptions(skip=("b",)), {"a": "passed", "c": "passed", "b": "skipped"}),
        (RunOptions(only=("a", "b"), skip=("a",)), {"b": "passed", "a": "skipped", "c": "skipped"}),
    ],
)
def test_options_leave_steps_out(zoo: Workspace, options: RunOptions, expected: dict[str, str]) -> None:
    steps = "".join(f"  - {{name: {name}, {LEGACY}}}\n" for name in "abc")

    assert outcomes(zoo.run(steps, options=options)) == expected


def test_leaving_a_step_out_keeps_the_order_of_the_others(zoo: Workspace) -> None:
    meet = "type: python, module: scriptlets.meeting, function: Meet"
    record = zoo.run(
        f"  - {{name: a, {meet}, args: {{name: A, seconds: 0.05}}}}\n"
        f"  - {{name: b, {LEGACY}}}\n"
        f"  - {{name: c, {meet}, args: {{name: C}}}}\n",
        options=RunOptions(skip=("b",)),
    )

    assert outcomes(record) == {"a": "failed", "b": "skipped", "c": "skipped"}


def test_a_failing_answer_to_a_failure_does_not_keep_the_next_from_running(zoo: Workspace) -> None:
    record = zoo.run(
        f"  - {{name: fails, {FAILING}}}\n"
        f"  - {{name: first, trigger: on_error, {FAILING}}}\n"
        f"  - {{name: second, trigger: on_error, {LEGACY}}}\n"
    )

    assert outcomes(record) == {"fails": "failed", "first": "failed", "second": "passed"}


def test_a_sub_recipe_has_parameters_of_its_own_and_the_same_context(zoo: Workspace) -> None:
    zoo.write(
        "recipes/library/load.yaml",
        f"""
metadata:
  name: load
  template_parameters:
    - {{name: source, required: true}}
    - {{name: level, default: standard}}
steps:
  - {{name: read, type: python, module: scriptlets.answers, function: mixed,
     args: {{key: loaded.from, value: "#{{params.source}}"}}}}
  - {{name: check, depends_on: [read], condition: "#{{params.level != 'basic'}}", {ECHO}, args: {{n: 1}}}}
""",
    )
    record = zoo.run(f"""
  - {{name: before, {ECHO}, args: {{source: csv}}}}
  - name: load
    type: sub_recipe
    recipe_path: library/load.yaml
    depends_on: [before]
    parameters: {{source: "#{{steps.before.outputs.source}}", level: basic}}
  - {{name: after, depends_on: [load], {ECHO}, args: {{got: "#{{context.get('loaded.from')}}"}}}}
  - {{name: again, depends_on: [after], type: sub_recipe, recipe_path: recipes/library/load.yaml,
     parameters: {{source: db}}}}
""")

    assert record.outcome is Outcome.PASSED
    load = of(record, "load")
    assert [(step.name, str(step.outcome)) for step in load.steps] == [("read", "passed"), ("check", "skipped")]
    assert of(record, "after").outputs == {"got": "csv"}
    assert of(record, "again").outputs == {"check": {"n": 1}}
    assert zoo.context.get_history()[-1]["who"] == "again/read"
    assert StepSkipped("load/check", "its condition is false") in zoo.events


def test_a_failing_sub_recipe_fails_its_step(zoo: Workspace) -> None:
    zoo.write("recipes/bad.yaml", f"metadata: {{name: bad}}\nsteps:\n  - {{name: inner, {FAILING}}}\n")
    record = zoo.run("  - {name: outer, type: sub_recipe, recipe_path: recipes/bad.yaml}\n")

    assert of(record, "outer").outcome is Outcome.FAILED
    assert of(record, "outer").message == "step 'inner' failed"


@pytest.mark.parametrize(
    ("recipe_path", "parameters", "words"),
    [
        ("#{params.which}.yaml", "{}", "there is no recipe 'missing.yaml'"),
        ("recipes/needs.yaml", "{}", "needs the parameter 'source'"),
        ("recipes/needs.yaml", "{source: csv, sauce: x}", "has no parameter 'sauce'"),
        ("#{params.itself}", "{}", "call each other in a circle"),
    ],
)
def test_a_sub_recipe_that_cannot_be_called_errors_its_step(
    zoo: Workspace, recipe_path: str, parameters: str, words: str
) -> None:
    zoo.write(
        "recipes/needs.yaml",
        f"metadata: {{name: n}}\nparameters: [{{name: source, required: true}}]\nsteps: [{{name: x, {LEGACY}}}]\n",
    )
    record = zoo.run(
        f'  - {{name: call, type: sub_recipe, recipe_path: "{recipe_path}", parameters: {parameters}}}\n',
        heading=(
            "metadata: {name: test}\n"
            "parameters: [{name: which, default: missing}, {name: itself, default: recipes/test.yaml}]"
        ),
    )

    assert of(record, "call").outcome is Outcome.ERRORED
    assert words in of(record, "call").message


def test_steps_that_are_over_can_be_asked_for_as_a_whole(zoo: Workspace) -> None:
    record = zoo.run(
        f"  - {{name: one, {ECHO}, parameters: {{word: hello}}}}\n"
        f"  - {{name: two, {ECHO}, parameters: {{all: '#{{steps}}'}}}}\n"
        f"  - {{name: three, {ECHO}, parameters: {{text: 'n: #{{steps}}', many: '#{{steps | length}}'}}}}\n"
    )

    over = {"one": {"outputs": of(record, "one").outputs, "outcome": "passed"}}
    assert of(record, "two").outputs["all"] == over
    over["two"] = {"outputs": of(record, "two").outputs, "outcome": "passed"}
    assert of(record, "three").outputs["text"] == f"n: {canonical_json(over).decode()}"
    assert of(record, "three").outputs["many"] == 2


def test_a_step_that_is_not_over_cannot_be_asked_for(zoo: Workspace) -> None:
    record = zoo.run(
        f"  - {{name: first, {ECHO}}}\n  - {{name: ask, {ECHO}, parameters: {{word: '#{{steps.fist.outcome}}'}}}}\n"
    )

    message = of(record, "ask").message
    assert "'steps' has no key 'fist'" in message
    assert "'first'" in message
