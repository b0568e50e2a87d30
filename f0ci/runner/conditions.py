"""What must be true after a step for it to have passed: `success`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from f0ci.core.errors import StepError
from f0ci.core.outcome import Outcome
from f0ci.core.suggestions import did_you_mean
from f0ci.recipes.model import Step
from f0ci.runner.context import Context
from f0ci.runner.steps.base import StepResult
from f0ci.source.schema import type_name

# what each may be
_KINDS: Mapping[str, tuple[type, ...]] = {
    "ctx_has_keys": (str, list),
    "ctx_equals": (dict,),
    "outputs_have": (str, list),
    "outputs_match": (dict,),
    "condition": (str, bool),
}
_KNOWN = ", ".join(_KINDS)


def judged(step: Step, result: StepResult, context: Context, scope: Mapping[str, Any]) -> StepResult:
    """Return a passed result as it is, or as failed where `success` is not fulfilled.

    | `success` | what must be true |
    |---|---|
    | `ctx_has_keys: [a.b]` | the context has the keys |
    | `ctx_equals: {a.b: 1}` | the context has these values |
    | `outputs_have: [name]` | the step has the outputs |
    | `outputs_match: {...}` | the outputs fit a JSON Schema |
    | `condition: "#{outputs.rows > 0}"` | the expression is true; it sees `outputs` and what conditions see |

    What is not among them, or cannot be read, is never taken for fulfilled.

    Raises:
        ExpressionError: the condition has no value.
        StepError: what `success` wants cannot be told.
    """
    wanted = step.raw.get("success")
    if result.outcome is not Outcome.PASSED or wanted is None:
        return result
    if not isinstance(wanted, Mapping):
        raise StepError(f"'success' is {type_name(wanted)}, not a mapping", f"give any of {_KNOWN}", terminal=True)
    unknown = next((key for key in wanted if key not in _KINDS), None)
    if unknown is not None:
        raise StepError(f"'success' knows no {unknown!r}", did_you_mean(str(unknown), _KINDS), terminal=True)
    for key, kinds in _KINDS.items():
        if key in wanted and not isinstance(wanted[key], kinds):
            wrong = f"'success.{key}' is {type_name(wanted[key])}"
            raise StepError(wrong, "see 'success' in docs/running.md", terminal=True)
    for message, hint in _unfulfilled(step, wanted, result, context, scope):
        return replace(result, outcome=Outcome.FAILED, message=message, hint=hint)
    return result


def _unfulfilled(
    step: Step, wanted: Mapping[str, Any], result: StepResult, context: Context, scope: Mapping[str, Any]
) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    missing = [key for key in step.ctx_has_keys if not context.has(key)]
    if missing:
        names = ", ".join(map(repr, missing))
        hint = did_you_mean(missing[0], context.keys(), noun="it has")
        found.append((f"the context has no {names} afterwards, as 'success.ctx_has_keys' wants", hint))
    for key, value in wanted.get("ctx_equals", {}).items():
        if not context.has(key) or context.get(key) != value:
            has = repr(context.get(key)) if context.has(key) else "nothing"
            found.append((f"the context has {has} under {key!r}, not {value!r} as 'success.ctx_equals' wants", None))
    absent = [name for name in _names(wanted.get("outputs_have")) if name not in result.outputs]
    if absent:
        hint = did_you_mean(absent[0], list(result.outputs), noun="it has")
        found.append((f"there is no output {absent[0]!r}, as 'success.outputs_have' wants", hint))
    if "outputs_match" in wanted:
        found += _mismatches(wanted["outputs_match"], result.outputs)
    if not found and "condition" in wanted:
        from f0ci.expressions.evaluation import evaluate_condition

        if not evaluate_condition(wanted["condition"], {**scope, "outputs": result.outputs}):
            found.append((f"'success.condition' is not fulfilled: {wanted['condition']}", None))
    return found


def _mismatches(schema: Mapping[str, Any], outputs: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    from f0ci.source.schema import check_against

    try:
        problems = check_against(dict(schema), dict(outputs))
    except Exception as error:
        # a schema of somebody else may be wrong in any way
        message = f"the schema of 'success.outputs_match' cannot be used: {type(error).__name__}"
        raise StepError(message, "correct it; it is a JSON Schema", terminal=True) from error
    return [
        (f"outputs {'.'.join(map(str, problem.path))}: {problem.message}".replace(" :", ":"), problem.hint)
        for problem in problems
    ]


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(map(str, value)) if isinstance(value, list) else ()
