"""What the gates say about a promotion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from f0ci.core.outcome import Outcome, worst
from f0ci.core.plugins import load
from f0ci.promotion.gates.base import GateAnswer, GateQuestion
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.policy import Policy
from f0ci.promotion.site import Site
from f0ci.promotion.state import Promotion
from f0ci.promotion.statements import VerifiedStatement, verify_statement
from f0ci.workflows.model import GateSpec

_CO_AUTHOR = "co-authored-by"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all gates together say.

    Attributes:
        outcome: passed only where every gate passed; no gate at all is passed, because the policy asked for none.
        answers: each gate's answer.
    """

    outcome: Outcome
    answers: tuple[GateAnswer, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why it does not pass, one line a gate."""
        return tuple(
            f"{answer.gate}: {answer.reason}" for answer in self.answers if answer.outcome is not Outcome.PASSED
        )

    @property
    def next_check_at(self) -> datetime | None:
        """Return the earliest moment at which waiting may end by itself, or None."""
        return min((answer.until for answer in self.answers if answer.until), default=None)


def ask_gates(
    gates: tuple[GateSpec, ...],
    promotion: Promotion,
    policy: Policy,
    ledgers: Ledgers,
    statements: tuple[VerifiedStatement, ...],
    authors: tuple[str, ...],
    now: datetime,
) -> Verdict:
    """Ask every gate; a decision without I/O but for importing the gates."""
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
            require=policy.require,
            now=now,
        )
        answers.append(load("f0ci.promotion.gates", gate.kind, noun="gate").evaluate(question))
    return Verdict(worst([Outcome.PASSED, *(answer.outcome for answer in answers)]), tuple(answers))


def verified_statements(promotion: Promotion, policy: Policy) -> tuple[VerifiedStatement, ...]:
    """Return every approval and rejection of a promotion with who really signed it."""
    return tuple(verify_statement(event, policy.approvers) for event in promotion.statements)


def authors_of(site: Site, promotion: Promotion, running: str | None) -> tuple[str, ...]:
    """Return who wrote what would newly run, and who requested it, sorted.

    Args:
        site: the repository.
        promotion: the promotion.
        running: source commit of what the environment runs, or None where it runs nothing.
    """
    source = str(promotion.plan["source_commit"])
    commits = site.repository.log(f"{running}..{source}" if running else source)
    identities = {promotion.requested_by}
    for commit in commits:
        identities.update((str(commit.author), str(commit.committer)))
        identities.update(value for name, value in commit.trailers if name.lower() == _CO_AUTHOR)
    return tuple(sorted(identities))
