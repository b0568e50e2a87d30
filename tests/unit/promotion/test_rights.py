"""What lets things go on that somebody stopped is believed of those who may, for what they answered, and only then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.promotion.approvers import Approvers, Person
from f0ci.promotion.events import ENVIRONMENT_EVENTS, Draft
from f0ci.promotion.rights import unproven
from f0ci.promotion.statements import Statement
from tests.unit.promotion.builders import NOW, events_of, hold, sample, state_of

HELD = events_of(hold())[0].digest
GOOD = Statement(ENVIRONMENT_EVENTS, HELD, "prod", "bob", "unhold", NOW, reason="over")
KEYLESS = Approvers({"alice": Person("alice", ("alice@example.com",)), "bob": Person("bob", ("bob@example.com",))})
Signed = Callable[[Statement, str], dict[str, Any]]


@pytest.mark.parametrize(
    ("statement", "signer", "problem"),
    [
        (GOOD, "bob", None),
        (GOOD, "carol", "it names 'bob' but 'carol' signed it"),
        (GOOD, "mallory", "no key of 'bob' or anybody else in the approvers file signed it"),
        (replace(GOOD, digest="0" * 64), "bob", "what was signed is about something else"),
        (replace(GOOD, expires=NOW), "bob", "what was signed ends at another time"),
        (replace(GOOD, decision="shorten"), "bob", "the event says 'unhold', the statement 'shorten'"),
        (replace(GOOD, environment="dev"), "bob", "the statement is about '_environment' in 'dev'"),
        (replace(GOOD, promotion="prod-1"), "bob", "the statement is about 'prod-1' in 'prod'"),
    ],
    ids=["right", "another's name", "a stranger", "another hold", "another end", "another act", "elsewhere", "no hold"],
)
def test_a_signature_is_of_whom_and_about_what_it_says(
    statement: Statement, signer: str, problem: str | None, signed: Signed, approvers: Approvers
) -> None:
    event = events_of(Draft("unhold", ENVIRONMENT_EVENTS, {"reason": "over", **signed(statement, signer)}))[0]

    assert unproven(event, approvers, HELD) == problem


def test_a_shorter_hold_is_signed_with_its_end(signed: Signed, approvers: Approvers) -> None:
    soon = NOW + timedelta(hours=1)
    data = {"reason": "short", "promotion": None, **signed(replace(GOOD, decision="shorten", expires=soon), "bob")}
    event = events_of(Draft("hold", ENVIRONMENT_EVENTS, data))[0]

    assert unproven(event, approvers, HELD, expires=soon) is None
    assert unproven(event, approvers, HELD, expires=NOW) == "what was signed ends at another time"


def test_where_anybody_has_a_key_an_address_is_not_enough(approvers: Approvers) -> None:
    some = Approvers({**approvers.people, "alice": Person("alice", ("alice@example.com",))})

    assert unproven(events_of(sample("unhold"))[0], some, HELD) == "nobody signed it"


def test_where_nobody_has_a_key_an_address_is_what_there_is() -> None:
    event = events_of(sample("unhold"))[0]

    assert unproven(event, KEYLESS, HELD) is None
    stranger = replace(event, actor="Mallory <mallory@example.com>")
    assert unproven(stranger, KEYLESS, HELD) == "Mallory <mallory@example.com> is not in the approvers file"


@given(st.lists(st.sampled_from(["hold", "unhold"]), max_size=12))
def test_what_was_lifted_last_answers_what_stood_then(kinds: list[str]) -> None:
    """Rule 7: lifting a hold answers the very hold that stood, or the lifting that proved nothing."""
    events = events_of(*(hold() if kind == "hold" else sample("unhold") for kind in kinds))
    state = state_of(*(hold() if kind == "hold" else sample("unhold") for kind in kinds))

    lifted = [event for event in events if event.kind == "unhold"]
    assert (state.released.event if state.released else None) == (lifted[-1] if lifted else None)
    if lifted:
        before = events[: lifted[-1].position]
        assert state.released is not None
        assert state.released.about == (before[-1].digest if before else "")
