"""Why a release is not in an environment yet: what is unmet, who or what ends it, and the earliest moment; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from f0ci.core.clock import format_time
from f0ci.core.outcome import Outcome
from f0ci.promotion.gates.base import GateAnswer
from f0ci.promotion.judging import hold_answer
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.report import current_reasons
from f0ci.promotion.rollout import may_watch_again, resume_answer
from f0ci.promotion.state import EnvironmentState, Promotion

# times of gates may depend on each other this often before nobody could follow any more
_MOST_LOOKS = 50
# outcomes that no waiting ends
_FINAL = frozenset({Outcome.FAILED})
# what somebody stopped
_STOPPED = frozenset({"hold", "quarantine"})


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that keeps a release out.

    Attributes:
        what: a gate's kind, or `request`, `queue`, `hold`, `quarantine`, `older`, `deploying`, `verifying`, `ended`.
        reason: why, for people.
        who: short names of people who can end it.
        until: when it ends by itself, or None.
        command: what ends it, or None.
        final: True where nothing ends it for this release.
    """

    what: str
    reason: str
    who: tuple[str, ...] = ()
    until: datetime | None = None
    command: str | None = None
    final: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the condition as data."""
        return {
            "what": self.what,
            "reason": self.reason,
            "who": list(self.who),
            "until": format_time(self.until) if self.until else None,
            "command": self.command,
            "final": self.final,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a release is not in an environment.

    Attributes:
        environment: the environment.
        release: digest of the release.
        promotion: id of its promotion, or None where nobody asked for one.
        arrived: True where the environment runs it and it succeeded.
        conditions: what is unmet; empty where it only has to be taken further.
        earliest: the first moment at which nothing that is a matter of time is in the way.
        instead: digest of the newest release that may come in where this one is quarantined, or None.
        back_by: id of the promotion that went back to it, where the environment runs it for that reason, or None.
    """

    environment: str
    release: str
    promotion: str | None
    arrived: bool
    conditions: tuple[Condition, ...]
    earliest: datetime
    instead: str | None = None
    back_by: str | None = None

    @property
    def is_quarantined(self) -> bool:
        """Tell whether the release is kept out of every environment, so that to promote it is refused."""
        return any(condition.what == "quarantine" for condition in self.conditions)

    @property
    def by_itself(self) -> bool:
        """Tell whether time alone ends every condition."""
        return all(condition.until is not None for condition in self.conditions)

    def to_json(self) -> dict[str, Any]:
        """Return the explanation as data; `earliest` is null where nothing could ever end a condition."""
        hopeless = any(condition.final for condition in self.conditions)
        return {
            "version": 1,
            "environment": self.environment,
            "release": self.release,
            "promotion": self.promotion,
            "arrived": self.arrived,
            "conditions": [condition.to_json() for condition in self.conditions],
            "earliest": None if hopeless else format_time(self.earliest),
            "by_itself": self.by_itself,
            "instead": self.instead,
            "back_by": self.back_by,
        }


def explain(
    ledgers: Ledgers,
    environment: str,
    release: str,
    *,
    promotion: Promotion | None,
    answers: Callable[[datetime], tuple[GateAnswer, ...]],
    approvers: tuple[str, ...],
    older_than: str | None,
    instead: str | None = None,
    now: datetime,
) -> Explanation:
    """Say what keeps a release out of an environment; a pure function of the ledgers and the clock.

    Args:
        ledgers: what the ledgers say.
        environment: the environment.
        release: digest of the release.
        promotion: the active promotion of this release there, or None.
        answers: what the gates, and a hold, say at a moment.
        approvers: short names of everybody in the approvers file in force.
        older_than: digest of what the environment runs, where the release is older.
        instead: digest of another release that may come in where this one is quarantined, or None.
        now: the moment.
    """
    state = ledgers.environments[environment]
    current = state.current
    newest = next((one for one in reversed(state.promotions) if one.applied), None)
    settled = newest is not None and newest.state == "succeeded" and newest.release == release
    if settled and current is not None and current.release == release:
        return Explanation(environment, release, newest.id if newest else None, True, (), now)
    if promotion is not None and promotion.applied:
        return Explanation(
            environment, release, promotion.id, False, (_under_way(state, promotion, approvers, now),), now
        )
    unmet = [
        Condition(one.gate, one.reason, _who(one, approvers), one.until, one.command, one.outcome in _FINAL)
        for one in answers(now)
        if one.outcome is not Outcome.PASSED
    ]
    # in the order in which they are ended: what somebody stopped is let go on before it is asked for
    stopped = [one for one in unmet if one.what in _STOPPED]
    found = [*_standing(ledgers, state, release, approvers, older_than), *stopped]
    if promotion is None:
        found.extend(_request(state, release, environment))
    found.extend(one for one in unmet if one.what not in _STOPPED)
    known = promotion.id if promotion else None
    told = _told_once(found, ledgers.workflow.quarantine_of(release))
    runs = current is not None and current.release == release and newest is not None and newest.release != release
    back_by = newest.id if runs and newest else None
    return Explanation(environment, release, known, False, told, earliest(answers, now), instead, back_by)


