"""One step, from its condition to its end: the part that is the same for every step type."""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from f0ci.core import plugins
from f0ci.core.cancellation import Cancellation
from f0ci.core.errors import F0ciError, InputError, StepError
from f0ci.core.outcome import Outcome
from f0ci.core.processes import BoundedOutput
from f0ci.core.values import dataclass
from f0ci.expressions.errors import ExpressionError
from f0ci.recipes.model import Recipe, Step
from f0ci.recipes.reading import step_from
from f0ci.recipes.records import StepRecord
from f0ci.runner.conditions import judged
from f0ci.runner.events import StepEnded, StepNoted, StepRetried, StepSkipped, StepStarted, StepWaiting
from f0ci.runner.isolation import declared_environment
from f0ci.runner.journal import JournalError
from f0ci.runner.kinds import STEP_TYPES
from f0ci.runner.session import Session
from f0ci.runner.settings import SAID_BY_STEPS, Settings, delay_after, settings_of
from f0ci.runner.steps.base import StepCall, StepResult, as_json

_OWN_KINDS = frozenset({"python", "shell", "sub_recipe", "http", "wait"})


@dataclass(frozen=True, slots=True)
class Stepping:
    """What one step is run with.

    Attributes:
        session: the run.
        recipe: the recipe that holds the step.
        step: the step.
        path: its name; inside sub-recipes `parent/child`.
        round: attempts of the sub-recipe steps around it, as `1.2`.
        scope: what its expressions see.
        cancellation: tells when to stop.
        run_recipe: runs another recipe inside a step, given its path, parameters, seconds and the step's attempt.
    """

    session: Session
    recipe: Recipe
    step: Step
    path: str
    round: str
    scope: Mapping[str, Any]
    cancellation: Cancellation
    run_recipe: Callable[[str, Mapping[str, Any], float | None, int], StepResult]


@dataclass(frozen=True, slots=True)
class Ended:
    """A step that is over, or waits.

    Attributes:
        result: how its last try ended, outputs unredacted.
        record: what the run record says of it, redacted.
    """

    result: StepResult
    record: StepRecord


def run_step(stepping: Stepping) -> Ended:
    """Run a step, if its condition holds, until it passes, waits, or may not be tried again."""
    session, step = stepping.session, stepping.step
    output = BoundedOutput()
    unfit: StepResult | None = None
    try:
        if not _holds(stepping):
            return skipped(session, step, stepping.path, "its condition is false")
        settings = _settings(stepping)
    except F0ciError as error:
        unfit, settings = _as_result(stepping, error), Settings()
    recalled = session.recorder.recalled(stepping.path, stepping.round)
    since = None if recalled is None else recalled.since
    started, clock = session.clock.now(), time.monotonic()
    session.tell(StepStarted(stepping.path, step.kind, started))
    begun, before = (since or started, 0 if recalled is None else recalled.attempts)
    result, attempts = (unfit, 1) if unfit is not None else _tries(stepping, settings, output, begun, before)
    seconds = time.monotonic() - clock + (0.0 if recalled is None else recalled.record.seconds)
    if result.outcome > Outcome.WAITING:
        result = _fallen_back(stepping, settings, output, begun, result, attempts)
    record = record_of(session, step, result, attempts, begun, seconds, output)
    if result.outcome is Outcome.WAITING:
        session.tell(StepWaiting(stepping.path, record.message, result.next_check))
        return Ended(result, record)
    if result.outcome is not Outcome.PASSED:
        _note_failure(stepping)
    session.tell(StepEnded(stepping.path, result.outcome, attempts, seconds, record.message))
    return Ended(result, record)


