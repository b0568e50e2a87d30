"""One recipe of a run while its steps run: what is over, what waits, what is recorded, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from f0ci.core.outcome import Outcome, worst
from f0ci.core.values import dataclass
from f0ci.recipes.graph import ON_ERROR
from f0ci.recipes.model import Recipe, Step
from f0ci.recipes.records import StepRecord
from f0ci.runner.over_steps import OverSteps
from f0ci.runner.recording import Over
from f0ci.runner.scheduling import INTERRUPTED
from f0ci.runner.session import Session
from f0ci.runner.stepping import Ended, skipped


@dataclass(frozen=True, slots=True)
class Ending:
    """How the steps of a recipe ended.

    Attributes:
        outcome: the worst of them; waiting where nothing can go on before something outside happens.
        message: why, empty where all passed.
        records: in the order they ended, those that never ran last.
        outputs: outputs by step, unredacted.
        abandoned: True where a step could not be ended and may still be running.
        next_check: when waiting steps may go on by themselves, or None.
        unrecorded: steps that are over and not in the journal yet.
    """

    outcome: Outcome
    message: str
    records: tuple[StepRecord, ...]
    outputs: Mapping[str, Any]
    abandoned: bool
    next_check: datetime | None = None
    unrecorded: tuple[Over, ...] = ()


@dataclass(slots=True)
class Level:
    """One recipe of a run while its steps run.

    Attributes:
        chain: files of the recipes around this one, itself last.
        prefix: what stands before its steps' names, `parent/` inside a sub-recipe.
        round: attempts of the sub-recipe steps around it.
        steps: by name, those included that undo others.
        names: what expressions see before anything runs.
        ended: steps that are over, in that order.
        waiting: steps that wait.
        unrecorded: names of steps that the journal does not hold as they are, in the order in which that came about.
        over: what expressions see of steps that are over.
        error: what `error` means to a step with `trigger: on_error`.
    """

    session: Session
    recipe: Recipe
    params: Mapping[str, Any]
    chain: tuple[str, ...]
    prefix: str
    round: str
    steps: dict[str, Step]
    names: Mapping[str, Any]
    ended: dict[str, Ended] = field(default_factory=dict)
    waiting: dict[str, Ended] = field(default_factory=dict)
    unrecorded: dict[str, None] = field(default_factory=dict)
    over: OverSteps = field(default_factory=OverSteps)
    error: Mapping[str, Any] | None = None

    def recall(self, name: str, end: Ended) -> None:
        """Take over a step that is over, which the journal holds."""
        self.ended[name] = end
        self.over.add(name, end.result)

    def end(self, name: str, end: Ended) -> None:
        """Take over that a step is over, which the journal does not know yet."""
        self.recall(name, end)
        self.unrecorded[name] = None

    def wait(self, name: str, end: Ended) -> None:
        """Take over that a step waits, which the journal does not know yet."""
        self.waiting[name] = end
        self.unrecorded[name] = None


def recall(level: Level) -> None:
    """Take over what an earlier process recorded."""
    recorder, found = level.session.recorder, []
    for name in level.steps:
        recalled = recorder.recalled(level.prefix + name, level.round)
        if recalled is not None and recalled.over:
            found.append((recalled.position, name, recalled))
    for _, name, recalled in sorted(found, key=lambda item: item[0]):
        level.recall(name, Ended(recalled.result, recalled.record))


def unrecorded_of(level: Level) -> tuple[Over, ...]:
    """Return what the journal does not hold yet; an interrupt undoes what it ended, so that the step runs again."""
    names = list(level.unrecorded)
    # asked for afterwards: what an interrupt ended is among them only where it is known
    interrupted = _whole_reason(level) == INTERRUPTED
    found = []
    for name in names:
        end = level.ended.get(name) or level.waiting.get(name)
        if interrupted and end is not None and end.result.outcome is not Outcome.PASSED:
            continue
        del level.unrecorded[name]
        # a step that waited for its turn and lost it is neither over nor waiting
        if end is not None:
            found.append(Over(level.prefix + name, level.steps[name].kind, end.result, end.record))
    return tuple(found)


def _whole_reason(level: Level) -> str:
    return level.session.cancellation.reason


def of_failure(failures: list[tuple[str, Ended]]) -> str:
    """Return the first failure in a few words."""
    return f"step {failures[0][0]!r} {failures[0][1].result.outcome}"


def error_of(failures: list[tuple[str, Ended]], level: Level) -> dict[str, Any]:
    """Return what `error` means to steps that answer failures."""
    name, end = failures[0]
    undone = [
        (step.removesuffix(".compensate"), ended.result.outcome is Outcome.PASSED)
        for step, ended in level.ended.items()
        if step.endswith(".compensate")
    ]
    return {
        "step": name,
        "message": end.result.message,
        "outcome": str(end.result.outcome),
        "attempts": end.record.attempts,
        "steps": [failed for failed, _ in failures],
        "undone": [step for step, well in undone if well],
        "not_undone": [step for step, well in undone if not well],
    }


def skip_the_rest(level: Level, reason: str, *, failed: bool) -> None:
    """Have every step skipped that is not over, and tell of it."""
    level.waiting.clear()
    for step in level.recipe.steps:
        if step.name not in level.ended:
            calm = step.trigger == ON_ERROR and not failed
            words = "it runs only after a failure" if calm else reason or "the run stopped before it"
            level.end(step.name, skipped(level.session, step, level.prefix + step.name, words))


def pausing(level: Level) -> Ending:
    """Return that a recipe waits; steps that could not start yet are not over, and not told of."""
    checks = [end.result.next_check for end in level.waiting.values()]
    moments = [moment for moment in checks if moment is not None]
    words = "; ".join(f"{name}: {end.record.message}" for name, end in level.waiting.items())
    records = (*(end.record for end in level.ended.values()), *(end.record for end in level.waiting.values()))
    outputs = {name: end.result.outputs for name, end in level.ended.items() if end.result.outputs}
    unrecorded = unrecorded_of(level)
    if level.prefix and unrecorded:
        level.session.recorder.record(level.round, unrecorded, ())
        unrecorded = ()
    check = min(moments, default=None)
    return Ending(Outcome.WAITING, words, records, outputs, abandoned=False, next_check=check, unrecorded=unrecorded)


def ending_of(level: Level, message: str, unrecorded: tuple[Over, ...]) -> Ending:
    """Return how a recipe ended of which every step is over."""
    ends = level.ended
    in_order = sorted(ends, key=lambda name: ends[name].result.outcome is Outcome.SKIPPED)
    outcome = worst(end.result.outcome for name, end in ends.items())
    if outcome <= Outcome.PASSED and message:
        # stopped before anything failed: nobody knows how it would have ended
        outcome = Outcome.ERRORED
    return Ending(
        outcome,
        message,
        tuple(ends[name].record for name in in_order),
        {name: end.result.outputs for name, end in ends.items() if end.result.outputs},
        any(end.result.abandoned for end in ends.values()),
        unrecorded=unrecorded,
    )
