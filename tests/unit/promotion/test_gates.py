"""What gates answer, row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from f0ci.core.outcome import Outcome
from f0ci.promotion.approvers import Approvers, Person
from f0ci.promotion.events import Event
from f0ci.promotion.evidence import Evidence
from f0ci.promotion.folding import fold_environment
from f0ci.promotion.gates import approval, order
from f0ci.promotion.gates.base import GateQuestion
from f0ci.promotion.state import EnvironmentState
from f0ci.promotion.statements import Statement, VerifiedStatement

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
PLAN = "a" * 64
EARLIER_PLAN = "b" * 64
NEW, OLD = "1" * 64, "2" * 64
PEOPLE = Approvers(
    {
        name: Person(name, (f"{name}@example.com",), (f"ssh-ed25519 {name}",), {"github": f"{name}-gh"})
        for name in ("alice", "bob", "carol", "dave")
    },
    {"managers": ("bob", "carol")},
)


def said(
    who: str,
    decision: str = "approve",
    *,
    plan: str = PLAN,
    expires: datetime | None = None,
    problem: str | None = None,
    reason: str = "",
) -> VerifiedStatement:
    statement = Statement("prod-1", plan, "prod", who, decision, NOW, expires, reason)
    return VerifiedStatement(statement, None if problem else who, problem)


# bob and dave say nothing that anybody could verify
MUTE = Approvers(
    {
        "alice": Person("alice", ("alice@example.com",), ("ssh-ed25519 alice",)),
        "bob": Person("bob", ("bob@example.com",)),
        "dave": Person("dave", ("dave@example.com",), (), {"github": "dave-gh"}),
    }
)


def ask(
    settings: dict[str, Any],
    *statements: VerifiedStatement,
    authors: tuple[str, ...] = ("Alice <alice@example.com>",),
    environments: dict[str, EnvironmentState] | None = None,
    require: str = "none",
) -> GateQuestion:
    return GateQuestion(
        promotion="prod-1",
        environment="prod",
        release=NEW,
        digest=PLAN,
        settings=settings,
        environments=environments or {},
        approvers=PEOPLE,
        statements=statements,
        authors=authors,
        require=require,
        now=NOW,
    )


@pytest.mark.parametrize(
    ("settings", "statements", "authors", "outcome", "words", "who"),
    [
        pytest.param(
            {}, (), ("alice@example.com",), Outcome.WAITING, "0 of 1", ("bob", "carol", "dave"), id="nobody yet"
        ),
        pytest.param(
            {}, (said("bob"),), ("alice@example.com",), Outcome.PASSED, "approved by bob", (), id="one other person"
        ),
        pytest.param(
            {},
            (said("alice"),),
            ("alice@example.com",),
            Outcome.WAITING,
            "author",
            ("bob", "carol", "dave"),
            id="the author does not count",
        ),
        pytest.param(
            {"not_author": False},
            (said("alice"),),
            ("alice@example.com",),
            Outcome.PASSED,
            "alice",
            (),
            id="the author may, where allowed",
        ),
        pytest.param(
            {"count": 2},
            (said("bob"),),
            (),
            Outcome.WAITING,
            "1 of 2",
            ("alice", "carol", "dave"),
            id="a second person is missing",
        ),
        pytest.param(
            {"count": 2},
            (said("bob"), said("bob")),
            (),
            Outcome.WAITING,
            "1 of 2",
            ("alice", "carol", "dave"),
            id="the same person twice is one",
        ),
        pytest.param(
            {"count": 2}, (said("bob"), said("carol")), (), Outcome.PASSED, "bob, carol", (), id="a quorum of two"
        ),
        pytest.param(
            {"groups": ["managers"]},
            (said("dave"),),
            (),
            Outcome.WAITING,
            "not in the group 'managers'",
            ("bob", "carol"),
            id="not in the group",
        ),
        pytest.param({"groups": ["managers"]}, (said("carol"),), (), Outcome.PASSED, "carol", (), id="in the group"),
        pytest.param(
            {"groups": ["nobody"]},
            (said("bob"),),
            (),
            Outcome.WAITING,
            "too few people",
            (),
            id="an unknown group is nobody, never everybody",
        ),
        pytest.param(
            {},
            (said("bob", plan=EARLIER_PLAN),),
            (),
            Outcome.WAITING,
            "earlier plan is void",
            ("alice", "bob", "carol", "dave"),
            id="another plan",
        ),
        pytest.param(
            {},
            (said("bob", expires=NOW),),
            (),
            Outcome.WAITING,
            "expired",
            ("alice", "bob", "carol", "dave"),
            id="expired this very moment",
        ),
        pytest.param(
            {}, (said("bob", expires=NOW + timedelta(seconds=1)),), (), Outcome.PASSED, "bob", (), id="not expired yet"
        ),
        pytest.param(
            {},
            (said("bob", problem="forged"),),
            (),
            Outcome.WAITING,
            "forged",
            ("alice", "bob", "carol", "dave"),
            id="a bad signature",
        ),
        pytest.param(
            {},
            (said("bob"), said("carol", "reject", reason="not now")),
            (),
            Outcome.FAILED,
            "carol rejected it: not now",
            (),
            id="a rejection beats approvals",
        ),
        pytest.param(
            {},
            (said("carol", "reject", plan=EARLIER_PLAN), said("bob")),
            (),
            Outcome.PASSED,
            "bob",
            (),
            id="a rejection of an earlier plan is void too",
        ),
        pytest.param(
            {"groups": ["managers"]},
            (said("dave", "reject"), said("bob")),
            (),
            Outcome.PASSED,
            "bob",
            (),
            id="an outsider's rejection does not count",
        ),
        pytest.param(
            {"not_author": "strict"},
            (said("bob"),),
            ("Mallory <m@example.com>",),
            Outcome.FAILED,
            "m@example.com",
            (),
            id="strict: an unknown author refuses",
        ),
        pytest.param(
            {},
            (said("bob"),),
            ("Mallory <m@example.com>",),
            Outcome.PASSED,
            "bob",
            (),
            id="an unknown author is nobody in particular",
        ),
        pytest.param(
            {},
            (),
            tuple(f"{n}@example.com" for n in ("alice", "bob", "carol", "dave")),
            Outcome.WAITING,
            "nobody",
            (),
            id="everybody is an author",
        ),
        pytest.param(
            {},
            (said("bob"), said("bob", "revoke")),
            (),
            Outcome.WAITING,
            "0 of 1",
            ("alice", "bob", "carol", "dave"),
            id="taken back",
        ),
        pytest.param(
            {},
            (said("bob"), said("bob", "revoke"), said("bob")),
            (),
            Outcome.WAITING,
            "0 of 1",
            ("alice", "bob", "carol", "dave"),
            id="taken back, and recorded once more by somebody",
        ),
        pytest.param(
            {},
            (said("bob"), said("bob", "revoke"), said("bob", reason="looked again")),
            (),
            Outcome.PASSED,
            "bob",
            (),
            id="given once more",
        ),
        pytest.param(
            {},
            (said("bob"), said("carol", "revoke")),
            (),
            Outcome.PASSED,
            "bob",
            (),
            id="only one's own can be taken back",
        ),
        pytest.param(
            {},
            (said("bob"), said("bob", "revoke", problem="no key signed it")),
            (),
            Outcome.PASSED,
            "bob",
            (),
            id="a forged revocation takes nothing back",
        ),
        pytest.param(
            {},
            (said("bob", "override"),),
            (),
            Outcome.WAITING,
            "0 of 1",
            ("alice", "bob", "carol", "dave"),
            id="an override of a freeze approves nothing",
        ),
    ],
)
def test_approval(
    settings: dict[str, Any],
    statements: tuple[VerifiedStatement, ...],
    authors: tuple[str, ...],
    outcome: Outcome,
    words: str,
    who: tuple[str, ...],
) -> None:
    answer = approval.evaluate(ask(settings, *statements, authors=authors))

    assert (answer.outcome, answer.who) == (outcome, who)
    assert words in answer.reason


def asserts(reviewer: str | None, kind: str = "github", digest: str = PLAN) -> Evidence:
    return Evidence(kind, "https://ci.example.com/runs/7", "promote_prod", reviewer, "environment rule", digest)


@pytest.mark.parametrize(
    ("settings", "evidence", "outcome", "words"),
    [
        pytest.param({}, (asserts("bob-gh"),), Outcome.WAITING, "0 of 1", id="not listed, not counted"),
        pytest.param({"accept": ["gitlab"]}, (asserts("bob-gh"),), Outcome.WAITING, "0 of 1", id="another platform"),
        pytest.param({"accept": ["github"]}, (asserts("Bob-GH"),), Outcome.PASSED, "bob (platform)", id="counted"),
        pytest.param({"accept": ["github"]}, (asserts("bob-gh", digest=EARLIER_PLAN),), Outcome.WAITING, "0 of 1",
                     id="of an earlier plan"),
        pytest.param({"accept": ["github"]}, (asserts(None),), Outcome.WAITING, "somebody approved", id="nobody named"),
        pytest.param({"accept": ["github"]}, (asserts("eve"),), Outcome.WAITING, "'accounts'", id="an unknown account"),
        pytest.param({"accept": ["github"]}, (asserts("alice-gh"),), Outcome.WAITING, "is an author", id="an author"),
        pytest.param({"accept": ["github"], "count": 2}, (asserts("bob-gh"), asserts("bob-gh")), Outcome.WAITING,
                     "1 of 2", id="the same person twice"),
        pytest.param({"accept": ["github"], "groups": ["others"]}, (asserts("bob-gh"),), Outcome.WAITING,
                     "not in the group", id="not in the group"),
    ],
)  # fmt: skip
def test_what_a_platform_asserts(
    settings: dict[str, Any], evidence: tuple[Evidence, ...], outcome: Outcome, words: str
) -> None:
    answer = approval.evaluate(replace(ask(settings), evidence=evidence))

    assert answer.outcome is outcome
    assert words in answer.reason


def test_a_signed_approval_and_evidence_of_the_same_person_are_one() -> None:
    answer = approval.evaluate(
        replace(ask({"accept": ["github"], "count": 2}, said("bob")), evidence=(asserts("bob-gh"),))
    )

    assert answer.outcome is Outcome.WAITING
    assert "1 of 2" in answer.reason


@pytest.mark.parametrize(
    ("settings", "who", "outcome"),
    [
        ({}, "carol", Outcome.WAITING),
        ({"not_author": False}, "carol", Outcome.PASSED),
        ({"not_author": False, "not_requester": True}, "carol", Outcome.WAITING),
        ({"not_author": False, "not_requester": True}, "alice", Outcome.PASSED),
        ({"not_author": True, "not_requester": False}, "carol", Outcome.PASSED),
        ({"not_author": True, "not_requester": False}, "alice", Outcome.WAITING),
    ],
)
def test_neither_author_nor_requester(settings: dict[str, Any], who: str, outcome: Outcome) -> None:
    """Alice wrote it, carol requested it."""
    question = replace(ask(settings, said(who)), requested_by="Carol <carol@example.com>")

    assert approval.evaluate(question).outcome is outcome


def test_strict_knows_the_requester_too() -> None:
    question = replace(ask({"not_author": "strict"}, said("bob")), requested_by="Bot <bot@example.com>")

    answer = approval.evaluate(question)

    assert answer.outcome is Outcome.FAILED
    assert "Bot <bot@example.com>" in answer.reason


def history(*records: tuple[str, str, str]) -> EnvironmentState:
    """Build an environment's state from records (release, purpose, how it went)."""
    events: list[Event] = []

    def add(kind: str, promotion: str, sequence: int, data: dict[str, Any]) -> None:
        events.append(
            Event(kind, promotion, sequence, len(events), "staging", NOW, "Alice <alice@example.com>", data, "2026/11")
        )

    for index, (release, purpose, ending) in enumerate(records, start=1):
        name = f"staging-{index}"
        add("requested", name, 1, {"purpose": purpose, "release": release, "digest": PLAN, "plan": {}})
        if ending in {"waiting", "refused"}:
            add(ending, name, 2, {"reasons": ["because"]})
            continue
        add("applied", name, 2, {"step": 0, "commit": f"c{index}", "tree": f"t{index}"})
        if ending == "deploying":
            continue
        add("deployed", name, 3, {"step": 0})
        if ending == "verifying":
            continue
        if ending == "rolled_back":
            add("rolled_back", name, 4, {"to": OLD, "commit": f"r{index}", "tree": "t", "reason": "bad"})
        elif ending == "failed":
            add("failed", name, 4, {"reasons": ["bad"]})
        else:
            add("succeeded", name, 4, {"verification": ending})
    return fold_environment("staging", events, None)


