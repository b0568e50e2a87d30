"""How a run differs from what its recipe says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from f0ci.core.errors import UsageError
from f0ci.core.suggestions import did_you_mean
from f0ci.core.values import dataclass
from f0ci.recipes.graph import StepGraph
from f0ci.recipes.model import Recipe, Step

# of any number; seconds are thirty years then, and no clock is asked for more
MOST = 1e9
_LONGEST_ID = 200
# it stands in commands, in lines that people read, and in variables of processes
_ID = re.compile(rf"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{_LONGEST_ID}}}")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Settings of one run.

    Attributes:
        only: names of the steps to run; empty runs all.
        skip: names of the steps to leave out.
        continue_on_error: a failed step does not keep independent steps from starting.
        step_timeout: seconds for a step that names no time of its own, or None.
        max_retries: tries after the first for a step that names none of its own, or None.
        retry_delay: seconds before another try, where the step names none, or None.
        parallel: steps of one recipe that run at the same time at most, 1 or more.
        release: digest of the release that runs, for expressions and processes, or None.
        run: identity of the run, for processes and the record, or None.
        idempotency_key: what makes an effect of this run recognisable when it is run again, or None.
        variables: further environment variables that every step sees.
        start_from: name of the step to begin with; what stands before it is left out. None begins at the beginning.
        isolation: `process` or `thread` for steps that name none, or None for what each type does by itself.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    continue_on_error: bool = False
    step_timeout: float | None = None
    max_retries: int | None = None
    retry_delay: float | None = None
    parallel: int = 4
    release: str | None = None
    run: str | None = None
    idempotency_key: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    start_from: str | None = None
    isolation: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the options as plain JSON data."""
        return {name: getattr(self, name) for name in self.__slots__}


def check_options(options: RunOptions, recipe: Recipe) -> None:
    """Check options against the recipe they are for.

    Raises:
        UsageError: a step is named that the recipe does not have, or a number makes no sense.
    """
    known = [step.name for step in recipe.steps]
    begin = (options.start_from,) if options.start_from is not None else ()
    for option, names in (("--only", options.only), ("--skip", options.skip), ("--from", begin)):
        for name in names:
            if name not in known:
                raise UsageError(
                    f"{option} names {name!r}, which is no step of {recipe.path}",
                    did_you_mean(name, known, noun="steps"),
                )
    for option, value, least in (
        ("--step-timeout", options.step_timeout, 0.001),
        ("--max-retries", options.max_retries, 0),
        ("--retry-delay", options.retry_delay, 0),
        ("--parallel", options.parallel, 1),
    ):
        if value is not None and not least <= value <= MOST:
            hint = "give a time such as 30s" if least != int(least) else f"give {least} or more, up to {MOST:g}"
            raise UsageError(f"{option} is {value:g}", hint)
    # what is no text at all is told of as such
    if options.run is not None and not _ID.fullmatch(options.run.encode().decode()):
        hint = f"use at most {_LONGEST_ID} characters, none of them a blank"
        raise UsageError(f"{options.run[:80]!r} is no id of a run", hint)


def left_out(options: RunOptions, steps: Iterable[Step], graph: StepGraph) -> dict[str, str]:
    """Return the reason for every step that the options leave out, by its name."""
    reasons = {}
    kept = None
    if options.start_from is not None:
        kept = graph.successors(options.start_from) | {options.start_from, *graph.on_error}
    for step in steps:
        if kept is not None and step.name not in kept:
            reasons[step.name] = f"before {options.start_from!r}, named by --from"
        elif options.only and step.name not in options.only:
            reasons[step.name] = "not named by --only"
        elif step.name in options.skip:
            reasons[step.name] = "named by --skip"
    return reasons
