"""The gate `window`: promotions start in allowed times, and never in a freeze.

Settings:
    timezone: name of the tz database, UTC by default.
    allow, freeze: windows; see `f0ci.workflows.windows`.
    override: who may open it with a reason and a signature, `{groups: [...]}`; everybody in the approvers file by
        default, never whoever requested; false for nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from f0ci.core.clock import format_time
from f0ci.core.outcome import Outcome
from f0ci.promotion.approvers import Approvers
from f0ci.promotion.gates.base import GateAnswer, GateQuestion
from f0ci.promotion.names import short
from f0ci.promotion.statements import standing
from f0ci.workflows.windows import WindowError, parse_calendar

KIND = "window"
USES_AUTHORS = False
CAN_BE_OVERRIDDEN = True


def evaluate(question: GateQuestion) -> GateAnswer:
    """Answer whether the environment is open.

    its windows cannot be read                     errored
    open                                           passed
    closed, overridden by a second person          passed, saying by whom
    closed, and it opens within sight              waiting until then
    closed, and no opening is in sight             waiting for people
    """
    try:
        calendar = parse_calendar(question.settings)
    except WindowError as error:
        return GateAnswer(KIND, Outcome.ERRORED, f"{error.message}; {error.hint}")
    closed = calendar.closed_by(question.now)
    if closed is None:
        return GateAnswer(KIND, Outcome.PASSED, "the environment is open")
    able = people_who_may_override(question.settings, question.requested_by, question.approvers)
    notes = [closed]
    for verified in standing(question.statements):
        statement = verified.statement
        if statement.decision != "override" or statement.gate != KIND:
            continue
        problem = verified.problem
        if problem is None and statement.digest != question.digest:
            problem = f"it was given for an earlier plan, {short(statement.digest)}"
        elif problem is None and statement.approver not in able:
            problem = "they requested the promotion, or may not override"
        elif problem is None and not statement.reason:
            problem = "it has no reason"
        elif problem is None and statement.expires is not None and statement.expires <= question.now:
            problem = "it expired"
        if problem is None:
            return GateAnswer(KIND, Outcome.PASSED, f"{closed}; overridden by {statement.approver}: {statement.reason}")
        notes.append(f"the override of {statement.approver!r} does not count: {problem}")
    opens = calendar.opens_at(question.now)
    notes.append(f"opens at {format_time(opens)}" if opens else "no opening is in sight")
    if able:
        notes.append(f"can be overridden by {', '.join(able)}")
    command = f"f0ci override {question.promotion} --gate {KIND} --reason ..." if able else None
    return GateAnswer(KIND, Outcome.WAITING, "; ".join(notes), able, opens, command)


def people_who_may_override(settings: Mapping[str, Any], requested_by: str, approvers: Approvers) -> tuple[str, ...]:
    """Return who may open the window, sorted: a second person, never the requester; pure."""
    allowed = settings.get("override")
    if allowed is False:
        return ()
    groups = tuple((allowed or {}).get("groups", ()))
    return tuple(sorted(approvers.members(groups) - {approvers.person_of(requested_by)}))
