"""Scriptlets of every kind."""

from __future__ import annotations

import math
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import pytest

from f0ci.core.outcome import Outcome
from f0ci.runner.steps.python import interpret
from tests.unit.runner.conftest import Workspace

P, F = Outcome.PASSED, Outcome.FAILED


class Odd:
    """Says what it is."""

    def __str__(self) -> str:
        return "odd"


@pytest.mark.parametrize(
    ("answer", "declared", "outcome", "message", "outputs"),
    [
        (None, (), P, "", {}),
        (True, (), P, "", {}),
        (0, (), P, "", {}),
        (False, (), F, "returned False", {}),
        (1, (), F, "returned 1", {}),
        (-2, (), F, "returned -2", {}),
        ({}, (), P, "", {}),
        ({"status": "success", "n": 1}, (), P, "", {"status": "success", "n": 1}),
        ({"status": 500}, (), P, "", {"status": 500}),
        ({"status": "error"}, (), F, "returned status 'error'", {"status": "error"}),
        ({"status": "FAILED", "message": "full"}, (), F, "returned status 'FAILED': full", None),
        ({"status": "failure", "error": ""}, (), F, "returned status 'failure'", None),
        (OrderedDict(a=(1, 2), b={3}), (), P, "", {"a": [1, 2], "b": [3]}),
        ({1: math.inf, "odd": Odd()}, (), P, "", {"1": "inf", "odd": "odd"}),
        (SimpleNamespace(success=True, exit_code=0, data={"n": 1}), (), P, "", {"n": 1}),
        (SimpleNamespace(success=True), (), P, "", {}),
        (SimpleNamespace(exit_code=0, outputs={"n": 1}), (), P, "", {"n": 1}),
        (SimpleNamespace(success=False, exit_code=0), (), F, "returned success False", {}),
        (SimpleNamespace(success=False, exit_code=3, message="bad"), (), F, "returned exit code 3: bad", {}),
        (SimpleNamespace(success=True, exit_code=3), (), F, "returned exit code 3", {}),
        ("text", (), P, "", {"result": "text"}),
        ([1, 2], ("rows",), P, "", {"rows": [1, 2]}),
        (2.5, ("a", "b"), P, "", {"result": 2.5}),
    ],
)
def test_answers(
    answer: Any, declared: tuple[str, ...], outcome: Outcome, message: str, outputs: dict[str, Any] | None
) -> None:
    result = interpret(answer, declared)

    assert (result.outcome, result.message) == (outcome, message)
    assert outputs is None or result.outputs == outputs


STEP = """  - name: one
    type: python
    module: {module}
    function: {function}
    args: {args}
"""


@pytest.mark.parametrize(
    ("function", "args", "outcome", "message", "outputs"),
    [
        ("Executed", "{rows: 5}", P, "", {"rows": 5}),
        ("ExecutedBadly", "{}", F, "returned exit code 2: no rows", {}),
        ("Legacy", "{}", P, "", {}),
        ("LegacyFailing", "{}", F, "returned 1", {}),
        ("StatusError", "{}", F, "returned status 'Error': quota used up", None),
        ("Leaving", "{}", P, "", {}),
        ("Leaving", "{code: 0}", P, "", {}),
        ("Leaving", "{code: 4}", F, "returned 4", {}),
        ("Leaving", "{code: no more disk}", F, "returned status 'failed': no more disk", None),
        ("with_context", "{value: 2}", P, "", {"doubled": 4}),
        ("by_name", "{first: 1}", P, "", {"sum": 11}),
        ("mixed", "{key: k, value: 1}", P, "", {}),
        ("bare_list", "{size: 2}", P, "", {"result": [0, 1]}),
    ],
)
def test_scriptlets_are_called_as_they_are(
    zoo: Workspace, function: str, args: str, outcome: Outcome, message: str, outputs: dict[str, Any] | None
) -> None:
    step = zoo.run(STEP.format(module="scriptlets.answers", function=function, args=args)).steps[0]

    assert (step.outcome, step.message) == (outcome, message)
    assert outputs is None or step.outputs == outputs


@pytest.mark.parametrize(
    ("module", "function", "args", "words"),
    [
        ("scriptlets.answers", "Legasy", "{}", "has no class or function 'Legasy'; did you mean 'Legacy'?"),
        ("scriptlets.answrs", "Legacy", "{}", "no module 'scriptlets.answrs'; did you mean 'scriptlets.answers'?"),
        ("elsewhere.answers", "Legacy", "{}", "there is no module 'elsewhere.answers'; modules are looked for below"),
        ("scriptlets.answers", "Unbuildable", "{}", "cannot be built without arguments"),
        ("scriptlets.answers", "Mute", "{}", "has neither 'execute' nor 'run'"),
        ("scriptlets.answers", "NUMBER", "{}", "is neither a class nor a function"),
        ("scriptlets.answers", "by_name", "{frist: 1}", "does not take the arguments 'frist'; it takes (first"),
        ("scriptlets.answers", "coroutine", "{}", "is a coroutine"),
        ("scriptlets.needy", "Needy", "{}", "imports 'orchestrator', which is missing; 'orchestrator' is Framework0's"),
        ("scriptlets.unreadable", "x", "{}", "SyntaxError: invalid syntax at scriptlets/unreadable.py:3"),
    ],
)
def test_a_scriptlet_that_cannot_be_called_errors_its_step_with_a_hint(
    zoo: Workspace, module: str, function: str, args: str, words: str
) -> None:
    step = zoo.run(STEP.format(module=module, function=function, args=args)).steps[0]

    assert step.outcome is Outcome.ERRORED
    assert step.message.startswith("recipes/test.yaml:3:5: ")
    assert words in step.message


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("Raising", "RuntimeError: the disk is full at scriptlets/answers.py:54"),
        ("NotJson", "TypeError: context value of 'bad' is not JSON"),
    ],
)
def test_a_scriptlet_that_raises_fails_with_its_place_and_traceback(
    zoo: Workspace, function: str, message: str
) -> None:
    step = zoo.run(STEP.format(module="scriptlets.answers", function=function, args="{}")).steps[0]

    assert step.outcome is Outcome.FAILED
    assert step.message.startswith(message)
    assert step.output.startswith("Traceback (most recent call last):")


def test_a_class_is_found_in_a_submodule_that_its_package_does_not_export(zoo: Workspace) -> None:
    step = zoo.run(STEP.format(module="scriptlets.deep", function="Hidden", args="{}")).steps[0]

    assert step.outputs == {"found": "in a submodule"}
