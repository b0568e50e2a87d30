"""What a gate is given and what it answers.

A gate is one file beside this one, named as workflows name it (`approval`, `order`, ...), with a function
`evaluate(question: GateQuestion) -> GateAnswer`. It is pure: everything it may look at is in the question. With
`USES_AUTHORS = False` it says that it does not look at `authors`, which takes the whole history of the repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from f0ci.core.outcome import Outcome
from f0ci.promotion.approvers import Approvers
from f0ci.promotion.state import EnvironmentState
from f0ci.promotion.statements import VerifiedStatement


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
        authors: identities of authors, committers and co-authors of what would newly run, and of who requested.
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
    require: str = "none"
    now: datetime = field(kw_only=True)


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
