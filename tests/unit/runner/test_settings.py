"""How often and how long a step is tried."""

from __future__ import annotations

from typing import Any

import pytest

from f0ci.core.errors import StepError
from f0ci.core.outcome import Outcome
from f0ci.recipes.model import Recipe, Retry, Step
from f0ci.recipes.reading import recipe_from
from f0ci.runner.options import RunOptions
from f0ci.runner.readiness import Verdict
from f0ci.runner.settings import Settings, continues, delay_after, settings_of
from f0ci.runner.steps.base import StepResult
from f0ci.runner.verdicts import verdict_of
from f0ci.source.document import parse_document


def recipe_of(step: str, heading: str = "") -> Recipe:
    """Return a recipe of one step."""
    return recipe_from(
        parse_document("r.yaml", f"metadata: {{}}\n{heading}\nsteps:\n  - {{name: one, {step}}}\n".encode())
    )


@pytest.mark.parametrize(
    ("step", "heading", "options", "expected"),
    [
        ("run: x", "", RunOptions(), Settings()),
        ("run: x, timeout: 1m30s", "", RunOptions(), Settings(timeout=90.0)),
        ("run: x, timeout_seconds: 2.5", "", RunOptions(), Settings(timeout=2.5)),
        ("run: x, timeout: 0", "", RunOptions(), Settings(timeout=None)),
        ('run: x, timeout: "#{params.t}"', "", RunOptions(), Settings(timeout=7.0)),
        ("run: x", "", RunOptions(step_timeout=3), Settings(timeout=3)),
        ("run: x, timeout: 5", "", RunOptions(step_timeout=3), Settings(timeout=5.0)),
        ("type: sub_recipe", "", RunOptions(step_timeout=3), Settings(timeout=None)),
        ("run: x, error_handling: {retry_attempts: 2, retry_delay: 5}", "", RunOptions(), Settings(3, 5.0)),
        ('run: x, error_handling: {max_retries: "{{ params.t }}"}', "", RunOptions(), Settings(8)),
        ("run: x", "", RunOptions(max_retries=1, retry_delay=0.5), Settings(2, 0.5)),
        ("run: x", "execution: {retry_attempts: 3}", RunOptions(), Settings(4)),
        ("run: x", "execution: {retry_attempts: 3}", RunOptions(max_retries=1), Settings(2)),
        ("run: x, error_handling: {retry_attempts: 0}", "execution: {retry_attempts: 3}", RunOptions(), Settings(1)),
    ],
)
def test_a_step_says_itself_else_the_options_else_the_recipe(
    step: str, heading: str, options: RunOptions, expected: Settings
) -> None:
    recipe = recipe_of(step, heading)

    found = settings_of(recipe, recipe.steps[0], options, {"params": {"t": 7}})

    assert (found.attempts, found.delay, found.timeout) == (expected.attempts, expected.delay, expected.timeout)


@pytest.mark.parametrize(
    ("step", "heading", "options", "own_process", "passed"),
    [
        ("run: x", "", RunOptions(), False, ()),
        ("run: x, pass_env: [A, B_*]", "", RunOptions(), True, ("A", "B_*")),
        ("run: x, pass_env: A", "execution: {pass_env: [C]}", RunOptions(), True, ("C", "A")),
        ("module: m, function: f", "", RunOptions(), False, None),
        ("module: m, function: f, timeout: 5", "", RunOptions(), True, None),
        ("module: m, function: f", "", RunOptions(step_timeout=5), True, None),
        ("module: m, function: f, limits: {cpu: 5}", "", RunOptions(), True, None),
        ("module: m, function: f, timeout: 5, isolation: thread", "", RunOptions(), False, None),
        ("module: m, function: f, isolation: process", "", RunOptions(isolation="thread"), True, ()),
        ("module: m, function: f", "", RunOptions(isolation="process"), True, ()),
        ("module: m, function: f", "execution: {isolation: process}", RunOptions(), True, ()),
        ("module: m, function: f", "execution: {isolation: process}", RunOptions(isolation="thread"), False, None),
        ("module: m, function: f, pass_env: []", "", RunOptions(), True, ()),
    ],
)
def test_where_a_step_runs_and_what_it_sees(
    step: str, heading: str, options: RunOptions, own_process: bool, passed: tuple[str, ...] | None
) -> None:
    recipe = recipe_of(step, heading)

    found = settings_of(recipe, recipe.steps[0], options, {})

    assert (found.own_process, found.passed) == (own_process, passed)


