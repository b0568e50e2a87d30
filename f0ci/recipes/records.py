"""What a run of a recipe leaves behind: the run record, its JSON form and its reader.

The JSON form is `schemas/run-record.schema.json`. Times are UTC texts such as `2026-11-21T09:30:00Z`; a step that never
began has null for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from f0ci.core.clock import format_time, parse_time
from f0ci.core.errors import InputError
from f0ci.core.outcome import Outcome
from f0ci.core.values import dataclass

VERSION = 1


@dataclass(frozen=True, slots=True)
class StepRecord:
    """How one step went.

    Attributes:
        name: the step.
        outcome: how it ended; `skipped` where it did not run.
        attempts: how often it was started, 0 where it did not run.
        started: when the first attempt began, or None.
        ended: when the last attempt ended, or None.
        seconds: time of all attempts and the waits between them, 0 or more.
        message: why it ended so, redacted; empty where there is nothing to say.
        outputs: what `steps.<name>.outputs` offers, plain JSON data, redacted.
        steps: the steps of a sub-recipe, in the order they ended.
        output: the end of what it printed, redacted.
    """

    name: str
    outcome: Outcome
    attempts: int = 0
    started: datetime | None = None
    ended: datetime | None = None
    seconds: float = 0.0
    message: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[StepRecord, ...] = ()
    output: str = ""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """How one run of a recipe went.

    Attributes:
        run: the run's id.
        recipe: the recipe's file, relative to the workspace.
        outcome: the worst of its steps.
        started: when it began.
        ended: when it ended, or None where it still runs or was killed.
        seconds: how long it took, 0 or more.
        message: why it ended so, redacted; empty where there is nothing to say.
        environment: name of the environment, or None.
        release: digest of the release, or None.
        parameters: as bound, plain JSON data, redacted.
        steps: in the order they ended, those that never ran last.
        next_check: when a run that waits may go on by itself; None where it waits for somebody, or is over.
    """

    run: str
    recipe: str
    outcome: Outcome
    started: datetime
    ended: datetime | None = None
    seconds: float = 0.0
    message: str = ""
    environment: str | None = None
    release: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[StepRecord, ...] = ()
    next_check: datetime | None = None

    @property
    def overall_success(self) -> bool:
        """Tell whether every step passed or was skipped, as Framework0's own runner calls it."""
        return self.outcome <= Outcome.PASSED

    @property
    def global_errors(self) -> list[str]:
        """Return what went wrong: the run's message, then that of each bad step, sub-recipes included."""
        return [*([self.message] if self.message and not self.overall_success else []), *_errors(self.steps)]

    @property
    def execution_time_seconds(self) -> float:
        """Return how long it took, as Framework0's own runner calls it."""
        return self.seconds

    def step(self, name: str) -> StepRecord | None:
        """Return the record of a step, or None."""
        return next((step for step in self.steps if step.name == name), None)


def _errors(steps: Iterable[StepRecord], prefix: str = "") -> Iterator[str]:
    for step in steps:
        if step.outcome > Outcome.WAITING:
            yield f"{prefix}{step.name}: {step.message or step.outcome}"
        yield from _errors(step.steps, f"{prefix}{step.name}/")


def to_json(record: RunRecord) -> dict[str, Any]:
    """Return a run record as plain JSON data."""
    return {
        "version": VERSION,
        "run": record.run,
        "recipe": record.recipe,
        "outcome": str(record.outcome),
        "started": format_time(record.started),
        "ended": None if record.ended is None else format_time(record.ended),
        "next_check_at": None if record.next_check is None else format_time(record.next_check),
        "seconds": round(record.seconds, 3),
        "message": record.message,
        "environment": record.environment,
        "release": record.release,
        "parameters": dict(record.parameters),
        "steps": [_step_to_json(step) for step in record.steps],
    }


def from_json(data: Any, place: str | None = None) -> RunRecord:
    """Return the run record that JSON data hold.

    Args:
        data: what `to_json` gave.
        place: where the data come from, for messages.

    Raises:
        InputError: the data are not a run record.
    """
    from f0ci.source.schema import check_schema

    for problem in check_schema("run-record", data):
        way = ".".join(map(str, problem.path)) or "the record"
        raise InputError(f"not a run record: {way}: {problem.message}", problem.hint, place=place)
    try:
        return RunRecord(
            run=data["run"],
            recipe=data["recipe"],
            outcome=Outcome[data["outcome"].upper()],
            started=parse_time(data["started"]),
            ended=_time(data["ended"]),
            seconds=data["seconds"],
            message=data["message"],
            environment=data["environment"],
            release=data["release"],
            parameters=data["parameters"],
            steps=tuple(_step_from_json(step) for step in data["steps"]),
            next_check=_time(data.get("next_check_at")),
        )
    except ValueError as error:
        raise InputError(f"not a run record: {error}", None, place=place) from error


def _step_to_json(step: StepRecord) -> dict[str, Any]:
    return {
        "name": step.name,
        "outcome": str(step.outcome),
        "attempts": step.attempts,
        "started": None if step.started is None else format_time(step.started),
        "ended": None if step.ended is None else format_time(step.ended),
        "seconds": round(step.seconds, 3),
        "message": step.message,
        "outputs": dict(step.outputs),
        "steps": [_step_to_json(inner) for inner in step.steps],
        "output": step.output,
    }


def _step_from_json(data: Mapping[str, Any]) -> StepRecord:
    return StepRecord(
        name=data["name"],
        outcome=Outcome[data["outcome"].upper()],
        attempts=data["attempts"],
        started=_time(data["started"]),
        ended=_time(data["ended"]),
        seconds=data["seconds"],
        message=data["message"],
        outputs=data["outputs"],
        steps=tuple(_step_from_json(step) for step in data["steps"]),
        output=data["output"],
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)