def _settings(stepping: Stepping) -> Settings:
    """Return how a step is tried; steps that say nothing of it share what follows from the run and the recipe."""
    session, recipe, step = stepping.session, stepping.recipe, stepping.step
    of_parameters = isinstance(recipe.document.get(("execution", "retry_attempts")), str)
    if of_parameters or not SAID_BY_STEPS.isdisjoint(step.raw):
        return settings_of(recipe, step, session.options, stepping.scope)
    key = (recipe.path, step.kind)
    if key not in session.settings:
        session.settings[key] = settings_of(recipe, step, session.options, stepping.scope)
    return session.settings[key]


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
        ended=None if result.outcome is Outcome.WAITING else session.clock.now(),
        seconds=seconds,
        message=redactor.text(words),
        outputs=redactor.data(dict(result.outputs)),
        output=output.text(redactor),
        steps=result.steps,
    )


def _holds(stepping: Stepping) -> bool:
    step = stepping.step
    if step.condition is None:
        return True
    from f0ci.expressions.evaluation import evaluate_condition

    try:
        return evaluate_condition(step.condition, stepping.scope)
    except ExpressionError as error:
        raise _blame(stepping, "condition", error) from error


def _tries(
    stepping: Stepping, settings: Settings, output: BoundedOutput, since: datetime, before: int
) -> tuple[StepResult, int]:
    """Try a step until it passes, waits, or may not be tried again.

    Args:
        stepping: the step.
        settings: how it is tried.
        output: takes what it prints.
        since: when its first try began, in whatever process.
        before: tries that failed in earlier processes.
    """
    session, cancellation = stepping.session, stepping.cancellation
    attempt = min(before, settings.attempts - 1)
    while True:
        attempt += 1
        began = session.clock.now()
        result = _try_once(stepping, settings, output, attempt, since, began)
        done = result.outcome <= Outcome.WAITING or result.terminal or result.abandoned
        if done or attempt == settings.attempts or cancellation.cancelled:
            return result, attempt
        message = session.redactor.text(result.message)
        delay = delay_after(settings, attempt, random.random())  # noqa: S311 - chance, not secrecy
        session.recorder.attempt(stepping.path, stepping.round, attempt, began, message)
        session.tell(StepRetried(stepping.path, attempt, settings.attempts, delay, message))
        session.pause(delay, cancellation)
        if cancellation.reason:
            return replace(result, message=f"{result.message}; not tried again: {cancellation.reason}"), attempt


def _try_once(
    stepping: Stepping, settings: Settings, output: BoundedOutput, attempt: int, since: datetime, now: datetime
) -> StepResult:
    session, step, path = stepping.session, stepping.step, stepping.path
    try:
        environ = session.environ_of(path)
        call = StepCall(
            step=step,
            dialect=stepping.recipe.dialect,
            recipe=stepping.recipe.path,
            path=path,
            arguments=_evaluated(stepping, step.arguments, step.arguments_key),
            variables=_evaluated(stepping, step.env, "env"),
            context=session.context.acting_as(path, attempt, session.idempotency_key_of(path)),
            root=session.root,
            environ=environ
            if settings.passed is None
            else declared_environment(environ, (*settings.passed, *session.options.variables)),
            timeout=settings.timeout,
            cancellation=stepping.cancellation,
            output=output,
            run_recipe=lambda file, params: stepping.run_recipe(file, params, settings.timeout, attempt),
            since=since,
            now=now,
            signals=session.recorder.signals(path) if step.kind not in {"python", "shell", "http"} else (),
            own_process=settings.own_process,
            limits=settings.limits,
            unending=lambda begins: (session.unending.add if begins else session.unending.discard)(path),
            lifeline=session.lifeline,
        )
        result = plugins.load(STEP_TYPES, step.kind, noun="step type").run(call)
        if step.kind not in _OWN_KINDS:
            result = _checked(step, result)
    except JournalError:
        # not the step's: nothing may go on that cannot be recorded
        raise
    except F0ciError as error:
        return _as_result(stepping, error)
    except Exception as error:  # noqa: BLE001 - a step type of a third party may raise anything
        return StepResult(Outcome.FAILED, f"{type(error).__name__}: {error}")
    try:
        return judged(step, result, session.context, stepping.scope)
    except ExpressionError as error:
        return _as_result(stepping, _blame(stepping, "success", error))
    except StepError as error:
        return _as_result(stepping, error)