@pytest.mark.parametrize(
    ("records", "require", "outcome", "words"),
    [
        pytest.param((), "none", Outcome.WAITING, "has not succeeded", id="never there"),
        pytest.param(((NEW, "promote", "none"),), "none", Outcome.PASSED, "succeeded in 'staging'", id="succeeded"),
        pytest.param(
            ((NEW, "promote", "none"),),
            "measured",
            Outcome.WAITING,
            "'measured' is required",
            id="succeeded, but not measured",
        ),
        pytest.param(
            ((NEW, "promote", "measured"),), "checked", Outcome.PASSED, "measured", id="measured is more than checked"
        ),
        pytest.param(
            ((NEW, "promote", "verifying"),), "none", Outcome.WAITING, "still verifying", id="still verifying"
        ),
        pytest.param(
            ((OLD, "promote", "deploying"),), "none", Outcome.WAITING, "still deploying", id="another one is deploying"
        ),
        pytest.param(((NEW, "promote", "rolled_back"),), "none", Outcome.FAILED, "rolled_back", id="it failed there"),
        pytest.param(
            ((NEW, "promote", "none"), (NEW, "promote", "failed")),
            "none",
            Outcome.FAILED,
            "failed",
            id="an older success never satisfies it",
        ),
        pytest.param(
            ((NEW, "promote", "none"), (OLD, "promote", "failed")),
            "none",
            Outcome.WAITING,
            "after any success",
            id="nor when another release failed since",
        ),
        pytest.param(
            ((NEW, "promote", "none"), (OLD, "rollback", "none")),
            "none",
            Outcome.WAITING,
            "rolled back by",
            id="nor when it was rolled back by hand",
        ),
        pytest.param(
            ((NEW, "promote", "none"), (OLD, "promote", "none")),
            "none",
            Outcome.PASSED,
            "succeeded",
            id="a later success of another release is no failure",
        ),
        pytest.param(
            ((NEW, "promote", "none"), (OLD, "promote", "refused")),
            "none",
            Outcome.PASSED,
            "succeeded",
            id="a refused one never got there",
        ),
        pytest.param(
            ((NEW, "promote", "none"), (OLD, "promote", "waiting")),
            "none",
            Outcome.PASSED,
            "succeeded",
            id="a waiting one never got there",
        ),
        pytest.param(
            ((OLD, "promote", "none"), (NEW, "promote", "rolled_back"), (NEW, "promote", "none")),
            "none",
            Outcome.PASSED,
            "succeeded",
            id="the newest record counts",
        ),
    ],
)
def test_order(records: tuple[tuple[str, str, str], ...], require: str, outcome: Outcome, words: str) -> None:
    question = ask({"upstream": ["staging"]}, environments={"staging": history(*records)}, require=require)

    answer = order.evaluate(question)

    assert answer.outcome is outcome
    assert words in answer.reason


