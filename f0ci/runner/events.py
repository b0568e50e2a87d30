"""What happens during a run, told while it happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any

from f0ci.core.clock import format_time
from f0ci.core.outcome import Outcome
from f0ci.core.values import dataclass


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step's first try begins.

    Attributes:
        step: name; inside sub-recipes `parent/child`.
        kind: step type.
        time: moment of the start.
    """

    step: str
    kind: str
    time: datetime


@dataclass(frozen=True, slots=True)
class StepRetried:
    """A try failed and another will follow.

    Attributes:
        step: name, as in `StepStarted`.
        attempt: the try that failed, counted from 1.
        attempts: tries there can be at most.
        delay: seconds until the next.
        message: why the try failed.
    """

    step: str
    attempt: int
    attempts: int
    delay: float
    message: str


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step that started is over.

    Attributes:
        step: name, as in `StepStarted`.
        outcome: how it ended.
        attempts: tries it took.
        seconds: time it took, waiting between tries included.
        message: why, empty where it passed and has nothing to say.
    """

    step: str
    outcome: Outcome
    attempts: int
    seconds: float
    message: str


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """A step does not run.

    Attributes:
        step: name, as in `StepStarted`.
        reason: why.
    """

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class StepWaiting:
    """A step waits for something outside; the run goes on without it as far as it can.

    Attributes:
        step: name, as in `StepStarted`.
        message: what it waits for.
        next_check: when it may go on by itself, or None where it waits for somebody.
    """

    step: str
    message: str
    next_check: datetime | None


@dataclass(frozen=True, slots=True)
class StepNoted:
    """Something about a step that a person or another system acts on; the runner itself does not.

    Attributes:
        step: name, as in `StepStarted`.
        note: `fallback` (the recipe names an action for the failure), `notify` (it wants somebody told), `rollback`
            (what is undone now, or cannot be), `conflict` (two steps that nothing orders wrote one key) or `queue`
            (what becomes of a whole run that workers carry on).
        text: what the recipe says, or what is to be known.
    """

    step: str
    note: str
    text: str


Event = StepStarted | StepRetried | StepEnded | StepSkipped | StepWaiting | StepNoted
Listener = Callable[[Event], object]


def to_json(event: Event) -> dict[str, Any]:
    """Return an event as plain JSON data: its kind, as `step_ended`, and what it says."""
    data: dict[str, Any] = {"event": re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()}
    for item in fields(event):
        value = getattr(event, item.name)
        if isinstance(value, datetime):
            value = format_time(value)
        data[item.name] = str(value) if isinstance(value, Outcome) else value
    return data
