"""The gate `approval`: enough of the right people signed this very plan.

Settings:
    count: how many different people, 1 by default.
    groups: groups of the approvers file; everybody in the file where none is named.
    not_author: true (default): authors and the requester do not count; `strict`: an author that the approvers file does
        not know refuses; false: they count.
    expires: how long an approval counts after it was signed, whatever its own expiry says.
    accept: kinds of platform evidence that count.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from f0ci.core.duration import parse_duration
from f0ci.core.outcome import Outcome
from f0ci.promotion.gates.base import GateAnswer, GateQuestion
from f0ci.promotion.names import short
from f0ci.promotion.statements import Statement

KIND = "approval"
_NEVER = datetime.max.replace(tzinfo=UTC)


def evaluate(question: GateQuestion) -> GateAnswer:
    """Answer whether enough people approved.

    accept is set                                   errored: not counted by this version
    not_author is strict and an author is unknown   refused
    somebody who may approve rejected this plan     refused
    enough valid approvals of this plan             passed
    otherwise                                       waiting for those who can
    """
    settings = question.settings
    if settings.get("accept"):
        return _answer(
            Outcome.ERRORED,
            "approvals given on a platform ('accept') are not counted by this version of f0ci",
        )
    count = int(settings.get("count", 1))
    members = question.approvers.members(tuple(settings.get("groups", ())))
    not_author = settings.get("not_author", True)
    people = {identity: question.approvers.person_of(identity) for identity in question.authors}
    if not_author == "strict":
        unknown = sorted({identity for identity, person in people.items() if person is None})
        if unknown:
            return _answer(
                Outcome.FAILED,
                f"unknown author {', '.join(unknown)}: the approvers file must name every author",
            )
    excluded = {person for person in people.values() if person} if not_author else set()

    void = 0
    approved: set[str] = set()
    problems: list[str] = []
    for verified in question.statements:
        statement = verified.statement
        if verified.problem is not None:
            problems.append(f"the {statement.decision} of {statement.approver!r} does not count: {verified.problem}")
        elif statement.digest != question.digest:
            void += 1
        elif statement.approver not in members:
            problems.append(f"{statement.approver!r} is not in {_group_words(question)}")
        elif statement.decision == "reject":
            said = f": {statement.reason}" if statement.reason else ""
            return _answer(Outcome.FAILED, f"{statement.approver} rejected it{said}")
        elif _expires(statement, settings) <= question.now:
            problems.append(f"the approval of {statement.approver!r} expired")
        elif statement.approver in excluded:
            problems.append(f"{statement.approver!r} is an author or requested it")
        else:
            approved.add(statement.approver)
    if len(approved) >= count:
        return _answer(Outcome.PASSED, f"approved by {', '.join(sorted(approved))}")

    able = tuple(sorted(members - excluded - approved))
    notes = [f"{len(approved)} of {count} approval{'s' if count != 1 else ''} of plan {short(question.digest)}"]
    if void:
        notes.append(f"{void} given for an earlier plan {'is' if void == 1 else 'are'} void")
    notes.extend(problems)
    if len(able) + len(approved) < count:
        notes.append(f"too few people can approve ({', '.join(able) or 'nobody'}): add people to the approvers file")
    else:
        notes.append(f"can be given by {', '.join(able)}")
    return GateAnswer(KIND, Outcome.WAITING, "; ".join(notes), able, command=f"f0ci approve {question.promotion}")


def _expires(statement: Statement, settings: Mapping[str, Any]) -> datetime:
    """Return when an approval stops to count: by its own expiry or by the gate's, whichever comes first."""
    limits = [statement.expires or _NEVER]
    if settings.get("expires"):
        limits.append(statement.time + parse_duration(str(settings["expires"])))
    return min(limits)


def _answer(outcome: Outcome, reason: str) -> GateAnswer:
    return GateAnswer(KIND, outcome, reason)


def _group_words(question: GateQuestion) -> str:
    groups = question.settings.get("groups", ())
    return f"the group {' or '.join(map(repr, groups))}" if groups else "the approvers file"
