"""One step, from its condition to its end: the part that is the same for every step type."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from f0ci.core import plugins
from f0ci.core.cancellation import Cancellation
from f0ci.core.errors import F0ciError, InputError, StepError
from f0ci.core.outcome import Outcome
from f0ci.core.processes import BoundedOutput
from f0ci.core.suggestions import did_you_mean
from f0ci.expressions.errors import ExpressionError
from f0ci.recipes.model import Recipe, Step
from f0ci.recipes.records import StepRecord
from f0ci.runner.events import StepEnded, StepNoted, StepRetried, StepSkipped, StepStarted
from f0ci.runner.session import Session
from f0ci.runner.settings import Settings, settings_of
from f0ci.runner.steps.base import StepCall, StepResult

STEP_TYPES = "f0ci.runner.steps"


@dataclass(frozen=True, slots=True)
class Stepping:
    """What one step is run with.

    Attributes:
        session: the run.
        recipe: the recipe that holds the step.
        step: the step.
        path: its name; inside sub-recipes `parent/child`.
        scope: what its expressions see.
        cancellation: tells when to stop.
        run_recipe: runs another recipe inside a step, given its path, parameters and seconds.
    """

    session: Session
    recipe: Recipe
    step: Step
    path: str
    scope: Mapping[str, Any]
    cancellation: Cancellation
    run_recipe: Callable[[str, Mapping[str, Any], float | None], StepResult]


@dataclass(frozen=True, slots=True)
class Ended:
    """A step that is over.

    Attributes:
        result: how its last try ended, outputs unredacted.
        record: what the run record says of it, redacted.
    """

    result: StepResult
    record: StepRecord


def run_step(stepping: Stepping) -> Ended:
    """Run a step, if its condition holds, until it passes or may not be tried again."""
    session, step = stepping.session, stepping.step
    output = BoundedOutput()
    unfit: StepResult | None = None
    try:
        if not _holds(stepping):
            return skipped(session, step, stepping.path, "its condition is false")
        settings = settings_of(stepping.recipe, step, session.options, stepping.scope)
    except F0ciError as error:
        unfit, settings = _as_result(stepping, error), Settings()
    started, clock = session.clock.now(), time.monotonic()
    session.tell(StepStarted(stepping.path, step.kind, started))
    result, attempts = _tries(stepping, settings, output) if unfit is None else (unfit, 1)
    seconds = time.monotonic() - clock
    record = record_of(session, step, result, attempts, started, seconds, output)
    if result.outcome is not Outcome.PASSED:
        _note_failure(stepping)
    session.tell(StepEnded(stepping.path, result.outcome, attempts, seconds, record.message))
    return Ended(result, record)


def skipped(session: Session, step: Step, path: str, reason: str) -> Ended:
    """Return the end of a step that does not run, and tell of it."""
    session.tell(StepSkipped(path, reason))
    return Ended(StepResult(Outcome.SKIPPED, reason), StepRecord(step.name, Outcome.SKIPPED, message=reason))


def record_of(
    session: Session,
    step: Step,
    result: StepResult,
    attempts: int,
    started: datetime,
    seconds: float,
    output: BoundedOutput,
) -> StepRecord:
    """Return what the run record says of a step, without secrets."""
    redactor = session.redactor
    words = result.message if result.hint is None else f"{result.message}; {result.hint}"
    return StepRecord(
        name=step.name,
        outcome=result.outcome,
        attempts=attempts,
        started=started,
        ended=session.clock.now(),
        seconds=seconds,
        message=redactor.text(words),
        outputs=redactor.data(dict(result.outputs)),
        output=output.text(redactor),
        steps=result.steps,
    )


def check_kinds(recipe: Recipe) -> None:
    """Check that every step is of a known type.

    Raises:
        InputError: one is not; carries its place.
    """
    own = plugins.own_names(STEP_TYPES)
    known = {name.replace("-", "_") if name in own else name for name in plugins.names(STEP_TYPES)}
    for step in recipe.steps:
        if step.kind not in known:
            raise InputError(
                f"there is no step type {step.kind!r}",
                did_you_mean(step.kind, known, noun="there are"),
                place=str(recipe.document.location((*step.at, "type"))),
            )


def _holds(stepping: Stepping) -> bool:
    from f0ci.expressions.evaluation import evaluate_condition

    step = stepping.step
    try:
        return step.condition is None or evaluate_condition(step.condition, stepping.scope)
    except ExpressionError as error:
        raise _blame(stepping, "condition", error) from error


def _tries(stepping: Stepping, settings: Settings, output: BoundedOutput) -> tuple[StepResult, int]:
    session, cancellation = stepping.session, stepping.cancellation
    attempt = 0
    while True:
        attempt += 1
        result = _try_once(stepping, settings, output)
        done = result.outcome is Outcome.PASSED or result.terminal or result.abandoned or attempt == settings.attempts
        if done or cancellation.cancelled:
            return result, attempt
        message = session.redactor.text(result.message)
        session.tell(StepRetried(stepping.path, attempt, settings.attempts, settings.delay, message))
        session.pause(settings.delay, cancellation)
        if cancellation.reason:
            return replace(result, message=f"{result.message}; not tried again: {cancellation.reason}"), attempt


def _try_once(stepping: Stepping, settings: Settings, output: BoundedOutput) -> StepResult:
    session, step = stepping.session, stepping.step
    try:
        call = StepCall(
            step=step,
            dialect=stepping.recipe.dialect,
            recipe=stepping.recipe.path,
            path=stepping.path,
            arguments=_evaluated(stepping, step.arguments, step.arguments_key),
            variables=_evaluated(stepping, step.env, "env"),
            context=session.context.acting_as(stepping.path),
            root=session.root,
            environ=session.environ_of(stepping.path),
            timeout=settings.timeout,
            cancellation=stepping.cancellation,
            output=output,
            run_recipe=lambda path, params: stepping.run_recipe(path, params, settings.timeout),
        )
        result: StepResult = plugins.load(STEP_TYPES, step.kind, noun="step type").run(call)
    except F0ciError as error:
        return _as_result(stepping, error)
    except Exception as error:  # noqa: BLE001 - a step type of a third party may raise anything
        return StepResult(Outcome.FAILED, f"{type(error).__name__}: {error}")
    return _with_required_keys(stepping, result)


def _with_required_keys(stepping: Stepping, result: StepResult) -> StepResult:
    context = stepping.session.context
    missing = [key for key in stepping.step.ctx_has_keys if not context.has(key)]
    if result.outcome is not Outcome.PASSED or not missing:
        return result
    return replace(
        result,
        outcome=Outcome.FAILED,
        message=f"the context has no {', '.join(map(repr, missing))} afterwards, as 'success.ctx_has_keys' wants",
        hint=did_you_mean(missing[0], context.keys(), noun="it has"),
    )


def _evaluated(stepping: Stepping, data: Mapping[str, Any], key: str) -> dict[str, Any]:
    from f0ci.expressions.evaluation import evaluate

    try:
        # a copy, so that no step changes the configuration or the outputs that others see
        values = copy.deepcopy(evaluate(data, stepping.scope))
    except ExpressionError as error:
        raise _blame(stepping, key, error) from error
    filled: dict[str, Any] = stepping.session.secrets.filled_in(values, stepping.session.redactor)
    return filled


def _blame(stepping: Stepping, key: str, error: ExpressionError) -> InputError:
    place = stepping.recipe.document.location((*stepping.step.at, key, *error.at))
    return InputError(error.message, error.hint, place=str(place))


def _as_result(stepping: Stepping, error: F0ciError) -> StepResult:
    """Return the result that an error means: what trying again may mend is failed, what it cannot is errored."""
    if isinstance(error, StepError) and not error.terminal:
        return StepResult(Outcome.FAILED, error.message, error.hint)
    place = error.place or stepping.recipe.document.location(stepping.step.at)
    return StepResult(Outcome.ERRORED, f"{place}: {error.message}", error.hint, terminal=True)


def _note_failure(stepping: Stepping) -> None:
    session, step = stepping.session, stepping.step
    if step.retry.fallback is not None:
        session.tell(StepNoted(stepping.path, "fallback", session.redactor.text(str(step.retry.fallback))))
    if step.retry.notify:
        session.tell(StepNoted(stepping.path, "notify", "the recipe wants somebody told of this failure"))
    if step.retry.on_failure == "rollback":
        text = "the recipe wants this undone; a run undoes nothing, so it stops here as with 'fail_fast'"
        session.tell(StepNoted(stepping.path, "rollback", text))