@pytest.mark.parametrize(("policy", "outcome"), [("all", Outcome.WAITING), ("any", Outcome.PASSED)])
def test_order_asks_all_or_any(policy: str, outcome: Outcome) -> None:
    environments = {"a": history((NEW, "promote", "none")), "b": history()}

    answer = order.evaluate(ask({"upstream": ["a", "b"], "policy": policy}, environments=environments))

    assert answer.outcome is outcome


def test_order_without_upstream_passes() -> None:
    assert order.evaluate(ask({})).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("settings", "authors", "words", "who"),
    [
        ({}, (), "can be given by alice", ("alice",)),
        (
            {},
            ("alice@example.com",),
            "too few people can approve (nobody): alice wrote part of it or requested it; the approvers file lists no "
            "key of bob and dave; add people, or their keys, to the approvers file on the default branch, and release "
            "that",
            (),
        ),
        ({"accept": ["gitlab"]}, ("alice@example.com",), "the approvers file lists no key of bob and dave", ()),
        ({"accept": ["github"]}, ("alice@example.com",), "can be given by dave", ("dave",)),
        ({"accept": ["github"], "count": 2}, (), "can be given by alice, dave", ("alice", "dave")),
        (
            {"accept": ["github"], "count": 3},
            (),
            "too few people can approve (alice, dave): the approvers file lists no key of bob",
            (),
        ),
    ],
)
def test_who_can_say_nothing_that_counts_is_not_waited_for(
    settings: dict[str, Any], authors: tuple[str, ...], words: str, who: tuple[str, ...]
) -> None:
    answer = approval.evaluate(replace(ask(settings, authors=authors), approvers=MUTE))

    assert answer.outcome is Outcome.WAITING
    assert words in answer.reason
    assert not who or answer.who == who


