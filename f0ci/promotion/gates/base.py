"""What a gate is given and what it answers.

A gate is one file beside this one, named as workflows name it (`approval`, `order`, ...), with a function
`evaluate(question: GateQuestion) -> GateAnswer`. It is pure: everything it may look at is in the question. With
`USES_AUTHORS = False` it says that it does not look at `authors`, which takes the whole history of the repository.

A gate that has to look at more offers `observe(scene: Scene) -> Mapping` beside it: what that found out is part of the
record of the decision, and the only input to `evaluate` that is not in a ledger. `REPEATABLE = True` says that looking
again gives the same, so that an audit looks again instead of believing the record. `CAN_BE_OVERRIDDEN = True` says that
it lets a signed override of a second person pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from f0ci.core.outcome import Outcome
from f0ci.promotion.approvers import Approvers
from f0ci.promotion.evidence import Evidence
from f0ci.promotion.state import EnvironmentState
from f0ci.promotion.statements import VerifiedStatement

if TYPE_CHECKING:
    from f0ci.git.repository import Repository


@dataclass(frozen=True, slots=True)
class GateQuestion:
    """Everything a gate may look at.

    Attributes:
        promotion: id of the promotion.
        environment: its environment.
        release: digest of the release.
        digest: digest of the plan in force.
        settings: the gate's settings in the policy in force.
        environments: state of every environment, as the ledgers told.
        approvers: the approvers in force.
        statements: every approval and rejection, with who really signed it.
        authors: identities of authors, committers and co-authors of what would newly run.
        evidence: what CI systems assert, in order.
        requested_by: identity of who requested.
        requested_at: when, or None.
        facts: what the gate's own `observe` found out, to be judged here.
        require: what an upstream success must be: `none`, `checked` or `measured`.
        now: the moment the question is asked.
    """

    promotion: str
    environment: str
    release: str
    digest: str
    settings: Mapping[str, Any]
    environments: Mapping[str, EnvironmentState]
    approvers: Approvers
    statements: tuple[VerifiedStatement, ...] = ()
    authors: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    requested_by: str = ""
    requested_at: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    require: str = "none"
    now: datetime = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a gate's `observe` may look at.

    Attributes:
        repository: objects of the repository.
        promotion: id of the promotion.
        environment: its environment.
        release: digest of the release.
        source_commit: its source.
        policy_commit: the commit whose policy is in force.
        settings: the gate's settings in that policy.
        approvers: the approvers in force.
        configuration: returns the values that the release configures for the environment.
    """

    repository: Repository
    promotion: str
    environment: str
    release: str
    source_commit: str
    policy_commit: str
    settings: Mapping[str, Any]
    approvers: Approvers
    configuration: Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What a gate says.

    Attributes:
        gate: its kind.
        outcome: passed, waiting, failed (refused) or errored.
        reason: why, for people. Times in it are moments, not spans that shrink while one waits.
        who: short names of the people who can end the waiting.
        until: when the waiting may end by itself, or None.
        command: what ends the waiting, or None.
    """

    gate: str
    outcome: Outcome
    reason: str
    who: tuple[str, ...] = ()
    until: datetime | None = None
    command: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the answer as data."""
        from f0ci.core.clock import format_time

        return {
            "gate": self.gate,
            "outcome": str(self.outcome),
            "reason": self.reason,
            "who": list(self.who),
            "until": format_time(self.until) if self.until else None,
            "command": self.command,
        }
