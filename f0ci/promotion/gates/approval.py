"""The gate `approval`: enough of the right people agreed to this very plan.

Settings:
    count: how many different people, 1 by default.
    groups: groups of the approvers file; everybody in the file where none is named.
    not_author: true (default): authors and the requester do not count; `strict`: an author that the approvers file does
        not know refuses; false: they count.
    not_requester: whether the requester does not count; by default as `not_author` says.
    expires: how long an approval counts after it was signed, whatever its own expiry says.
    accept: kinds of platform evidence (`github`, `gitlab`, ...) that count beside signed approvals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from f0ci.core.counting import counted
from f0ci.core.duration import parse_duration
from f0ci.core.outcome import Outcome
from f0ci.promotion.able import another_requester, can_say, excluded_people, way_out
from f0ci.promotion.gates.base import GateAnswer, GateQuestion
from f0ci.promotion.names import short
from f0ci.promotion.statements import Statement, VerifiedStatement, standing

KIND = "approval"
_NEVER = datetime.max.replace(tzinfo=UTC)


def evaluate(question: GateQuestion) -> GateAnswer:
    """Answer whether enough people approved.

    not_author is strict and an author is unknown   refused
    somebody who may approve rejected this plan     refused
    enough valid approvals of this plan             passed
    otherwise                                       waiting for those who can
    """
    settings = question.settings
    count = int(settings.get("count", 1))
    members = question.approvers.members(tuple(settings.get("groups", ())))
    if settings.get("not_author", True) == "strict":
        everybody = {*question.authors, *([question.requested_by] if question.requested_by else [])}
        unknown = sorted(who for who in everybody if question.approvers.person_of(who) is None)
        if unknown:
            return _answer(
                Outcome.FAILED,
                f"unknown author {', '.join(unknown)}: the approvers file must name every author",
            )
    excluded = excluded_people(settings, question.authors, question.requested_by, question.approvers)
    void = 0
    approved: set[str] = set()
    problems: list[str] = []
    for verified in standing(question.statements):
        statement = verified.statement
        if statement.decision not in {"approve", "reject"}:
            continue
        if verified.problem is None and statement.digest != question.digest:
            void += 1
            continue
        problem = _problem(verified, question, members, excluded)
        if problem is not None:
            problems.append(problem)
        elif statement.decision == "reject":
            said = f": {statement.reason}" if statement.reason else ""
            return _answer(Outcome.FAILED, f"{statement.approver} rejected it{said}")
        else:
            approved.add(statement.approver)
    asserted = set(_asserted(question, members, excluded, problems)) - approved
    if len(approved) + len(asserted) >= count:
        said_by = (*sorted(approved), *(f"{name} (platform)" for name in sorted(asserted)))
        return _answer(Outcome.PASSED, f"approved by {', '.join(said_by)}")
    return _waiting(question, count, members, excluded, approved | asserted, void, problems)


def _problem(
    verified: VerifiedStatement, question: GateQuestion, members: frozenset[str], excluded: frozenset[str]
) -> str | None:
    """Return why a statement about this plan does not count, or None."""
    statement = verified.statement
    if verified.problem is not None:
        return f"the {statement.decision} of {statement.approver!r} does not count: {verified.problem}"
    if statement.approver not in members:
        return f"{statement.approver!r} is not in {_group_words(question)}"
    if statement.decision == "reject":
        return None
    if _expires(statement, question.settings) <= question.now:
        return f"the approval of {statement.approver!r} expired"
    return f"{statement.approver!r} is an author or requested it" if statement.approver in excluded else None


def _asserted(
    question: GateQuestion, members: frozenset[str], excluded: frozenset[str], problems: list[str]
) -> Iterator[str]:
    """Yield whose approval a listed platform asserts; a reviewer that nobody can be told from counts for nobody."""
    accepted = set(map(str, question.settings.get("accept") or ()))
    for evidence in question.evidence:
        if evidence.kind not in accepted or evidence.digest != question.digest:
            continue
        person = question.approvers.person_with_account(evidence.kind, evidence.reviewer)
        if person is None:
            problems.append(
                f"{evidence.kind} says that {evidence.reviewer or 'somebody'} approved, whom nobody in the approvers "
                f"file is: add the account under 'accounts'"
            )
        elif person not in members:
            problems.append(f"{person!r} is not in {_group_words(question)}")
        elif person in excluded:
            problems.append(f"{person!r} is an author or requested it")
        else:
            yield person


def _waiting(
    question: GateQuestion,
    count: int,
    members: frozenset[str],
    excluded: frozenset[str],
    approved: set[str],
    void: int,
    problems: list[str],
) -> GateAnswer:
    asked = members - excluded - approved
    able = tuple(sorted(name for name in asked if can_say(question, name)))
    notes = [f"{len(approved)} of {counted(count, 'approval')} of plan {short(question.digest)}"]
    if void:
        notes.append(f"{void} given for an earlier plan {'is' if void == 1 else 'are'} void")
    notes.extend(dict.fromkeys(problems))
    command = f"f0ci approve {question.promotion}"
    if len(able) + len(approved) < count:
        mends = another_requester(question, members, excluded, count - len(able) - len(approved)) or way_out(
            question, members & excluded, sorted(asked.difference(able))
        )
        notes.append(f"too few people can approve ({', '.join(able) or 'nobody'}): {mends}")
        # nothing that anybody could sign ends this; it is asked for anew, by somebody else or with other approvers
        command = f"f0ci abort {question.promotion} --reason ..."
    else:
        notes.append(f"can be given by {', '.join(able)}")
    return GateAnswer(KIND, Outcome.WAITING, "; ".join(notes), able, command=command)


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
