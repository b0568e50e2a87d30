"""How a change goes into an environment: steps, pauses, routing as declared, and what is written of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from itertools import pairwise
from typing import Any

from f0ci.core.duration import parse_duration
from f0ci.core.values import dataclass
from f0ci.source.reading import Path

DEFAULT_STRATEGY = "rolling"
DEFAULT_STEPS: Mapping[str, tuple[int, ...]] = {
    "rolling": (100,),
    "canary": (10, 50, 100),
    "blue_green": (0, 100),
}
MANUAL = "manual"
# a batch of less than one percent would be no step
MOST_BATCHES = 100


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """One step of a rollout.

    Attributes:
        percent: share of the traffic, or of the instances, that the new release has then; 0 to 100.
        duration: how long checks watch it, or None for the stage's duration.
        pause: how long the step lasts at least.
        manual: True where a person must resume the rollout after it.
        analysis: whether checks judge the step, or None: they do where it has traffic.
    """

    percent: int
    duration: timedelta | None = None
    pause: timedelta = timedelta()
    manual: bool = False
    analysis: bool | None = None

    @property
    def is_judged(self) -> bool:
        """Tell whether checks judge the step; without traffic there is usually nothing that they could see."""
        return self.percent > 0 if self.analysis is None else self.analysis


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a change goes into an environment.

    Attributes:
        strategy: `rolling`, `canary`, `blue_green`, or a plug-in's name.
        steps: what was written, or the strategy's own; rising, the last 100.
        scale_down_delay: how long the old release stays, without traffic, after the new one has all of it.
        routing: `header` (`name`, `value`) and `sticky` (a cookie's name), as written; for templates.
    """

    strategy: str = DEFAULT_STRATEGY
    steps: tuple[RolloutStep, ...] = (RolloutStep(100),)
    scale_down_delay: timedelta = timedelta()
    routing: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Misfit:
    """What had to be left out of a rollout: its place below the environment, what is wrong, and what would be right."""

    at: Path
    message: str
    hint: str


def traffic_document(
    traffic: Mapping[str, int], active: str | None, candidate: str | None, routing: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the content of `traffic.json`, which templates see as `rollout`.

    Args:
        traffic: percent by release digest; together 100, or empty where no release is known.
        active: digest of the release that users of a switch see.
        candidate: digest of the release that is being brought in beside another, or None.
        routing: how requests are told apart beside their weights.
    """
    stable = next((release for release in sorted(traffic) if release != candidate), candidate)
    return {
        "version": 1,
        "active": active,
        "candidate": candidate,
        "releases": sorted(traffic),
        "routing": dict(routing),
        "stable": stable,
        "traffic": dict(sorted(traffic.items())),
    }


def read_rollout(settings: Mapping[str, Any], strategy: str, misfits: list[Misfit]) -> Rollout:
    """Return the rollout that an environment's mapping declares.

    Args:
        settings: the mapping as written.
        strategy: its strategy.
        misfits: what has to be left out is added here.
    """
    routing = settings.get("routing")
    return Rollout(
        strategy,
        _steps(settings, strategy, misfits),
        _span(settings.get("scale_down_delay"), ("scale_down_delay",), misfits),
        routing if isinstance(routing, Mapping) else {},
    )


def _steps(settings: Mapping[str, Any], strategy: str, misfits: list[Misfit]) -> tuple[RolloutStep, ...]:
    default = tuple(RolloutStep(percent) for percent in DEFAULT_STEPS.get(strategy, (100,)))
    value, batches = settings.get("steps"), settings.get("batches")
    if batches is not None:
        return _batches(batches, strategy, value, misfits) or default
    if value is None:
        return default
    written = value if isinstance(value, list) else [value]
    said = [step.get("percent") if isinstance(step, Mapping) else step for step in written]
    percents = [step for step in said if isinstance(step, int) and not isinstance(step, bool) and 0 <= step <= 100]
    if percents != said or not percents or percents[-1] != 100 or any(a >= b for a, b in pairwise(percents)):
        hint = "write rising percentages that end with 100: [10, 50, 100]"
        misfits.append(Misfit(("steps",), f"{value!r} are not steps of a rollout", hint))
        return default
    if strategy == "blue_green" and not set(percents) <= {0, 100}:
        hint = "write 0 for the preview and 100 for the switch, or use the strategy canary"
        misfits.append(Misfit(("steps",), f"{value!r} are not steps of blue_green", hint))
        return default
    return tuple(_step(step, ("steps", index), misfits) for index, step in enumerate(written))


def _batches(batches: Any, strategy: str, steps: Any, misfits: list[Misfit]) -> tuple[RolloutStep, ...] | None:
    """Return as many even steps as there are batches."""
    if not isinstance(batches, int) or isinstance(batches, bool) or not 1 <= batches <= MOST_BATCHES:
        hint = f"write how many batches: 1 to {MOST_BATCHES}"
        misfits.append(Misfit(("batches",), f"{batches!r} are not batches", hint))
        return None
    if strategy != "rolling" or steps is not None:
        why = "'steps' says the same" if steps is not None else f"{strategy} has steps"
        misfits.append(Misfit(("batches",), f"'batches' has no meaning here: {why}", "leave one of them out"))
        return None
    return tuple(RolloutStep(round(100 * batch / batches)) for batch in range(1, batches + 1))


def _step(written: Any, at: Path, misfits: list[Misfit]) -> RolloutStep:
    if not isinstance(written, Mapping):
        return RolloutStep(written)
    pause, analysis = written.get("pause"), written.get("analysis")
    if analysis is False and written["percent"] == 100:
        hint = "leave it out; a release that got all of the traffic has to be judged"
        misfits.append(Misfit((*at, "analysis"), "the last step cannot go without analysis", hint))
        analysis = None
    return RolloutStep(
        written["percent"],
        _span(written["duration"], (*at, "duration"), misfits) if "duration" in written else None,
        _span(None if pause == MANUAL else pause, (*at, "pause"), misfits),
        manual=pause == MANUAL,
        analysis=analysis if isinstance(analysis, bool) else None,
    )


def _span(value: Any, at: Path, misfits: list[Misfit]) -> timedelta:
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except (ValueError, OverflowError):
            misfits.append(Misfit(at, f"{value!r} is not a duration", "write one such as 30m, 1h30m or 90s"))
    return timedelta()


def percents_of(steps: Sequence[RolloutStep]) -> tuple[int, ...]:
    """Return the shares of steps."""
    return tuple(step.percent for step in steps)
