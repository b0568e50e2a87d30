"""How often and how long a step is tried: what it says itself, else the run's options, else the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from f0ci.core.duration import parse_duration
from f0ci.core.errors import StepError
from f0ci.recipes.model import Recipe, Step
from f0ci.runner.options import RunOptions

MOST_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Settings:
    """How a step is tried.

    Attributes:
        attempts: tries at most, 1 or more.
        delay: seconds before another try.
        timeout: seconds a try may take, or None.
    """

    attempts: int = 1
    delay: float = 0.0
    timeout: float | None = None


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
    delay = _first(_seconds(own.get("retry_delay"), "retry_delay", scope), options.retry_delay, 0.0)
    timeout = _seconds(step.raw.get("timeout", step.raw.get("timeout_seconds")), "timeout", scope)
    if timeout is None and step.kind != "sub_recipe":
        timeout = options.step_timeout
    return Settings(int(retries) + 1, max(0.0, delay), timeout)


def continues(step: Step) -> bool:
    """Tell whether a recipe goes on after a failure of the step: `continue`, `log_and_continue` and the like."""
    return "continue" in step.retry.on_failure.split("_")


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)


def _number(value: Any, what: str, scope: Mapping[str, Any]) -> float | None:
    from f0ci.expressions.evaluation import evaluate

    value = evaluate(value, scope)
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise StepError(f"{what} is {value!r}, not a number", "give a number", terminal=True) from None


def _seconds(value: Any, what: str, scope: Mapping[str, Any]) -> float | None:
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
