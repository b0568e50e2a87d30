"""The gate `soak`: the release has run upstream, verified, for long enough.

Settings:
    for: how long, such as `24h`.
    upstream: environments in which it must have run; those that stand before this one by default.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from f0ci.core.clock import format_time
from f0ci.core.duration import format_duration, parse_duration
from f0ci.core.outcome import Outcome
from f0ci.promotion.gates.base import GateAnswer, GateQuestion
from f0ci.promotion.names import short
from f0ci.promotion.state import EnvironmentState

KIND = "soak"
USES_AUTHORS = False


def evaluate(question: GateQuestion) -> GateAnswer:
    """Answer whether the release soaked in every upstream environment; the least good answer counts."""
    upstream = tuple(str(name) for name in question.settings.get("upstream", ()))
    if not question.settings.get("for"):
        return GateAnswer(KIND, Outcome.ERRORED, "the gate does not say 'for' how long")
    if not upstream:
        return GateAnswer(KIND, Outcome.ERRORED, "no environment stands before this one, so nothing can soak")
    answers = [_ask(name, question) for name in upstream]
    never = datetime.max.replace(tzinfo=question.now.tzinfo)
    return max(answers, key=lambda answer: (answer.outcome, answer.until or never))


def _ask(name: str, question: GateQuestion) -> GateAnswer:
    """Judge one upstream environment.

    ran there, verified, for long enough in all     passed
    runs there, verified, not yet long enough       waiting until it will have
    ran there, and something else runs there now    waiting: it has to go there again
    never succeeded there                           waiting
    """
    wanted = parse_duration(str(question.settings["for"]))
    release = short(question.release)
    soaked, running = time_soaked(question.environments.get(name) or EnvironmentState(name), question)
    if soaked >= wanted:
        return GateAnswer(KIND, Outcome.PASSED, f"{release} ran {format_duration(soaked)} in {name!r}")
    if running:
        until = question.now + (wanted - soaked)
        return GateAnswer(
            KIND, Outcome.WAITING, f"{release} has to run in {name!r} until {format_time(until)}", until=until
        )
    again = f"f0ci promote {name} --release {release}"
    if soaked:
        reason = f"{release} ran {format_duration(soaked)} of {format_duration(wanted)} in {name!r}, and no longer does"
        return GateAnswer(KIND, Outcome.WAITING, reason, command=again)
    reason = f"{release} has not succeeded in {name!r} yet; it has to run there for {format_duration(wanted)}"
    return GateAnswer(KIND, Outcome.WAITING, reason, command=again)


def time_soaked(state: EnvironmentState, question: GateQuestion) -> tuple[timedelta, bool]:
    """Return how long a release has run in an environment since it succeeded there, and whether it does now; pure.

    A stretch begins with a success and ends with the next change of the environment.
    """
    total, ends = timedelta(), question.now
    running: bool | None = None
    for promotion in reversed(state.promotions):
        if not promotion.applied:
            continue
        verified = promotion.release == question.release and promotion.is_success(question.require)
        if verified:
            total += max(ends - promotion.changed_at, timedelta())
        running = verified if running is None else running
        ends = promotion.applied[0].time
    return total, bool(running)
