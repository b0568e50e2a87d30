"""Who can approve: whom file and settings leave, and what mends it where too few are left; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from f0ci.promotion.approvers import Approvers

if TYPE_CHECKING:
    from f0ci.promotion.gates.base import GateQuestion


def excluded_people(
    settings: Mapping[str, Any], authors: Iterable[str], requested_by: str, approvers: Approvers
) -> frozenset[str]:
    """Return who may not approve because they wrote part of what is promoted, or asked for it; pure."""
    of = approvers.person_of
    not_author = bool(settings.get("not_author", True))
    not_requester = bool(settings.get("not_requester", not_author))
    asked = of(requested_by)
    people = {of(identity) for identity in authors} if not_author else set()
    return frozenset(person for person in (*people, asked if not_requester else None) if person)


def can_say(question: GateQuestion, name: str) -> bool:
    """Tell whether somebody could approve: with a key, or on a platform that the gate accepts."""
    person = question.approvers.people.get(name)
    accepted = question.settings.get("accept") or ()
    return person is not None and bool(person.keys or any(str(kind) in person.accounts for kind in accepted))


def another_requester(
    question: GateQuestion, members: frozenset[str], excluded: frozenset[str], missing: int
) -> str | None:
    """Return who could approve if somebody else had requested it, where that is all that is missing, or None."""
    asked, settings = question.approvers.person_of(question.requested_by), question.settings
    only_asked = excluded_people({**settings, "not_requester": False}, question.authors, "", question.approvers)
    if missing != 1 or asked not in members & excluded or asked in only_asked or not can_say(question, asked):
        return None
    others = sorted(set(question.approvers.people) - {asked})
    return f"{asked} could if {' or '.join(others)} asked for it instead" if others else None


def way_out(question: GateQuestion, excluded: frozenset[str], mute: list[str]) -> str:
    """Return who does not count and why, and what has to change, where too few people can approve."""
    names = " and ".join(sorted(excluded))
    reason = f"{names} wrote part of it or requested it; " if excluded else ""
    reason += f"the approvers file lists no key of {' and '.join(mute)}; " if mute else ""
    add = "add people, or their keys," if mute else "add people"
    if excluded and len(question.approvers.people) == 1:
        add = f"say `not_author: false` in the gate where one person works alone, or {add}"
    state = question.environments.get(question.environment)
    if state is None or not any(one.purpose == "promote" for one in state.succeeded()):
        return f"{reason}{add} to the approvers file on the default branch, and release that"
    somebody = ", which somebody else has to write and request" if excluded else ""
    return f"{reason}{add} to the approvers file with a release of its own{somebody}"
