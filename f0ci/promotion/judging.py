"""What the gates say about a promotion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from f0ci.core.clock import format_time
from f0ci.core.outcome import Outcome, worst
from f0ci.core.plugins import load
from f0ci.promotion.authors import authors_of
from f0ci.promotion.errands import ask_errand
from f0ci.promotion.evidence import Evidence, evidence_of
from f0ci.promotion.gates.base import GateAnswer, GateQuestion, Scene
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.names import short
from f0ci.promotion.policy import Policy, read_policy
from f0ci.promotion.rights import unproven_lift, unproven_pass, unproven_release
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion
from f0ci.promotion.statements import VerifiedStatement, verify_statement
from f0ci.workflows.model import GateSpec


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all gates together say.

    Attributes:
        outcome: passed only where every gate passed; no gate at all is passed, because the policy asked for none.
        answers: each gate's answer.
        facts: what gates found out beyond the ledgers, by kind, for the record.
    """

    outcome: Outcome
    answers: tuple[GateAnswer, ...]
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why it does not pass, one line a gate; where one refuses, what others still wait for says nothing."""
        refused = self.outcome is Outcome.FAILED
        told = [one for one in self.answers if one.outcome is (Outcome.FAILED if refused else one.outcome)]
        return tuple(f"{one.gate}: {one.reason}" for one in told if one.outcome is not Outcome.PASSED)

    @property
    def next_check_at(self) -> datetime | None:
        """Return the earliest moment at which waiting may end by itself, or None."""
        return min((answer.until for answer in self.answers if answer.until), default=None)


def judge_gates(site: Site, ledgers: Ledgers, promotion: Promotion, now: datetime, *, ask: bool = True) -> Verdict:
    """Ask the gates of a promotion's plan, with the approvers of the policy in force, and whether a hold stops it.

    Every signature is checked again, each time this is asked.

    Args:
        site: the repository.
        ledgers: what the ledgers say.
        promotion: the promotion.
        now: the moment it is asked at.
        ask: also run what cannot be looked at without running it.
    """
    state = ledgers.environments[promotion.environment]
    gates = tuple(GateSpec(gate["kind"], gate["settings"]) for gate in promotion.plan["gates"])
    asked: tuple[GateAnswer, ...] = ()
    facts: dict[str, Mapping[str, Any]] = {}
    if gates:
        policy = read_policy(site, state, promotion.environment)
        facts = observe_gates(site, gates, promotion, policy, ask=ask)
        asked = ask_gates(gates, promotion, policy, ledgers, authors_for(site, gates, promotion, state), facts, now)
    held = held_answer(site, ledgers, promotion, now)
    answers = (*asked, held) if held else asked
    return Verdict(worst([Outcome.PASSED, *(answer.outcome for answer in answers)]), answers, facts)


def observe_gates(
    site: Site, gates: tuple[GateSpec, ...], promotion: Promotion, policy: Policy, *, ask: bool
) -> dict[str, Mapping[str, Any]]:
    """Return what gates find out beyond the ledgers, by kind.

    Args:
        site: the repository.
        gates: the gates.
        promotion: on whose behalf.
        policy: the policy in force.
        ask: also run what cannot be looked at again.

    Raises:
        LeftError: a gate's command is to be asked where no token is.
    """
    facts: dict[str, Mapping[str, Any]] = {}
    for gate in gates:
        plugin = _load(gate)
        if not hasattr(plugin, "observe") or not (ask or getattr(plugin, "REPEATABLE", False)):
            continue
        if site.apart is not None and not getattr(plugin, "REPEATABLE", False):
            errand = ask_errand(promotion, gate.kind, gate.settings, policy.commit)
            facts[gate.kind] = site.apart.answer(errand)["facts"]
            continue
        commit = str(promotion.plan["source_commit"])
        facts[gate.kind] = plugin.observe(
            Scene(
                repository=site.repository,
                promotion=promotion.id,
                environment=promotion.environment,
                release=promotion.release,
                source_commit=commit,
                policy_commit=policy.commit,
                settings=gate.settings,
                approvers=policy.approvers,
                configuration=partial(_configuration, site, commit, promotion.environment),
            )
        )
    return facts


def _configuration(site: Site, commit: str, environment: str) -> Mapping[str, Any]:
    """Return the values that a commit configures for an environment."""
    from f0ci.environments.loading import load_environment
    from f0ci.source.project import load_project
    from f0ci.workflows.reading import read_workflow

    tree = site.repository.tree(commit)
    project = load_project(tree)
    described = read_workflow(tree, project.workflow).environment(environment)
    return load_environment(tree, project, described.config).config if described else {}


def ask_gates(
    gates: tuple[GateSpec, ...],
    promotion: Promotion,
    policy: Policy,
    ledgers: Ledgers,
    authors: tuple[str, ...],
    facts: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> tuple[GateAnswer, ...]:
    """Ask every gate; a decision without I/O but for checking signatures and importing the gates."""
    statements = verified_statements(promotion, policy)
    answers = []
    for gate in gates:
        question = GateQuestion(
            promotion=promotion.id,
            environment=promotion.environment,
            release=promotion.release,
            digest=promotion.digest,
            settings=gate.settings,
            environments=ledgers.environments,
            approvers=policy.approvers,
            statements=statements,
            authors=authors,
            evidence=standing_evidence(promotion, policy),
            requested_by=promotion.requested_by,
            requested_at=promotion.requested_at,
            facts=facts.get(gate.kind, {}),
            require=policy.require,
            now=now,
        )
        answers.append(_load(gate).evaluate(question))
    return tuple(answers)


def hold_answer(state: EnvironmentState, promotion: Promotion, now: datetime) -> GateAnswer | None:
    """Return what a hold says to a promotion at a moment, or None where none stops it; pure."""
    hold = state.hold
    if hold is None or not hold.stops(promotion, now):
        return None
    name = state.environment
    ends = f" until {format_time(hold.expires)}" if hold.expires else ""
    passing = f"`f0ci promote {name} --through-hold REASON`"
    passes = f"ends {promotion.id} and asks again with {passing}" if promotion.events else f"passes it with {passing}"
    return GateAnswer(
        "hold",
        Outcome.WAITING,
        f"{name} is held since {format_time(hold.since)}{ends} by {hold.owner}: {hold.reason}; an approver lifts it, "
        f"or {passes}",
        until=hold.expires,
        command=f"f0ci unhold {name}",
    )


def held_answer(site: Site, ledgers: Ledgers, promotion: Promotion, now: datetime) -> GateAnswer | None:
    """Return what stops a promotion whatever its gates say, or None: a hold, or the lifting of one that proves nothing.

    A rollback is stopped by nothing.

    Args:
        site: the repository.
        ledgers: what the ledgers say.
        promotion: the promotion.
        now: the moment.

    Raises:
        CannotWork: the policy in force cannot be read.
    """
    state = ledgers.environments[promotion.environment]
    held = hold_answer(state, promotion, now)
    if held is not None or promotion.purpose == "rollback":
        return held
    passes = unproven_pass(site, state, promotion)
    if passes is not None:
        command = f"f0ci abort {promotion.id} --reason ..."
        return GateAnswer("hold", Outcome.WAITING, f"{passes}; end it, and ask again", command=command)
    after = state.released is not None and promotion.position > state.released.event.position
    opened = None if promotion.through_hold and after else unproven_release(site, state)
    if opened is not None:
        command = f"f0ci unhold {state.environment}"
        return GateAnswer("hold", Outcome.WAITING, f"{opened}; an approver has to lift it", command=command)
    lifted = unproven_lift(site, state, ledgers.workflow, promotion.release)
    if lifted is None:
        return None
    command = f"f0ci quarantine {short(promotion.release)} --reason ..."
    return GateAnswer("quarantine", Outcome.WAITING, f"{lifted}; set it again for an approver to lift", command=command)


def verified_statements(promotion: Promotion, policy: Policy) -> tuple[VerifiedStatement, ...]:
    """Return every approval and rejection of a promotion with who really signed it."""
    return tuple(verify_statement(event, policy.approvers) for event in promotion.statements)


def standing_evidence(promotion: Promotion, policy: Policy) -> tuple[Evidence, ...]:
    """Return what CI systems assert about a promotion, but for approvals that whoever gave them took back since."""
    kept: list[Evidence] = []
    of = policy.approvers.person_with_account
    for event in promotion.events:
        if event.kind == "evidence":
            kept.append(evidence_of(event))
        elif event.kind == "revoked":
            verified = verify_statement(event, policy.approvers)
            if verified.problem is None:
                kept = [one for one in kept if of(one.kind, one.reviewer) != verified.statement.approver]
    return tuple(kept)


def authors_for(
    site: Site, gates: tuple[GateSpec, ...], promotion: Promotion, state: EnvironmentState
) -> tuple[str, ...]:
    """Return the authors that some gates have to know of; nobody where none of them looks at authors."""
    if not any(getattr(_load(gate), "USES_AUTHORS", True) for gate in gates):
        return ()
    return authors_of(site, promotion, state)


def _load(gate: GateSpec) -> Any:
    return load("f0ci.promotion.gates", gate.kind, noun="gate")