def _told_once(found: list[Condition], stop: str | None) -> tuple[Condition, ...]:
    """Return conditions of which only the first says why the release is quarantined."""
    if stop is None:
        return tuple(found)
    first, *others = found
    return (first, *(replace(one, reason=one.reason.replace(f": {stop}", " for that", 1)) for one in others))


def _who(answer: GateAnswer, approvers: tuple[str, ...]) -> tuple[str, ...]:
    """Return who can end what a gate waits for: what somebody stopped, anybody in the approvers file lets go on."""
    return approvers if answer.gate in _STOPPED else answer.who


def earliest(answers: Callable[[datetime], tuple[GateAnswer, ...]], now: datetime) -> datetime:
    """Return the first moment from now on at which no gate waits for time; pure.

    A soak may end in a freeze, and a freeze after an allowed time: each moment found is asked about again.
    """
    moment = now
    for _ in range(_MOST_LOOKS):
        later = [one.until for one in answers(moment) if one.outcome is Outcome.WAITING and one.until]
        if not any(until > moment for until in later):
            break
        moment = max(later)
    return moment


def _standing(
    ledgers: Ledgers, state: EnvironmentState, release: str, approvers: tuple[str, ...], older_than: str | None
) -> list[Condition]:
    """Return what keeps the release out whatever the gates say."""
    found = []
    stop = ledgers.workflow.quarantine_of(release)
    if stop is not None:
        lift = f"f0ci quarantine {short(release)} --lift --reason ..."
        found.append(Condition("quarantine", f"the release is quarantined: {stop}", approvers, command=lift))
    if older_than is not None:
        back = f"f0ci rollback {state.environment} --to {short(release)} --reason ..."
        reason = f"it is older than {short(older_than)}, which {state.environment!r} runs"
        found.append(Condition("older", reason, approvers, command=back, final=True))
    return found


def _request(state: EnvironmentState, release: str, environment: str) -> list[Condition]:
    """Return what is unmet where nobody's active promotion brings the release."""
    ask = f"f0ci promote {environment} --release {short(release)}"
    other = state.unfinished
    if other is not None:
        go_on = f"f0ci promote {environment} --continue"
        reason = f"{other.id} is under way with release {short(other.release)} ({other.state}); one at a time"
        return [Condition("queue", reason, command=go_on)]
    ended = next((one for one in reversed(state.promotions) if one.release == release), None)
    if ended is not None and ended.state != "succeeded":
        why = f": {'; '.join(ended.reasons)}" if ended.reasons else ""
        return [Condition("ended", f"{ended.id} ended {ended.state}{why}", command=ask)]
    said = f"nobody asked for it since {ended.id} brought it in" if ended else "nobody asked for it yet"
    return [Condition("request", said, command=ask)]


def _under_way(state: EnvironmentState, promotion: Promotion, approvers: tuple[str, ...], now: datetime) -> Condition:
    """Return what a rollout waits for: a person where it needs one, else that somebody takes it further."""
    said = current_reasons(promotion)
    reason = f"{promotion.id} is {promotion.state}" + (f": {'; '.join(said)}" if said else "")
    held = hold_answer(state, promotion, now)
    if held is not None and any(said.startswith("hold:") for said in promotion.reasons):
        return Condition(
            "hold", f"{promotion.id} is {promotion.state}: {held.reason}", approvers, held.until, held.command
        )
    paused = promotion.state == "verifying" and resume_answer(promotion, promotion.applied[-1].step)
    if promotion.next_check_at is None and (
        may_watch_again(promotion, now) or (paused and paused == promotion.reasons)
    ):
        return Condition(promotion.state, reason, approvers, None, f"f0ci resume {promotion.id}")
    go_on = f"f0ci promote {promotion.environment} --continue"
    return Condition(promotion.state, reason, (), promotion.next_check_at, go_on)
