"""What a step type is given and what it answers.

A step type is a module of this folder with one function `run(call: StepCall) -> StepResult`. Conditions, retries,
dependencies and the record are the runner's; a step type does one try. It may raise StepError; any other exception is a
failure of the step.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from f0ci.core.cancellation import Cancellation
from f0ci.core.outcome import Outcome
from f0ci.core.processes import BoundedOutput
from f0ci.recipes.model import Dialect, Step
from f0ci.recipes.records import StepRecord
from f0ci.runner.context import Context

_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class StepResult:
    """How one try of a step ended.

    Attributes:
        outcome: passed, failed (the step says no) or errored (it could not be run, or its end is unknown).
        message: why; empty where it passed and has nothing to say.
        hint: the next action, or None.
        outputs: what `steps.<name>.outputs` offers; JSON.
        terminal: True where trying again cannot help.
        abandoned: True where the try could not be ended and may still be running: the run must stop.
        steps: records of the steps inside, for a step that runs a recipe.
    """

    outcome: Outcome
    message: str = ""
    hint: str | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    terminal: bool = False
    abandoned: bool = False
    steps: tuple[StepRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class StepCall:
    """One try of a step.

    Attributes:
        step: the step as written.
        dialect: how its recipe is written.
        recipe: file of its recipe, relative to the tree.
        path: the step's name; inside sub-recipes `parent/child`.
        arguments: `args` or `parameters`, evaluated.
        variables: `env`, evaluated.
        context: the run's values; changes are this step's.
        root: the tree's root.
        environ: the environment for processes, without `variables`.
        timeout: seconds the try may take, or None.
        cancellation: tells when to stop.
        output: takes what the step prints.
        run_recipe: runs another recipe inside this step, given its path and parameters.
    """

    step: Step
    dialect: Dialect
    recipe: str
    path: str
    arguments: Mapping[str, Any]
    variables: Mapping[str, Any]
    context: Context
    root: Path
    environ: Mapping[str, str]
    timeout: float | None
    cancellation: Cancellation
    output: BoundedOutput
    run_recipe: Callable[[str, Mapping[str, Any]], StepResult]


def as_json(value: Any, depth: int = 0) -> Any:
    """Return the value as JSON can say it: keys and whatever JSON has no word for become text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth >= _DEEPEST:
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): as_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(item, depth + 1) for item in value]
    return str(value)


def as_variable(value: Any) -> str:
    """Return the value as an environment variable says it: text as it is, nothing as empty, the rest as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
