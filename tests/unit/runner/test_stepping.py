"""One step, from its condition to its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from f0ci.core.outcome import Outcome
from f0ci.core.redaction import Redactor
from f0ci.runner.events import StepNoted, StepRetried
from f0ci.runner.options import RunOptions
from tests.unit.runner.conftest import ECHO, FAILING, LEGACY, Workspace, of


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
    assert "says nowhere how" in notes["rollback"]
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


@pytest.mark.parametrize(
    ("success", "words"),
    [
        ("{ctx_has_key: [a]}", "'success' knows no 'ctx_has_key'; did you mean 'ctx_has_keys'?"),
        ("{ctx_has_keys: 5}", "'success.ctx_has_keys' is a whole number"),
        ("{outputs_have: {a: 1}}", "'success.outputs_have' is a mapping"),
        ("{outputs_match: {type: 7}}", "'success.outputs_match' cannot be used"),
        ("[a]", "'success' is a list, not a mapping"),
    ],
)
def test_what_success_wants_is_never_passed_over(zoo: Workspace, success: str, words: str) -> None:
    record = zoo.run(f"  - {{name: one, run: 'true', success: {success}}}\n")

    assert record.outcome is Outcome.ERRORED
    assert words in of(record, "one").message


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


def test_a_step_gets_copies(zoo: Workspace) -> None:
    zoo.context.set("shared", {"batch": 100})
    record = zoo.run(
        "  - {name: rewrite, type: python, module: scriptlets.answers, function: Rewriting, "
        'args: {settings: "#{config.processing.settings}"}}\n'
        f'  - {{name: look, {ECHO}, args: {{settings: "#{{config.processing.settings}}"}}}}\n'
    )

    assert of(record, "look").outputs == {"settings": {"batch": 100}}
    assert zoo.context.get("shared") == {"batch": 100}


def test_a_secret_that_nobody_gave_is_named(zoo: Workspace) -> None:
    record = zoo.run(f'  - {{name: one, {ECHO}, args: {{p: "#{{config.database.password}}"}}}}\n')

    assert record.outcome is Outcome.ERRORED
    assert "the secret 'db/password' is not set; set F0CI_SECRET_DB_PASSWORD" in of(record, "one").message


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