def _checked(step: Step, result: Any) -> StepResult:
    """Return what a third party's step type answered, as something that can be recorded."""
    if not isinstance(result, StepResult):
        raise StepError(f"the step type {step.kind!r} answered {result!r}, no StepResult", terminal=True)
    return replace(result, outputs=as_json(result.outputs))


def _evaluated(stepping: Stepping, data: Mapping[str, Any], key: str) -> dict[str, Any]:
    if not data:
        return {}
    session = stepping.session
    if session.plan.is_literal(stepping.recipe, stepping.step.at, key, data):
        plain: dict[str, Any] = _copied(data)
        return plain
    from f0ci.expressions.evaluation import evaluate

    try:
        # a copy, so that no step changes the configuration or the outputs that others see
        values = copy.deepcopy(evaluate(data, stepping.scope))
    except ExpressionError as error:
        raise _blame(stepping, key, error) from error
    filled: dict[str, Any] = session.secrets.filled_in(values, session.redactor, session.sealer)
    return filled


def _copied(value: Any) -> Any:
    if isinstance(value, str | int | float) or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list | tuple) else value


def _blame(stepping: Stepping, key: str, error: ExpressionError) -> InputError:
    place = stepping.recipe.document.location((*stepping.step.at, key, *error.at))
    return InputError(error.message, error.hint, place=str(place))


def _as_result(stepping: Stepping, error: F0ciError) -> StepResult:
    """Return the result that an error means: what trying again may mend is failed, what it cannot is errored."""
    if isinstance(error, StepError) and not error.terminal:
        return StepResult(Outcome.FAILED, error.message, error.hint)
    place = error.place or stepping.recipe.document.location(stepping.step.at)
    return StepResult(Outcome.ERRORED, f"{place}: {error.message}", error.hint, terminal=True)


def fallback_of(recipe: Recipe, step: Step) -> Step | None:
    """Return what a recipe wants done in place of a step that failed, or None where it only names it.

    `fallback_action` may hold a step (without a name), or name another step of the recipe.
    """
    action = step.retry.fallback
    if isinstance(action, Mapping):
        at = (*step.at, "error_handling", "fallback_action")
        return replace(step_from({**action, "name": step.name}, at, recipe.dialect), outputs=step.outputs)
    other = recipe.step(action) if isinstance(action, str) else None
    return None if other is None or other.name == step.name else replace(other, name=step.name, condition=None)


def _fallen_back(
    stepping: Stepping,
    settings: Settings,
    output: BoundedOutput,
    since: datetime,
    result: StepResult,
    attempt: int,
) -> StepResult:
    session = stepping.session
    fallback = fallback_of(stepping.recipe, stepping.step)
    if fallback is None or result.abandoned or stepping.cancellation.cancelled:
        return result
    session.tell(StepNoted(stepping.path, "fallback", "its fallback action runs"))
    own = replace(settings, timeout=fallback.timeout or settings.timeout)
    after = _try_once(replace(stepping, step=fallback), own, output, attempt, since, session.clock.now())
    if after.outcome is Outcome.PASSED:
        return replace(after, message=f"its fallback action passed after: {result.message}")
    return replace(result, message=f"{result.message}; its fallback action {after.outcome}: {after.message}")


def _note_failure(stepping: Stepping) -> None:
    session, step = stepping.session, stepping.step
    if step.retry.fallback is not None and fallback_of(stepping.recipe, step) is None:
        session.tell(StepNoted(stepping.path, "fallback", session.redactor.text(str(step.retry.fallback))))
    if step.retry.notify:
        session.tell(StepNoted(stepping.path, "notify", "the recipe wants somebody told of this failure"))