@pytest.mark.parametrize(
    ("settings", "authors", "requested_by", "expected"),
    [
        ({}, ("alice@example.com",), "Bob <bob@example.com>", True),
        ({"not_author": False, "not_requester": True}, (), "Bob <bob@example.com>", False),
        ({}, ("alice@example.com", "bob@example.com"), "Bob <bob@example.com>", False),
        ({}, ("alice@example.com",), "Alice <alice@example.com>", False),
        ({"count": 2}, ("alice@example.com",), "Bob <bob@example.com>", False),
    ],
)
def test_where_only_the_requester_could_approve_somebody_else_asks(
    settings: dict[str, Any], authors: tuple[str, ...], requested_by: str, expected: bool
) -> None:
    two = Approvers({name: PEOPLE.people[name] for name in ("alice", "bob")})
    question = replace(ask(settings, authors=authors), approvers=two, requested_by=requested_by)

    said = "bob could if alice asked for it instead"
    assert (said in approval.evaluate(question).reason) is expected


def test_who_works_alone_is_told_the_setting_for_it() -> None:
    alone = Approvers({"alice": PEOPLE.people["alice"]})

    waiting = approval.evaluate(replace(ask({}), approvers=alone))
    passed = approval.evaluate(replace(ask({"not_author": False}, said("alice")), approvers=alone))

    assert "say `not_author: false` in the gate where one person works alone, or add people" in waiting.reason
    assert passed.outcome is Outcome.PASSED