@pytest.mark.parametrize(
    ("settings", "attempt", "chance", "expected"),
    [
        (Settings(delay=2), 5, 0.9, 2),
        (Settings(delay=2, backoff="linear"), 3, 0.9, 6),
        (Settings(delay=2, backoff="exponential"), 1, 0.9, 2),
        (Settings(delay=2, backoff="exponential"), 4, 0.9, 16),
        (Settings(delay=2, backoff="exponential", factor=3), 3, 0, 18),
        (Settings(delay=2, backoff="exponential", most_delay=10), 4, 0, 10),
        (Settings(delay=2, backoff="exponential", most_delay=10, jitter=0.5), 4, 0.5, 7.5),
        (Settings(delay=2, jitter=1), 1, 0.75, 0.5),
        (Settings(delay=1, backoff="exponential", factor=1e9), 99, 0, 86_400),
    ],
)
def test_how_long_a_step_waits_before_another_try(
    settings: Settings, attempt: int, chance: float, expected: float
) -> None:
    assert delay_after(settings, attempt, chance) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("error_handling: {retry_attempts: many}", "retry_attempts is 'many', not a number"),
        ("error_handling: {retry_attempts: 1.5}", "1.5 retries make no sense"),
        ("error_handling: {retry_attempts: 100}", "100 retries make no sense"),
        ("error_handling: {retry_delay: [1]}", "not a number"),
        ("timeout: soon", "timeout is 'soon', not a number"),
        ("timeout: -1", "timeout is -1"),
        ("timeout: .nan", "timeout is nan"),
        ("timeout: .inf", "timeout is inf"),
        ("timeout: 9999w", "timeout is 6.0474e+09"),
        ("error_handling: {retry_attempts: 1, retry_delay: .nan}", "retry_delay is nan"),
        ("error_handling: {backoff: quadratic}", "there is no backoff 'quadratic'"),
        ("error_handling: {jitter: 2}", "jitter is 2"),
        ("isolation: container", "there is no isolation 'container'"),
        ("pass_env: {A: 1}", "pass_env is"),
        ("limits: {ram: 5}", "are no limits"),
        ("limits: {memory: much}", "the limit memory is 'much'"),
        ("limits: {open_files: 5M}", "the limit open_files is '5M'"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(step: str, words: str) -> None:
    recipe = recipe_of(f"run: x, {step}")

    with pytest.raises(StepError) as caught:
        settings_of(recipe, recipe.steps[0], RunOptions(), {})

    assert words in caught.value.message
    assert caught.value.terminal


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("continue", True),
        ("log_and_continue", True),
        ("log_error_continue", True),
        ("fail_fast", False),
        ("rollback", False),
        ("wait_and_retry", False),
        ("discontinued", False),
    ],
)
def test_words_that_mean_going_on(word: str, expected: bool) -> None:
    assert continues(Step("one", "shell", (), retry=Retry(on_failure=word))) is expected


@pytest.mark.parametrize(
    ("result", "on_failure", "option", "expected"),
    [
        ({"outcome": Outcome.PASSED}, "fail_fast", False, Verdict()),
        ({"outcome": Outcome.SKIPPED}, "fail_fast", False, Verdict(skipped=True)),
        ({"outcome": Outcome.WAITING}, "fail_fast", False, Verdict(waits=True)),
        ({"outcome": Outcome.FAILED}, "fail_fast", False, Verdict(False, True, "one")),
        ({"outcome": Outcome.ERRORED}, "fail_fast", False, Verdict(False, True, "one")),
        ({"outcome": Outcome.FAILED}, "continue", False, Verdict(False, False, "one")),
        ({"outcome": Outcome.ERRORED}, "fail_fast", True, Verdict(False, False, "one")),
        ({"outcome": Outcome.ERRORED, "abandoned": True}, "continue", True, Verdict(False, True, "one")),
    ],
)
def test_what_an_end_means_to_the_others(
    result: dict[str, Any], on_failure: str, option: bool, expected: Verdict
) -> None:
    step = Step("one", "shell", (), retry=Retry(on_failure=on_failure))

    assert verdict_of(step, StepResult(**result), continue_on_error=option) == expected
