"""Step type `python`: Framework0's scriptlets as they are.

A class is built without arguments; `execute(context, params)` is called where it has one, else `run(context, params)`.
A plain function whose first parameter is called `context` or `ctx`, or annotated `Context`, is called as
`function(context, params)` or `function(context, **params)`, any other as `function(**params)`.

A scriptlet runs in a thread of f0ci's process, because it shares the context with the steps beside it. A thread cannot
be ended from outside: a scriptlet that takes longer than its timeout is left behind, its step is errored, and the run
stops.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from f0ci.core.errors import F0ciError, StepError
from f0ci.core.outcome import Outcome
from f0ci.recipes.model import Dialect
from f0ci.runner.modules import describe, find_target
from f0ci.runner.output import collecting
from f0ci.runner.steps.base import StepCall, StepResult, as_json

FAILURE_WORDS = frozenset({"error", "errored", "failed", "failure"})
_CONTEXT_NAMES = frozenset({"context", "ctx"})


def run(call: StepCall) -> StepResult:
    """Run a python step's scriptlet once."""
    future: Future[StepResult] = Future()
    threading.Thread(target=_settle, args=(future, call), name=f"f0ci-{call.path}", daemon=True).start()
    either: list[Future[Any]] = [future, call.cancellation.requested]
    wait(either, timeout=call.timeout, return_when=FIRST_COMPLETED)
    if future.done():
        return future.result()
    if call.cancellation.cancelled:
        reason = f"{call.cancellation.reason}; a python step cannot be ended, it was left behind"
        return StepResult(Outcome.ERRORED, reason, terminal=True, abandoned=True)
    return StepResult(
        Outcome.ERRORED,
        f"still running after its time of {call.timeout:g}s; a python step cannot be ended, so the run stops",
        "raise the step's 'timeout', or start the work as a program from a shell step, which can be ended",
        terminal=True,
        abandoned=True,
    )


def _settle(future: Future[StepResult], call: StepCall) -> None:
    try:
        future.set_result(_run_here(call))
    except BaseException as error:  # noqa: BLE001 - the waiting thread raises it
        future.set_exception(error)


def _run_here(call: StepCall) -> StepResult:
    with collecting(call.output):
        invoke = _invocation(call)
        try:
            answer = invoke()
        except F0ciError:
            raise
        except SystemExit as stop:
            answer = (
                stop.code
                if isinstance(stop.code, int) or stop.code is None
                else {"status": "failed", "error": stop.code}
            )
        except Exception as error:  # noqa: BLE001 - whatever a scriptlet raises is its failure
            import traceback

            call.output.write("".join(traceback.format_exception(error)).encode("utf-8", errors="replace"))
            return StepResult(Outcome.FAILED, describe(error, call.root))
        return interpret(answer, call.step.outputs)


def _invocation(call: StepCall) -> Callable[[], Any]:
    """Return the scriptlet's call, ready to be made.

    Raises:
        StepError: there is no such scriptlet, or it cannot be called with these arguments.
    """
    step = call.step
    if not step.module or not step.function:
        raise StepError(
            "a python step needs 'module' and 'function'",
            "name the scriptlet's module and class",
            terminal=True,
        )
    fallback = "scriptlets" if call.dialect is Dialect.TEMPLATE else None
    target = find_target(step.module, step.function, call.root, fallback=fallback)
    params = dict(call.arguments)
    if inspect.isclass(target):
        return _of_class(target, call, params)
    if not callable(target):
        raise StepError(
            f"{step.function!r} of {step.module!r} is neither a class nor a function",
            "name the scriptlet",
            terminal=True,
        )
    return _of_function(target, call, params)


def _of_class(target: type, call: StepCall, params: dict[str, Any]) -> Callable[[], Any]:
    try:
        inspect.signature(target).bind()
    except TypeError as error:
        raise StepError(
            f"class {target.__name__!r} cannot be built without arguments: {error}",
            "give its arguments defaults",
            terminal=True,
        ) from error
    except ValueError:
        # a class written in C tells no signature; building it will show
        pass
    name = next((name for name in ("execute", "run") if callable(getattr(target, name, None))), None)
    if name is None:
        raise StepError(
            f"class {target.__name__!r} has neither 'execute' nor 'run'",
            "write run(self, context, params)",
            terminal=True,
        )
    return lambda: getattr(target(), name)(call.context, params)


