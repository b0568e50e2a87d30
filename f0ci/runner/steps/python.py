"""Step type `python`: Framework0's scriptlets as they are.

A class is built without arguments; `execute(context, params)` is called where it has one, else `run(context, params)`.
A plain function whose first parameter is called `context` or `ctx`, or annotated `Context`, is called as
`function(context, params)` or `function(context, **params)`, any other as `function(**params)`.

Without a time limit a scriptlet runs in a thread of f0ci's process, beside the others: that is fast, and it cannot be
ended from outside. With a `timeout`, `limits` or `isolation: process` it runs in a process of its own, which can.
"""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from f0ci.core.errors import F0ciError, StepError
from f0ci.core.outcome import Outcome
from f0ci.runner.modules import describe, find_target
from f0ci.runner.output import collecting
from f0ci.runner.steps.base import StepCall, StepResult, as_json

FAILURE_WORDS = frozenset({"error", "errored", "failed", "failure"})
_CONTEXT_NAMES = frozenset({"context", "ctx"})
# how functions are called, by the names of the arguments that steps give
_ways: WeakKeyDictionary[Callable[..., Any], dict[tuple[str, ...], str]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Scriptlet:
    """What is called, and with what.

    Attributes:
        module: dotted path.
        function: class or function.
        params: its parameters.
        outputs: outputs that the step declares.
        fallback: a package that may hold the module where the tree's root does not, or None.
    """

    module: str
    function: str
    params: Mapping[str, Any]
    outputs: tuple[str, ...] = ()
    fallback: str | None = None


def run(call: StepCall) -> StepResult:
    """Run a python step's scriptlet once."""
    step = call.step
    if not step.module or not step.function:
        raise StepError(
            "a python step needs 'module' and 'function'",
            "name the scriptlet's module and class",
            terminal=True,
        )
    fallback = "scriptlets" if call.dialect == "template" else None
    scriptlet = Scriptlet(step.module, step.function, call.arguments, step.outputs, fallback)
    if call.own_process:
        from f0ci.runner.isolation import run_apart

        return run_apart(call, scriptlet)
    if call.timeout is not None:
        return _within_time(call, scriptlet)
    call.unending(True)
    try:
        return _here(call, scriptlet)
    finally:
        call.unending(False)


def _within_time(call: StepCall, scriptlet: Scriptlet) -> StepResult:
    """Run a scriptlet in this process for as long as its time lasts: then it is left behind, and the run stops."""
    future: Future[StepResult] = Future()
    arguments = (future, call, scriptlet)
    threading.Thread(target=_settle, args=arguments, name=f"f0ci-{call.path}", daemon=True).start()
    either: list[Future[Any]] = [future, call.cancellation.requested]
    wait(either, timeout=call.timeout, return_when=FIRST_COMPLETED)
    if future.done():
        return future.result()
    if call.cancellation.cancelled:
        reason = f"{call.cancellation.reason}; a python step in f0ci's process cannot be ended, it was left behind"
        return StepResult(Outcome.ERRORED, reason, terminal=True, abandoned=True)
    return StepResult(
        Outcome.ERRORED,
        f"still running after its time of {call.timeout:g}s; a step with 'isolation: thread' cannot be ended, so the"
        " run stops",
        "raise the step's 'timeout', or take 'isolation: thread' away, so that it runs in a process of its own",
        terminal=True,
        abandoned=True,
    )


def _settle(future: Future[StepResult], call: StepCall, scriptlet: Scriptlet) -> None:
    try:
        future.set_result(_here(call, scriptlet))
    except BaseException as error:  # noqa: BLE001 - the waiting thread raises it
        future.set_exception(error)


def _here(call: StepCall, scriptlet: Scriptlet) -> StepResult:
    with collecting(call.output):
        return perform(scriptlet, call.context, call.root, lambda text: call.output.write(text.encode()))


def perform(scriptlet: Scriptlet, context: Any, root: Path, write: Callable[[str], object]) -> StepResult:
    """Call a scriptlet in this process and say what its answer means.

    Args:
        scriptlet: what to call.
        context: the run's values.
        root: the tree; `importing_from` must be active for it.
        write: takes the traceback of what it raises.

    Raises:
        StepError: there is no such scriptlet, or it cannot be called with these arguments.
    """
    invoke = _invocation(scriptlet, context, root)
    process = os.getpid()
    try:
        answer = invoke()
    except F0ciError:
        raise
    except SystemExit as stop:
        answer = (
            stop.code if isinstance(stop.code, int) or stop.code is None else {"status": "failed", "error": stop.code}
        )
    except Exception as error:  # noqa: BLE001 - whatever a scriptlet raises is its failure
        import traceback

        write("".join(traceback.format_exception(error)).encode("utf-8", "replace").decode())
        return StepResult(Outcome.FAILED, describe(error, root))
    finally:
        if os.getpid() != process:
            # a child that the scriptlet forked came back here: the run is its parent's
            os._exit(0)
    return interpret(answer, scriptlet.outputs)


def _invocation(scriptlet: Scriptlet, context: Any, root: Path) -> Callable[[], Any]:
    target = find_target(scriptlet.module, scriptlet.function, root, fallback=scriptlet.fallback)
    params = dict(scriptlet.params)
    if inspect.isclass(target):
        return _of_class(target, context, params)
    if not callable(target):
        raise StepError(
            f"{scriptlet.function!r} of {scriptlet.module!r} is neither a class nor a function",
            "name the scriptlet",
            terminal=True,
        )
    return _of_function(target, scriptlet.function, context, params)


def _of_class(target: type, context: Any, params: dict[str, Any]) -> Callable[[], Any]:
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
    return lambda: getattr(target(), name)(context, params)


def _of_function(function: Callable[..., Any], name: str, context: Any, params: dict[str, Any]) -> Callable[[], Any]:
    way = _way_of(function, name, tuple(params))
    if way == "context and params":
        return lambda: function(context, params)
    if way == "context and names":
        return lambda: function(context, **params)
    return lambda: function(**params)


def _way_of(function: Callable[..., Any], name: str, given: tuple[str, ...]) -> str:
    """Return how a function is called, kept for as long as the function: finding out costs more than a small step."""
    try:
        known = _ways.setdefault(function, {})
    except TypeError:
        # it cannot be a key
        return _found_way(function, name, given)
    if given not in known:
        known[given] = _found_way(function, name, given)
    return known[given]


def _found_way(function: Callable[..., Any], name: str, given: tuple[str, ...]) -> str:
    try:
        signature = inspect.signature(function)
    except ValueError:
        # written in C, it tells no signature
        return "context and params"
    items = [item for item in signature.parameters.values() if item.kind is not item.VAR_KEYWORD]
    named = dict.fromkeys(given)
    ways: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {"names": ((), named)}
    if items and _is_context(items[0]) and items[0].name not in given:
        ways = {"context and params": ((None, named), {}), "context and names": ((None,), named)}
        if len(items) > 1 and items[1].name in given:
            ways = dict(reversed(ways.items()))
    for way, (positional, keywords) in ways.items():
        try:
            signature.bind(*positional, **keywords)
        except TypeError:
            continue
        return way
    raise StepError(
        f"function {name!r} does not take the arguments {', '.join(map(repr, given)) or 'none'}",
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
