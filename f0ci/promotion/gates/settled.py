"""The gate `settled`: nothing is under way, and what came before has ended for long enough.

Settings:
    environments: where nothing may be under way; this environment by default.
    for: how long ago the newest promotion there must have ended; not at all by default.
"""

from __future__ import annotations

from datetime import timedelta

from f0ci.core.clock import format_time
from f0ci.core.duration import parse_duration
from f0ci.core.outcome import Outcome
from f0ci.promotion.gates.base import GateAnswer, GateQuestion
from f0ci.promotion.state import EnvironmentState

KIND = "settled"
USES_AUTHORS = False


def evaluate(question: GateQuestion) -> GateAnswer:
    """Answer whether the previous promotions have settled; the least good answer counts."""
    names = tuple(map(str, question.settings.get("environments") or (question.environment,)))
    return max((_ask(name, question) for name in names), key=lambda answer: answer.outcome)


def _ask(name: str, question: GateQuestion) -> GateAnswer:
    """Judge one environment by its newest promotion that changed it, this one left aside.

    nothing changed it yet                                   passed
    under way, or rolled back and not deployed again yet     waiting
    failed, and nothing was restored                         waiting for a person
    ended less than `for` ago                                waiting until then
    otherwise                                                passed
    """
    state = question.environments.get(name) or EnvironmentState(name)
    others = (one for one in reversed(state.promotions) if one.id != question.promotion and one.applied)
    previous = next(others, None)
    if previous is None:
        return GateAnswer(KIND, Outcome.PASSED, f"nothing was promoted into {name!r} before")
    again = f"f0ci promote {name} --continue"
    if previous.is_active:
        reason = f"{previous.id} is still {previous.state} in {name!r}"
        return GateAnswer(KIND, Outcome.WAITING, reason, command=again)
    if previous.state == "rolled_back" and not previous.restored:
        reason = f"{previous.id} was rolled back in {name!r}, and what it went back to is not deployed yet"
        return GateAnswer(KIND, Outcome.WAITING, reason, command=again)
    if previous.state == "failed" and name != question.environment:
        reason = f"{previous.id} failed in {name!r}, and nothing was restored there"
        return GateAnswer(KIND, Outcome.WAITING, reason, command=f"f0ci rollback {name} --reason ...")
    span = parse_duration(str(question.settings["for"])) if question.settings.get("for") else timedelta()
    until = previous.changed_at + span
    if question.now < until:
        reason = f"{previous.id} ended {previous.state} in {name!r}; settled at {format_time(until)}"
        return GateAnswer(KIND, Outcome.WAITING, reason, until=until)
    return GateAnswer(KIND, Outcome.PASSED, f"{previous.id} ended {previous.state} in {name!r}")
