"""Runs of small recipes, from end to end, with real scriptlets and real programs."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.core.errors import CannotWork, InputError, UsageError
from f0ci.core.outcome import Outcome
from f0ci.core.redaction import Redactor
from f0ci.recipes.records import RunRecord, StepRecord
from f0ci.runner.events import StepEnded, StepNoted, StepRetried, StepSkipped, StepStarted
from f0ci.runner.executing import RunInterrupted, run_recipe
from f0ci.runner.options import RunOptions
from f0ci.source.project import Project
from tests.unit.runner.conftest import Workspace

ECHO = "type: python, module: scriptlets.answers, function: echo"
LEGACY = "type: python, module: scriptlets.answers, function: Legacy"
FAILING = "type: python, module: scriptlets.answers, function: LegacyFailing"


def outcomes(record: RunRecord) -> dict[str, str]:
    """Return how each step ended."""
    return {step.name: str(step.outcome) for step in record.steps}


def of(record: RunRecord, name: str) -> StepRecord:
    """Return the record of a step that must be there."""
    step = record.step(name)
    assert step is not None
    return step


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


def test_a_run_of_skipped_steps_alone_is_skipped(zoo: Workspace) -> None:
    assert zoo.run(f"  - {{name: one, condition: false, {LEGACY}}}\n").outcome is Outcome.SKIPPED


def test_retries_wait_and_end_with_the_first_try_that_passes(zoo: Workspace, tmp_path: Path) -> None:
    record = zoo.run(f"""
  - name: flaky
    type: python
    module: scriptlets.counting
    function: PassAt
    args: {{file: "{tmp_path}/tries", try: 3}}
    error_handling: {{max_retries: "{{{{ 2 + 2 }}}}", retry_delay: 1m30s}}
""")

    step = of(record, "flaky")
    assert (step.outcome, step.attempts, step.output) == (Outcome.PASSED, 3, "try 1\ntry 2\ntry 3\n")
    assert zoo.pauses == [90.0, 90.0]
    retried = [event for event in zoo.events if isinstance(event, StepRetried)]
    assert [(event.attempt, event.attempts, event.message) for event in retried] == [
        (1, 5, "returned 1"),
        (2, 5, "returned 1"),
    ]


@pytest.mark.parametrize(
    ("handling", "options", "attempts"),
    [
        ("{retry_attempts: 2}", RunOptions(), 3),
        ("{retry_attempts: 2}", RunOptions(max_retries=5), 3),
        ("{retry_attempts: 0}", RunOptions(max_retries=5), 1),
        ("{on_failure: fail_fast}", RunOptions(max_retries=1), 2),
        ("{}", RunOptions(), 1),
    ],
)
def test_a_step_says_itself_how_often_else_the_options_do(
    zoo: Workspace, handling: str, options: RunOptions, attempts: int
) -> None:
    record = zoo.run(f"  - {{name: fails, {FAILING}, error_handling: {handling}}}\n", options=options)

    assert of(record, "fails").attempts == attempts


def test_a_failure_that_trying_again_cannot_mend_is_not_tried_again(zoo: Workspace) -> None:
    record = zoo.run(
        "  - {name: gone, type: python, module: scriptlets.answer, function: Legacy, "
        "error_handling: {retry_attempts: 3}}\n"
    )

    assert (of(record, "gone").attempts, record.outcome) == (1, Outcome.ERRORED)


def test_what_a_recipe_wants_after_a_failure_is_told(zoo: Workspace) -> None:
    handling = "{fallback_action: use_cached_data, notify_on_failure: true, on_failure: rollback}"
    zoo.run(f"  - {{name: fails, {FAILING}, error_handling: {handling}}}\n")

    notes = {event.note: event.text for event in zoo.events if isinstance(event, StepNoted)}
    assert notes["fallback"] == "use_cached_data"
    assert "stops" in notes["rollback"]
    assert set(notes) == {"fallback", "notify", "rollback"}


@pytest.mark.parametrize(
    ("key", "outcome", "words"),
    [
        ("legacy.done", Outcome.PASSED, ""),
        ("legacy.dome", Outcome.FAILED, "has no 'legacy.dome' afterwards"),
    ],
)
def test_success_can_want_keys_of_the_context(zoo: Workspace, key: str, outcome: Outcome, words: str) -> None:
    record = zoo.run(
        f"  - {{name: one, {LEGACY}, success: {{ctx_has_keys: [{key}]}}}}\n",
        heading="test_meta: {test_id: T-1}",
    )

    assert record.outcome is outcome
    assert words in of(record, "one").message
    assert ("did you mean 'legacy.done'?" in of(record, "one").message) is (outcome is Outcome.FAILED)


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


@pytest.mark.parametrize(
    ("step", "place", "words"),
    [
        ("args: {x: 1, y: '#{config.procesing.workers}'}", "4:21", "did you mean 'processing'?"),
        ('condition: "#{params.flag == }"', "4:16", "expected a value"),
    ],
)
def test_an_expression_without_a_value_errors_the_step_at_its_place(
    zoo: Workspace, step: str, place: str, words: str
) -> None:
    record = zoo.run(
        f"  - name: one\n    {step}\n    type: python\n    module: scriptlets.answers\n    function: echo\n"
    )

    message = of(record, "one").message
    assert message.startswith(f"recipes/test.yaml:{place}: ")
    assert words in message
    assert record.outcome is Outcome.ERRORED


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


def test_secrets_reach_the_step_and_nothing_else(zoo: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F0CI_SECRET_DB_PASSWORD", "tr0ub4dor")
    record = zoo.run(
        f"""
  - name: python
    {ECHO.replace(", ", chr(10) + "    ")}
    args: {{password: "#{{config.database.password}}", key: "#{{params.key}}"}}
  - name: shell
    run: 'echo "$PASSWORD $KEY"; env | grep -c F0CI_SECRET || test "$PASSWORD" = tr0ub4dor'
    env: {{PASSWORD: "secret://db/password", KEY: "#{{params.key}}"}}
