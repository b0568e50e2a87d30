"""The gate `order`: the release succeeded upstream, and nothing failed there since.

Settings:
    upstream: environments that must hold the release first.
    policy: `all` (default) or `any` of them.
"""

from __future__ import annotations

from f0ci.core.outcome import Outcome
from f0ci.promotion.gates.base import GateAnswer, GateQuestion
from f0ci.promotion.names import short
from f0ci.promotion.state import EnvironmentState

KIND = "order"
USES_AUTHORS = False


def evaluate(question: GateQuestion) -> GateAnswer:
    """Answer whether the upstream environments hold the release."""
    upstream = tuple(str(name) for name in question.settings.get("upstream", ()))
    if not upstream:
        return GateAnswer(KIND, Outcome.PASSED, "nothing stands before this environment")
    answers = [_ask(name, question) for name in upstream]
    choose = min if question.settings.get("policy", "all") == "any" else max
    return choose(answers, key=lambda answer: answer.outcome)


def _ask(name: str, question: GateQuestion) -> GateAnswer:
    """Judge one upstream environment by its records, newest first.

    a record that never changed the environment      passed over
    still deploying or verifying this release         waiting
    still deploying or verifying another release      waiting: its end may be a failure
    ended badly, this release                         refused
    ended badly, or rolled back, another release      waiting: an older success no longer counts
    succeeded, this release, of the required kind     passed
    succeeded, this release, of a lesser kind         waiting
    succeeded, another release                        passed over
    no record left                                    waiting
    """
    release = short(question.release)
    state = question.environments.get(name) or EnvironmentState(name)
    again = f"f0ci promote {name} --release {release}"
    for promotion in reversed(state.promotions):
        same = promotion.release == question.release
        what = f"{promotion.id} ({short(promotion.release)})"
        if not promotion.applied:
            continue
        if promotion.is_active:
            return GateAnswer(
                KIND,
                Outcome.WAITING,
                f"{what} is still {promotion.state} in {name!r}",
                command=f"f0ci promote {name} --continue",
            )
        if promotion.state != "succeeded":
            if same:
                return GateAnswer(KIND, Outcome.FAILED, f"{what} ended {promotion.state} in {name!r}")
            return GateAnswer(
                KIND,
                Outcome.WAITING,
                f"{what} ended {promotion.state} in {name!r} after any success of {release}",
                command=again,
            )
        if promotion.purpose == "rollback" and not same:
            return GateAnswer(
                KIND,
                Outcome.WAITING,
                f"{name!r} was rolled back by {promotion.id} after any success of {release}",
                command=again,
            )
        if same:
            if promotion.is_success(question.require):
                return GateAnswer(KIND, Outcome.PASSED, f"{release} succeeded in {name!r} ({promotion.verification})")
            return GateAnswer(
                KIND,
                Outcome.WAITING,
                f"{release} succeeded in {name!r} only as {promotion.verification!r}; {question.require!r} is required",
                command=again,
            )
    return GateAnswer(KIND, Outcome.WAITING, f"{release} has not succeeded in {name!r} yet", command=again)
