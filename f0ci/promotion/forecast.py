"""What moves beside a plan: freezes ahead, the earliest moment, and what going back would restore."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from f0ci.core.clock import format_time
from f0ci.core.errors import CannotWork
from f0ci.promotion.applying import rollback_target
from f0ci.promotion.explaining import Explanation, explain
from f0ci.promotion.gates.base import GateAnswer
from f0ci.promotion.judging import Verdict, ask_gates, authors_for, held_answer, observe_gates
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.objects import is_ancestor, source_commit
from f0ci.promotion.policy import read_policy
from f0ci.promotion.releases import newest_content
from f0ci.promotion.rights import believed
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion
from f0ci.workflows.model import GateSpec
from f0ci.workflows.windows import Span, WindowError, parse_calendar

# how far ahead freezes are told of
_AHEAD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is likely, and moves.

    Attributes:
        explanation: what is unmet now, and the earliest moment.
        freezes: those of the next 30 days, by start.
        restores: id and release of the success that a rollback would go back to, or None.
    """

    explanation: Explanation
    freezes: tuple[Span, ...]
    restores: tuple[str, str] | None

    def to_json(self) -> dict[str, Any]:
        """Return the forecast as data."""
        explained = self.explanation.to_json()
        return {
            "arrived": explained["arrived"],
            "conditions": explained["conditions"],
            "earliest": explained["earliest"],
            "by_itself": explained["by_itself"],
            "instead": explained["instead"],
            "freezes": [
                {"name": one.name, "from": format_time(one.start), "to": format_time(one.end)} for one in self.freezes
            ],
            "rollback": {"promotion": self.restores[0], "release": self.restores[1]} if self.restores else None,
        }


def forecast(
    site: Site,
    ledgers: Ledgers,
    promotion: Promotion,
    *,
    exists: bool,
    now: datetime,
    verdict: Verdict | None = None,
) -> Forecast:
    """Return what is likely about a promotion, asked for or only planned.

    Args:
        site: the repository.
        ledgers: what the ledgers say.
        promotion: the promotion, drawn where nobody asked for it.
        exists: whether somebody asked for it.
        now: the moment.
        verdict: what the gates said now, where they were asked.
    """
    state = ledgers.environments[promotion.environment]
    asked = _answers(site, ledgers, promotion, now, verdict)
    answers = asked if exists else lambda moment: tuple(_of_none(one, promotion.id) for one in asked(moment))
    explanation = explain(
        ledgers,
        promotion.environment,
        promotion.release,
        promotion=promotion if exists else None,
        answers=answers,
        approvers=_approvers(site, state),
        older_than=None if exists else _older_than(site, state, promotion.release, promotion.plan["source_commit"]),
        instead=None if exists else _instead(site, ledgers, state, promotion.release),
        now=now,
    )
    require = str(promotion.plan["policy"].get("require", "none"))
    target = rollback_target(state, believed(site, state, ledgers), promotion.release, require)
    restores = (target.id, target.release) if target else None
    return Forecast(explanation, tuple(_freezes(promotion.plan["gates"], now)), restores)


def _answers(
    site: Site, ledgers: Ledgers, promotion: Promotion, now: datetime, verdict: Verdict | None
) -> Callable[[datetime], tuple[GateAnswer, ...]]:
    """Return what says what gates and hold would answer at a moment; what they look at is looked at once."""
    state = ledgers.environments[promotion.environment]
    gates = tuple(GateSpec(gate["kind"], gate["settings"]) for gate in promotion.plan["gates"])
    known: dict[datetime, tuple[GateAnswer, ...]] = {now: verdict.answers} if verdict else {}
    if not gates:
        return lambda moment: known.get(moment) or _held(site, ledgers, promotion, moment)
    policy = read_policy(site, state, promotion.environment)
    facts = verdict.facts if verdict else observe_gates(site, gates, promotion, policy, ask=False)
    written: list[tuple[str, ...]] = []

    def answers(moment: datetime) -> tuple[GateAnswer, ...]:
        if moment not in known:
            written.extend([] if written else [authors_for(site, gates, promotion, state)])
            authors = written[0]
            asked = ask_gates(gates, promotion, policy, ledgers, authors, facts, moment)
            known[moment] = (*asked, *_held(site, ledgers, promotion, moment))
        return known[moment]

    return answers


def _of_none(answer: GateAnswer, promotion: str) -> GateAnswer:
    """Return an answer without its command where that is about a promotion that nobody asked for."""
    return replace(answer, command=None) if promotion in (answer.command or "").split() else answer


def _held(site: Site, ledgers: Ledgers, promotion: Promotion, moment: datetime) -> tuple[GateAnswer, ...]:
    held = held_answer(site, ledgers, promotion, moment)
    return (held,) if held else ()


def _approvers(site: Site, state: EnvironmentState) -> tuple[str, ...]:
    try:
        return tuple(sorted(read_policy(site, state, state.environment).approvers.people))
    except CannotWork:
        return ()


def _instead(site: Site, ledgers: Ledgers, state: EnvironmentState, release: str) -> str | None:
    """Return the newest release that may come in where one is quarantined, or None; what runs is no other."""
    known = believed(site, state, ledgers)
    if known.workflow.quarantine_of(release) is None:
        return None
    running = state.current.release if state.current else None
    for one in reversed(site.releases()):
        stopped = one.digest == release or known.workflow.quarantine_of(one.digest) is not None
        if not stopped:
            same = one.digest == running
            return None if same or _older_than(site, state, one.digest, one.commit) is not None else one.digest
    return None


def _older_than(site: Site, state: EnvironmentState, release: str, source: str) -> str | None:
    """Return the digest of what an environment runs, where a release is older than that.

    Args:
        site: the repository.
        state: the environment.
        release: digest of the release.
        source: its source commit.
    """
    running = state.current
    if running is None or running.release == release or release == newest_content(site):
        return None
    newer = source_commit(site, state, running.release)
    if newer is None or newer == source or site.repository.commit_of(newer) is None:
        return None
    return running.release if is_ancestor(site, source, newer) else None


def _freezes(gates: list[Mapping[str, Any]], now: datetime) -> list[Span]:
    found: list[Span] = []
    for gate in gates:
        if gate["kind"] == "window":
            try:
                found.extend(parse_calendar(gate["settings"]).frozen(now, now + _AHEAD))
            except WindowError:
                # the gate itself says what is wrong with it
                continue
    return found


def describe_restores(forecast: Forecast) -> str:
    """Return what going back would restore, for people."""
    if forecast.restores is None:
        return "a rollback would restore nothing: there is no earlier success here"
    promotion, release = forecast.restores
    return f"a rollback would restore release {short(release)} as {promotion} left it"
