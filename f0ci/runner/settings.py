"""How often, how long and where a step is tried: what it says itself, else the run's options, else the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from f0ci.core.duration import parse_duration
from f0ci.core.errors import StepError
from f0ci.core.values import dataclass
from f0ci.recipes.model import Recipe, Step
from f0ci.runner.isolation import limits_from
from f0ci.runner.options import MOST, RunOptions
from f0ci.runner.steps.base import NO_LIMITS, Limits

MOST_ATTEMPTS = 100
# seconds; a run that has to wait longer is better off with a step of type wait
LONGEST_DELAY = 86_400.0
# keys of a step that decide how it is tried
SAID_BY_STEPS = frozenset({"error_handling", "timeout", "timeout_seconds", "isolation", "pass_env", "limits"})
_BACKOFFS = ("fixed", "linear", "exponential")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a step is tried.

    Attributes:
        attempts: tries at most, 1 or more.
        delay: seconds before the second try.
        timeout: seconds a try may take, or None.
        backoff: how further waits follow from the delay: `fixed`, `linear` or `exponential`.
        factor: of `exponential`.
        most_delay: seconds that no wait exceeds, or None.
        jitter: part of each wait, 0 to 1, that chance may take away.
        own_process: True where each try gets a process of its own.
        passed: names and patterns of the variables its processes see, or None where they see the run's environment.
        limits: what its processes may use.
    """

    attempts: int = 1
    delay: float = 0.0
    timeout: float | None = None
    backoff: str = "fixed"
    factor: float = 2.0
    most_delay: float | None = None
    jitter: float = 0.0
    own_process: bool = False
    passed: tuple[str, ...] | None = None
    limits: Limits = NO_LIMITS


def settings_of(recipe: Recipe, step: Step, options: RunOptions, scope: Mapping[str, Any]) -> Settings:
    """Return a step's settings; numbers may be expressions.

    Raises:
        ExpressionError: an expression has no value.
        StepError: a value is no number, or one that makes no sense.
    """
    handling = step.raw.get("error_handling")
    own: Mapping[str, Any] = handling if isinstance(handling, Mapping) else {}
    retries = _first(
        _number(own.get("retry_attempts", own.get("max_retries")), "retry_attempts", scope),
        options.max_retries,
        _number(recipe.document.get(("execution", "retry_attempts")), "retry_attempts", scope),
        0,
    )
    if not 0 <= retries < MOST_ATTEMPTS or retries != int(retries):
        raise StepError(f"{retries:g} retries make no sense", f"give 0 to {MOST_ATTEMPTS - 1}", terminal=True)
    timeout = _seconds(step.raw.get("timeout", step.raw.get("timeout_seconds")), "timeout", scope)
    if timeout is None and step.kind not in {"sub_recipe", "wait"}:
        timeout = options.step_timeout
    limits = limits_from(step.raw.get("limits"))
    passed = _passed(recipe, step)
    isolation = _isolation(recipe, step, options)
    asked_for = isolation == "process" or passed is not None
    if passed is None and (step.kind == "shell" or isolation == "process"):
        passed = ()
    return Settings(
        attempts=int(retries) + 1,
        delay=max(0.0, _first(_seconds(own.get("retry_delay"), "retry_delay", scope), options.retry_delay, 0.0)),
        timeout=timeout,
        backoff=_backoff(own),
        factor=_first(_number(own.get("backoff_factor"), "backoff_factor", scope), 2.0),
        most_delay=_seconds(own.get("max_delay"), "max_delay", scope),
        jitter=_jitter(own.get("jitter"), scope),
        own_process=asked_for or (isolation is None and (timeout is not None or limits != NO_LIMITS)),
        passed=passed,
        limits=limits,
    )


def delay_after(settings: Settings, attempt: int, chance: float) -> float:
    """Return the seconds between a failed try and the next.

    | backoff | after try n |
    |---|---|
    | `fixed` | `delay` |
    | `linear` | `delay * n` |
    | `exponential` | `delay * factor ** (n - 1)` |

    At most `most_delay`; then `jitter` of it is left to chance, so that many runs do not come back at once.

    Args:
        settings: the step's.
        attempt: the try that failed, from 1.
        chance: a number from 0 to below 1.
    """
    try:
        growth = {"fixed": 1.0, "linear": float(attempt)}.get(settings.backoff) or settings.factor ** (attempt - 1)
    except OverflowError:
        growth = LONGEST_DELAY
    delay = min(settings.delay * growth, LONGEST_DELAY if settings.most_delay is None else settings.most_delay)
    return delay * (1.0 - settings.jitter * chance)


def continues(step: Step) -> bool:
    """Tell whether a recipe goes on after a failure of the step: `continue`, `log_and_continue` and the like."""
    return "continue" in step.retry.on_failure.split("_")


def _backoff(own: Mapping[str, Any]) -> str:
    word = str(own.get("backoff", own.get("backoff_strategy", "fixed")))
    if word not in _BACKOFFS:
        raise StepError(f"there is no backoff {word!r}", f"there are {', '.join(_BACKOFFS)}", terminal=True)
    return word


def _jitter(value: Any, scope: Mapping[str, Any]) -> float:
    jitter = _number(float(value) if isinstance(value, bool) else value, "jitter", scope) or 0.0
    if not 0 <= jitter <= 1:
        raise StepError(f"jitter is {jitter:g}", "give true, false or a part from 0 to 1", terminal=True)
    return jitter


def _isolation(recipe: Recipe, step: Step, options: RunOptions) -> str | None:
    word = step.raw.get("isolation") or options.isolation or recipe.document.get(("execution", "isolation"))
    if word not in {None, "process", "thread"}:
        raise StepError(f"there is no isolation {word!r}", "there are 'process' and 'thread'", terminal=True)
    return word


def _passed(recipe: Recipe, step: Step) -> tuple[str, ...] | None:
    found: list[str] = []
    written = [recipe.document.get(("execution", "pass_env")), step.raw.get("pass_env")]
    for names in written:
        if isinstance(names, str):
            found.append(names)
        elif isinstance(names, list) and all(isinstance(name, str) for name in names):
            found += names
        elif names is not None:
            raise StepError(
                f"pass_env is {names!r}", "list names of variables, or patterns such as AWS_*", terminal=True
            )
    return tuple(found) if any(names is not None for names in written) else None


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)


def _number(value: Any, what: str, scope: Mapping[str, Any]) -> float | None:
    if value is None:
        return None
    if isinstance(value, str):
        from f0ci.expressions.evaluation import evaluate

        value = evaluate(value, scope)
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise StepError(f"{what} is {value!r}, not a number", "give a number", terminal=True) from None
    if not isfinite(number) or number > MOST:
        raise StepError(f"{what} is {number:g}", f"give a number up to {MOST:g}", terminal=True)
    return number


def _seconds(value: Any, what: str, scope: Mapping[str, Any]) -> float | None:
    if value is None:
        return None
    if isinstance(value, str):
        from f0ci.expressions.evaluation import evaluate

        value = evaluate(value, scope)
    if isinstance(value, str):
        try:
            value = parse_duration(value).total_seconds()
        except ValueError:
            value = value.strip()
    seconds = _number(value, what, {})
    if seconds is not None and seconds < 0:
        raise StepError(f"{what} is {seconds:g}", "give 0 or more seconds", terminal=True)
    # as everywhere in Framework0, a timeout of 0 is none
    return seconds if seconds or what != "timeout" else None