""",
        heading="metadata: {name: test}\nparameters: [{name: key, sensitive: true}]",
        parameters={"key": "sensitive-key"},
        redactor=Redactor(["unrelated-secret"]),
    )

    assert record.outcome is Outcome.PASSED
    assert of(record, "python").outputs == {"password": "***", "key": "***"}
    assert of(record, "shell").output == "*** ***\n0\n"
    assert record.parameters == {"key": "***"}
    assert "tr0ub4dor" not in repr(zoo.events)


def test_a_secret_that_nobody_gave_is_named(zoo: Workspace) -> None:
    record = zoo.run(f'  - {{name: one, {ECHO}, args: {{p: "#{{config.database.password}}"}}}}\n')

    assert record.outcome is Outcome.ERRORED
    assert "the secret 'db/password' is not set; set F0CI_SECRET_DB_PASSWORD" in of(record, "one").message


def test_tokens_of_git_and_ci_are_out_of_reach(zoo: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "F0CI_GIT_TOKEN", "CI_JOB_TOKEN", "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, "planted")
    monkeypatch.setenv("DEPLOY_REGION", "eu")

    record = zoo.run(
        '  - {name: shell, run: "env | grep -q planted && exit 1; test $DEPLOY_REGION = eu"}\n'
        "  - {name: python, type: python, module: scriptlets.counting, function: Surroundings}\n",
        options=RunOptions(run="run-1", release="abc", idempotency_key="p-1/2", variables={"F0CI_PROMOTION": "p-1"}),
    )

    assert record.outcome is Outcome.PASSED
    inside = of(record, "python").outputs
    assert not {"GITHUB_TOKEN", "F0CI_GIT_TOKEN", "CI_JOB_TOKEN", "SSH_AUTH_SOCK"} & set(inside["names"])
    assert {"F0CI_RUN", "F0CI_RELEASE", "F0CI_PROMOTION", "F0CI_IDEMPOTENCY_KEY"} <= set(inside["names"])
    assert (inside["environment"], inside["folder"]) == ("dev", str(zoo.root))
    assert os.environ["GITHUB_TOKEN"] == "planted"
    assert str(zoo.root) != str(Path.cwd())


def test_programs_learn_where_they_are(zoo: Workspace) -> None:
    record = zoo.run(
        '  - name: tell\n    run: echo "$F0CI_ENVIRONMENT $F0CI_RUN $F0CI_STEP $F0CI_IDEMPOTENCY_KEY $F0CI_RELEASE"\n',
        options=RunOptions(run="run-1", release="abc", idempotency_key="p-1/2"),
    )

    assert of(record, "tell").output == "dev run-1 tell p-1/2/tell abc\n"


def test_the_runner_prints_nothing_whoever_prints(zoo: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    record = zoo.run(
        "  - {name: help, type: python, module: scriptlets.meeting, function: Helping}\n"
        "  - {name: loud, type: python, module: scriptlets.answers, function: Loud, args: {lines: 2}}\n"
    )

    assert of(record, "help").output == "from a thread\n"
    assert of(record, "loud").output == "line 0\nline 1\nto stderr\n"
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == "from a program\n"


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


def test_much_output_is_bounded(zoo: Workspace) -> None:
    record = zoo.run(
        "  - {name: loud, type: python, module: scriptlets.answers, function: Loud, args: {lines: 50000}}\n"
    )

    output = of(record, "loud").output
    assert len(output) < 80_000
    assert output.startswith("[... the beginning is left out]\n")
    assert output.endswith("line 49999\nto stderr\n")


def test_a_step_gets_copies(zoo: Workspace) -> None:
    zoo.context.set("shared", {"batch": 100})
    record = zoo.run(
        "  - {name: rewrite, type: python, module: scriptlets.answers, function: Rewriting, "
        'args: {settings: "#{config.processing.settings}"}}\n'
        f'  - {{name: look, {ECHO}, args: {{settings: "#{{config.processing.settings}}"}}}}\n'
    )

    assert of(record, "look").outputs == {"settings": {"batch": 100}}
    assert zoo.context.get("shared") == {"batch": 100}


def test_runs_of_two_trees_do_not_share_modules(zoo: Workspace, tmp_path: Path) -> None:
    ask = "  - {name: ask, type: python, module: scriptlets.same, function: where}\n"
    zoo.write("scriptlets/same.py", "def where():\n    return {'where': 'zoo'}\n")
    assert of(zoo.run(ask), "ask").outputs == {"where": "zoo"}

    other = Workspace(tmp_path / "other")
    other.write("scriptlets/__init__.py", "")
    other.write("scriptlets/same.py", "def where():\n    return {'where': 'other'}\n")
    assert of(other.run(ask, environment=None), "ask").outputs == {"where": "other"}

    zoo.write("scriptlets/same.py", "def where():\n    return {'where': 'edited'}\n")
    assert of(zoo.run(ask), "ask").outputs == {"where": "edited"}
    assert not [name for name in sys.modules if name.partition(".")[0] == "scriptlets"]
    assert str(zoo.root) not in sys.path
    assert not list(zoo.root.rglob("__pycache__"))


def test_a_recipe_without_a_timeout_of_steps_has_its_own(zoo: Workspace) -> None:
    record = zoo.run(
        f"  - {{name: slow, run: exec sleep 600}}\n  - {{name: never, {LEGACY}}}\n"
        f"  - {{name: tidy, trigger: on_error, {LEGACY}}}\n",
        heading="metadata: {name: test}\nexecution: {timeout_seconds: 0.2}",
    )

    assert record.outcome is Outcome.ERRORED
    assert record.message == "the recipe's time of 0.2s is over"
    assert outcomes(record) == {"slow": "errored", "tidy": "passed", "never": "skipped"}


def test_the_timeout_of_a_sub_recipe_step_ends_its_steps(zoo: Workspace) -> None:
    zoo.write("recipes/slow.yaml", "metadata: {name: slow}\nsteps: [{name: sleep, run: exec sleep 600}]\n")
    record = zoo.run(
        "  - {name: call, type: sub_recipe, recipe_path: recipes/slow.yaml, timeout: 0.2}\n",
    )

    assert of(record, "call").outcome is Outcome.ERRORED
    assert of(record, "call").steps[0].message == "the recipe's time of 0.2s is over"


STUCK = "type: python, module: scriptlets.meeting, function: Stuck"


def test_a_python_step_beyond_its_time_is_left_behind_and_stops_the_run(
    zoo: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(zoo.root / "pipe")
    record = zoo.run(
        f"  - {{name: stuck, {STUCK}, timeout: 0.1, args: {{pipe: {zoo.root}/pipe}}}}\n"
        f"  - {{name: never, depends_on: [], {LEGACY}}}\n",
        options=RunOptions(continue_on_error=True, parallel=1, max_retries=3),
    )

    assert (of(record, "stuck").outcome, of(record, "stuck").attempts) == (Outcome.ERRORED, 1)
    assert "still running after its time of 0.1s" in of(record, "stuck").message
    assert of(record, "never").outcome is Outcome.SKIPPED
    release(zoo.root / "pipe")
    assert capfd.readouterr().out == ""


def release(pipe: Path) -> None:
    """Let the scriptlet end that was left behind."""
    left = [thread for thread in threading.enumerate() if thread.name == "f0ci-stuck"]
    assert left
    pipe.open("w").close()
    for thread in left:
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_an_interrupt_leaves_a_python_step_behind(zoo: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(zoo.root / "pipe")

    with pytest.raises(RunInterrupted) as caught:
        zoo.run(
            f"  - {{name: stuck, {STUCK}, args: {{pipe: {zoo.root}/pipe, interrupt: true}}}}\n"
            f"  - {{name: recover, trigger: on_error, {LEGACY}}}\n"
        )

    record = caught.value.record
    assert outcomes(record) == {"stuck": "errored", "recover": "skipped"}
    assert "left behind" in of(record, "stuck").message
    release(zoo.root / "pipe")
    assert capfd.readouterr().out == ""


def test_an_interrupt_ends_every_process_and_leaves_a_record(
    zoo: Workspace, watch: Callable[[Path], threading.Thread]
) -> None:
    os.mkfifo(zoo.root / "alive.fifo")
    watcher = watch(zoo.root / "alive.fifo")

    with pytest.raises(RunInterrupted) as caught:
        zoo.run(
            "  - {name: long, run: exec 3>alive.fifo; echo begun >&3; sleep 600 & wait}\n"
            f"  - {{name: never, {LEGACY}}}\n"
            f"  - {{name: recover, trigger: on_error, {LEGACY}}}\n"
        )

    watcher.join(timeout=10)
    assert not watcher.is_alive(), "a process of the step is still alive"
    record = caught.value.record
    assert (record.outcome, record.message) == (Outcome.ERRORED, "interrupted")
    assert outcomes(record) == {"long": "errored", "never": "skipped", "recover": "skipped"}
    assert of(record, "never").message == "interrupted"


@pytest.fixture
def watch() -> Callable[[Path], threading.Thread]:
    """Return a function that interrupts once a pipe says something, and then waits until nobody holds the pipe."""

    def follow(pipe: Path) -> None:
        with pipe.open() as stream:
            assert stream.readline() == "begun\n"
            os.kill(os.getpid(), signal.SIGINT)
            stream.read()

    def start(pipe: Path) -> threading.Thread:
        thread = threading.Thread(target=follow, args=(pipe,), daemon=True)
        thread.start()
        return thread

    return start


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
    assert str(errors[0]) == "another run is active in this process"


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
