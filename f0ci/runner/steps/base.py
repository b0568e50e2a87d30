"""What a step type is given and what it answers.

A step type is a module of this folder, or one that an entry point of the group `f0ci.steps` names, with one function
`run(call: StepCall) -> StepResult`. Conditions, retries, dependencies and the record are the runner's; a step type does
one try. It may raise StepError; any other exception is a failure of the step. A step type that waits for something
outside answers `waiting`: it is asked again when the run goes on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Any

from f0ci.core.cancellation import Cancellation
from f0ci.core.lifeline import Lifeline
from f0ci.core.outcome import Outcome
from f0ci.core.processes import BoundedOutput
from f0ci.core.values import dataclass
from f0ci.recipes.model import Dialect, Step
from f0ci.recipes.records import StepRecord
from f0ci.runner.context import Context

_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Signal:
    """What a person or a system sent to a waiting step.

    Attributes:
        kind: `approve`, `reject` or `event`.
        who: whom the sender says to be, or None.
        data: what an event carries, or the reason of an approval or rejection; JSON.
        time: when it arrived.
    """

    kind: str
    who: str | None
    data: Any
    time: datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """What a step's processes may use, each; None means no limit but the system's.

    Attributes:
        cpu: seconds of processor time.
        memory: bytes of address space.
        file_size: bytes of a file that is written.
        open_files: files that are open at the same time.
    """

    cpu: int | None = None
    memory: int | None = None
    file_size: int | None = None
    open_files: int | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class StepResult:
    """How one try of a step ended.

    Attributes:
        outcome: passed, failed (the step says no), errored (it could not be run, or its end is unknown), or waiting
            (something outside has to happen first).
        message: why; empty where it passed and has nothing to say.
        hint: the next action, or None.
        outputs: what `steps.<name>.outputs` offers; JSON.
        terminal: True where trying again cannot help.
        abandoned: True where the try could not be ended and may still be running: the run must stop.
        steps: records of the steps inside, for a step that runs a recipe.
        next_check: when a waiting step may go on by itself, or None where it waits for somebody.
    """

    outcome: Outcome
    message: str = ""
    hint: str | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    terminal: bool = False
    abandoned: bool = False
    steps: tuple[StepRecord, ...] = ()
    next_check: datetime | None = None


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
        since: when the step's first try began, in whatever process.
        now: this moment.
        signals: what was sent to the step, oldest first.
        own_process: True where the try must run in a process of its own.
        limits: what its processes may use.
        unending: to be called with True before the try does what nobody can end from outside, and with False after.
        lifeline: ends the try's processes where f0ci is killed; for `run_process`.
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
    since: datetime
    now: datetime
    signals: tuple[Signal, ...] = ()
    own_process: bool = False
    limits: Limits = NO_LIMITS
    unending: Callable[[bool], None] = lambda _: None
    lifeline: Lifeline | None = None


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
