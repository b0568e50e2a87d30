"""The steps of a promotion: what the environment holds after each, and how long each lasts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from f0ci.core.clock import format_time
from f0ci.core.outcome import Outcome
from f0ci.core.plugins import load
from f0ci.promotion.names import short
from f0ci.promotion.site import Site
from f0ci.promotion.state import Promotion
from f0ci.promotion.strategies.base import SHIFT, TrafficStep
from f0ci.promotion.times import SKEW
from f0ci.workflows.rollouts import MANUAL

if TYPE_CHECKING:
    from f0ci.git.objects import TreeEntry
    from f0ci.promotion.plan import Content


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long a step lasts, as its plan says.

    Attributes:
        start: when its window begins: the end of its deploy recipe, or when a person had it watched again.
        end: when its window ends: checks watch until then, and the next step does not begin before.
        watched: True where time passes between the deploy recipe's end and the window's.
        judged: True where checks judge it.
    """

    start: datetime
    end: datetime
    watched: bool
    judged: bool


def steps_for(content: Content, strategy: str, release: str, old: str | None) -> tuple[TrafficStep, ...]:
    """Return the steps in which a strategy brings a release in.

    Args:
        content: what the release says of the environment.
        strategy: its name.
        release: digest of the release.
        old: digest of the release that the environment runs, or None.
    """
    plugin = load("f0ci.promotion.strategies", strategy, noun="strategy")
    steps: tuple[TrafficStep, ...] = plugin.plan_steps(content.environment.rollout, release, old)
    return steps


def write_step(site: Site, content: Content, release: str, step: TrafficStep, base: str | None) -> str:
    """Store what an environment holds after one step and return the tree's id.

    What the old release rendered for itself (`releases/<id>/`) stays, byte for byte, as long as it is live.

    Args:
        site: the repository.
        content: what the release says of the environment.
        release: its digest.
        step: the step.
        base: tree that the environment held before the first step, or None.

    Raises:
        InputError: the release cannot be rendered.
    """
    files = render_release(content, release, step.rollout_document())
    return site.repository.write_tree({**_kept(site, step, release, base), **files})


def render_release(content: Content, release: str, rollout: Mapping[str, Any] | None = None) -> Mapping[str, bytes]:
    """Return the files that a release renders for an environment.

    Args:
        content: what the release says of the environment.
        release: its digest.
        rollout: content of `traffic.json`; by default all traffic goes to the release.

    Raises:
        InputError: the release cannot be rendered.
    """
    from f0ci.render.rendering import ReleaseInfo, render

    info = ReleaseInfo(digest=release)
    return render(
        content.tree, content.project, content.configuration, content.environment, info, rollout=rollout
    ).files


def _kept(site: Site, step: TrafficStep, release: str, base: str | None) -> dict[str, TreeEntry]:
    from f0ci.render.layout import RELEASES_FOLDER

    if base is None:
        return {}
    folders = tuple(f"{RELEASES_FOLDER}/{short(other)}/" for other in step.traffic if other != release)
    entries = site.repository.list_files(base) if folders else []
    return {entry.path: entry for entry in entries if entry.path.startswith(folders)}


def lasting(promotion: Promotion, step: int) -> Lasting:
    """Return how long a step lasts whose deploy recipe has ended; pure."""
    plan, planned = promotion.plan, promotion.plan["steps"][step]
    *_, start = (
        event.time
        for event in promotion.events
        if event.data.get("step") == step
        and (event.kind == "deployed" or (event.kind == "resumed" and event.data.get("again")))
    )
    judged = is_judged(planned, plan)
    pause = planned.get("pause", 0)
    seconds = 0.0 if pause == MANUAL else float(pause)
    if judged:
        seconds = max(seconds, float(planned.get("duration", plan.get("duration", 0))))
    return Lasting(start, start + timedelta(seconds=seconds), seconds > 0, judged)


def resume_answer(promotion: Promotion, step: int) -> tuple[str, ...]:
    """Return what a rollout waits for after a step that pauses for a person, or nothing where it may go on; pure."""
    resumed = any(
        event.kind == "resumed" and event.data["step"] == step and not event.data.get("again")
        for event in promotion.events
    )
    if resumed or promotion.plan["steps"][step].get("pause") != MANUAL:
        return ()
    name = title(promotion.plan["steps"][step])
    return (f"paused at step {step + 1}, {name}, for a person: an approver goes on with `f0ci resume {promotion.id}`",)


def may_watch_again(promotion: Promotion, now: datetime) -> bool:
    """Tell whether the window of a promotion's newest step is over and nobody could say what it held; pure."""
    if promotion.state != "verifying" or promotion.purpose != "promote":
        return False
    step = promotion.applied[-1].step
    last = lasting(promotion, step)
    return last.judged and promotion.measured_at(step) is None and now > last.end


def too_early(promotion: Promotion, now: datetime) -> str | None:
    """Return why the newest step of a promotion was not done with at a moment, or None; pure.

    Args:
        promotion: before the next step.
        now: when the next step was decided; clocks may differ by `SKEW`.
    """
    step = promotion.applied[-1].step if promotion.applied else -1
    if step < 0 or step not in (promotion.deployed or {}):
        return "the step before it was not deployed"
    last, verdict = lasting(promotion, step), promotion.measured_at(step)
    if last.judged and not lets_on(verdict):
        return "nothing says that the checks of the step before it passed"
    if now + SKEW < last.end:
        return f"the step before it lasts until {format_time(last.end)}"
    return "nobody resumed the rollout" if resume_answer(promotion, step) else None


def lets_on(verdict: Mapping[str, Any] | None) -> bool:
    """Tell whether a recorded verdict lets the next step follow; pure.

    It passed, or all that was measured decides nothing: dry runs, and comparisons where nothing ran before.
    """
    if verdict is None or verdict["outcome"] != str(Outcome.SKIPPED):
        return verdict is not None and verdict["outcome"] == str(Outcome.PASSED)
    judged = verdict["judgements"]
    return verdict["verification"] != "measured" and bool(judged) and all(one.get("dry_run") for one in judged)


def title(planned: Mapping[str, Any]) -> str:
    """Return a step of a plan in a word or two."""
    phase = planned.get("phase", SHIFT)
    return f"{planned['percent']}%" if phase == SHIFT else str(phase)


def is_judged(planned: Mapping[str, Any], plan: Mapping[str, Any]) -> bool:
    """Tell whether a plan wants one of its steps judged; pure."""
    return bool(plan.get("checks")) and bool(planned.get("analysis", True))


def overall(records: Iterable[Mapping[str, Any]], last: str) -> str:
    """Return what a promotion's success rests on; pure.

    Args:
        records: the verdicts on its judged steps, in order; what is weaker than `measured` in one of them, it is.
        last: what the deploy recipe of the last step says, where no step was judged.
    """
    said = [str(record.get("verification", "none")) for record in records]
    return next((one for one in said if one != "measured"), "measured") if said else last