def _of_function(function: Callable[..., Any], call: StepCall, params: dict[str, Any]) -> Callable[[], Any]:
    try:
        signature = inspect.signature(function)
    except ValueError:
        return lambda: function(call.context, params)
    items = [item for item in signature.parameters.values() if item.kind is not item.VAR_KEYWORD]
    ways: list[tuple[tuple[Any, ...], dict[str, Any]]] = [((), params)]
    if items and _is_context(items[0]) and items[0].name not in params:
        ways = [((call.context, params), {}), ((call.context,), params)]
        if len(items) > 1 and items[1].name in params:
            ways.reverse()
    for positional, keywords in ways:
        try:
            signature.bind(*positional, **keywords)
        except TypeError:
            continue
        return lambda: function(*positional, **keywords)
    raise StepError(
        f"function {call.step.function!r} does not take the arguments {', '.join(map(repr, params)) or 'none'}",
        f"it takes {signature}",
        terminal=True,
    )


def _is_context(parameter: inspect.Parameter) -> bool:
    annotation = (
        parameter.annotation if isinstance(parameter.annotation, str) else getattr(parameter.annotation, "__name__", "")
    )
    return parameter.name.strip("_") in _CONTEXT_NAMES or annotation.rpartition(".")[2] == "Context"


def interpret(answer: Any, declared: tuple[str, ...] = ()) -> StepResult:
    """Return what a scriptlet's answer means.

    | answer | outcome | outputs |
    |---|---|---|
    | None, True, 0 | passed | none |
    | False, another integer | failed | none |
    | mapping whose `status` is error, errored, failed or failure | failed | the mapping |
    | any other mapping | passed | the mapping |
    | object with `success` or `exit_code` | as they say | its `data` or `outputs` |
    | anything else | passed | the answer, under the one declared output, else `result` |

    Args:
        answer: what the scriptlet returned.
        declared: outputs that the step declares.
    """
    if answer is None or answer is True:
        return StepResult(Outcome.PASSED)
    if answer is False:
        return StepResult(Outcome.FAILED, "returned False")
    if isinstance(answer, int):
        return StepResult(Outcome.PASSED) if answer == 0 else StepResult(Outcome.FAILED, f"returned {answer}")
    if inspect.iscoroutine(answer):
        answer.close()
        raise StepError(
            "the scriptlet is a coroutine, which nobody awaits", "call asyncio.run inside it", terminal=True
        )
    if isinstance(answer, Mapping):
        outputs = as_json(answer)
        status = answer.get("status")
        if isinstance(status, str) and status.casefold() in FAILURE_WORDS:
            return StepResult(Outcome.FAILED, _reason(answer.get, f"returned status {status!r}"), outputs=outputs)
        return StepResult(Outcome.PASSED, outputs=outputs)
    if hasattr(answer, "success") or hasattr(answer, "exit_code"):
        return _of_result_object(answer)
    return StepResult(Outcome.PASSED, outputs={declared[0] if len(declared) == 1 else "result": as_json(answer)})


def _of_result_object(answer: Any) -> StepResult:
    success, code = getattr(answer, "success", True), getattr(answer, "exit_code", 0)
    data = next(
        (value for name in ("data", "outputs") if isinstance(value := getattr(answer, name, None), Mapping)),
        {},
    )
    outputs = as_json(data)
    if success and code in {0, None}:
        return StepResult(Outcome.PASSED, outputs=outputs)
    told = f"returned exit code {code}" if code else "returned success False"
    return StepResult(Outcome.FAILED, _reason(lambda name: getattr(answer, name, None), told), outputs=outputs)


def _reason(look_up: Callable[[str], Any], told: str) -> str:
    words = next(
        (text for name in ("error", "message", "error_details") if isinstance(text := look_up(name), str) and text),
        None,
    )
    return f"{told}: {words}" if words else told
