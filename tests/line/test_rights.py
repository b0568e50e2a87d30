"""Letting things go on that somebody stopped: by people of the approvers file, provably, or not at all."""

from __future__ import annotations

import pytest

from tests.conftest import git
from tests.line.conftest import Answer, Line
from tests.line.forger import Forger

WAITING = "prod-4"
AS_BELIEVED_AS = "nobody in the approvers file has a key, so this is believed as the author of a commit is"


def newest(line: Line, ledger: str, kind: str) -> dict[str, object]:
    return next(event["data"] for event in reversed(line.records(ledger)) if event["kind"] == kind)


def test_lifting_a_hold_is_signed_and_names_the_hold(history: Line, forger: Forger) -> None:
    history.done("hold", "prod", "--reason", "incident")
    _path, held = forger.find("prod", "hold")
    history.act_as("bob")

    told = history.done("unhold", "prod", "--reason", "over", "--format", "json").data

    assert told == {
        "version": 1,
        "environment": "prod",
        "held": False,
        "reason": "over",
        "by": "Bob <bob@example.com>",
        "signed": True,
    }
    statement = newest(history, "prod", "unhold")["statement"]
    assert isinstance(statement, dict)
    assert (statement["decision"], statement["approver"], statement["reason"]) == ("unhold", "bob", "over")
    assert statement["digest"] == forger.digest("prod", held)
    history.done("audit", "verify")


def test_a_hold_that_nobody_proves_to_have_lifted_still_stands(history: Line, forger: Forger) -> None:
    history.approve_waiting()
    history.done("hold", "prod", "--reason", "incident")
    forger.act_as("bob")
    forger.append("prod", "_environment", "unhold", {"reason": "never mind"})

    answer = history.f0ci("promote", "prod")

    assert answer.code == 5
    assert "Bob <bob@example.com> lifted the hold, but nobody signed it" in answer.out
    assert "f0ci unhold prod" in history.f0ci("why", "prod").out
    assert "prod: held: Bob <bob@example.com> lifted the hold, but nobody signed it" in history.done("status").out
    assert "applied" not in history.events("prod")[-3:]
    history.act_as("bob")
    history.done("unhold", "prod", "--reason", "it really is over")
    history.act_as("alice")
    history.done("promote", "prod", "--continue")
    # what was let in is not asked again
    assert history.f0ci("unhold", "prod").code == 4


def test_a_new_request_counts_it_as_held_too(history: Line, forger: Forger) -> None:
    history.done("abort", WAITING, "--reason", "later")
    history.done("hold", "prod", "--reason", "incident", "--for", "2h")
    data = {"reason": "short", "promotion": None, "expires": "2026-01-01T00:00:00Z"}
    forger.append("prod", "_environment", "hold", data)

    answer = history.f0ci("promote", "prod")

    assert answer.code == 5
    assert "shortened the hold, but nobody signed it" in answer.out
    assert history.f0ci("promote", "prod", "--through-hold", "it is the fix").code == 5
    history.approve_waiting()
    history.done("promote", "prod", "--continue")


def test_shortening_a_hold_is_signed_for_its_new_end(history: Line, forger: Forger) -> None:
    history.done("hold", "prod", "--reason", "incident")
    told = history.done("hold", "prod", "--reason", "nearly over", "--for", "1h", "--format", "json").data

    assert (told["held"], told["signed"]) == (True, True)
    data = newest(history, "prod", "hold")
    statement = data["statement"]
    assert isinstance(statement, dict)
    assert (statement["decision"], statement["expires"]) == ("shorten", data["expires"])
    history.done("audit", "verify")
    path, _event = forger.find("prod", "hold")
    forger.git("update-ref", forger.ledger("prod"), f"{forger.ledger('prod')}~1")
    forger.append("prod", "_environment", "hold", {**data, "expires": "2026-11-01T00:00:00Z"})
    assert path in forger.events("prod")
    answer = history.f0ci("audit", "verify", work=history.clone("auditor"))
    assert "what was signed ends at another time" in answer.out


def test_everybody_may_hold_and_nothing_is_signed(history: Line) -> None:
    history.act_as("mallory")

    told = history.done("hold", "prod", "--reason", "incident", "--for", "2h", "--format", "json").data
    longer = history.done("hold", "prod", "--reason", "a big one")

    assert (told["held"], told["signed"]) == (True, None)
    assert told["expires"].endswith("Z")
    assert longer.out == "prod is held: a big one\n"
    assert "statement" not in newest(history, "prod", "hold")


def stranger(line: Line, *command: str) -> Answer:
    """Run a command with an approver's address and another key."""
    line.people["mallory"].sign_with(line.work)
    before = line.tip("f0ci/ledger/prod")
    answer = line.f0ci(*command)
    assert line.tip("f0ci/ledger/prod") == before
    line.act_as("alice")
    return answer


@pytest.mark.parametrize(
    "command",
    [
        ("unhold", "prod"),
        ("hold", "prod", "--reason", "short", "--for", "1h"),
        ("promote", "prod", "--through-hold", "I am alice"),
    ],
    ids=" ".join,
)
def test_the_address_of_an_approver_is_not_enough(history: Line, command: tuple[str, ...]) -> None:
    history.done("abort", WAITING, "--reason", "later")
    history.done("hold", "prod", "--reason", "incident")

    answer = stranger(history, *command)

    assert answer.code == 4
    assert "your signing key is not one of 'alice'" in answer.err


def test_a_hold_that_was_not_passed_provably_is_not_passed(history: Line, forger: Forger) -> None:
    history.done("abort", WAITING, "--reason", "later")
    history.done("hold", "prod", "--reason", "incident")
    assert history.f0ci("promote", "prod", "--through-hold", "it is the fix").code == 5
    path, event = forger.find("prod", "requested")
    assert event["data"]["statement"]["digest"] == event["data"]["digest"]
    forger.act_as("alice")
    data = {name: value for name, value in event["data"].items() if name not in {"statement", "signature"}}
    history.done("abort", "prod-5", "--reason", "again")
    from f0ci.core.canonical import digest

    plan = {**data["plan"], "promotion": "prod-6"}
    forger.append("prod", "prod-6", "requested", {**data, "plan": plan, "digest": digest(plan)})
    assert path in forger.events("prod")
    history.approve_waiting()

    answer = history.f0ci("promote", "prod", "--continue")

    assert answer.code == 5
    assert "asked for prod-6 through a hold, but nobody signed it" in answer.out


def test_a_hold_that_does_not_stand_is_not_passed_on_record(history: Line) -> None:
    history.done("abort", WAITING, "--reason", "later")

    assert history.f0ci("promote", "prod", "--through-hold", "just in case").code == 5

    assert "through_hold" not in newest(history, "prod", "requested")


def test_lifting_a_quarantine_is_signed_and_quotes_every_policy(history: Line, forger: Forger) -> None:
    _path, stopped = forger.find("_workflow", "quarantine")
    release = stopped["data"]["release"]
    history.act_as("bob")

    told = history.done("quarantine", release, "--lift", "--reason", "it was the database", "--format", "json").data

    assert (told["release"], told["quarantined"], told["signed"]) == (release, False, True)
    data = newest(history, "_workflow", "unquarantine")
    statement = data["statement"]
    assert isinstance(statement, dict)
    assert (statement["decision"], statement["digest"]) == ("lift", forger.digest("_workflow", stopped))
    assert set(data["policies"]) == {"dev", "staging", "prod"}  # type: ignore[call-overload]
    history.done("audit", "verify")


def test_a_quarantine_that_nobody_proves_to_have_lifted_still_stands(history: Line, forger: Forger) -> None:
    _path, stopped = forger.find("_workflow", "quarantine")
    release = stopped["data"]["release"]
    history.done("abort", WAITING, "--reason", "later")
    forger.append("_workflow", "_workflow", "unquarantine", {"release": release, "reason": "never mind"})

    answer = history.f0ci("promote", "dev", "--release", release)

    assert answer.code != 0
    assert "lifted the quarantine" in answer.out + answer.err
    history.done("quarantine", release, "--reason", "again")
    history.done("quarantine", release, "--lift", "--reason", "looked at it")


def test_without_keys_it_is_as_believed_as_an_author_and_says_so(line: Line) -> None:
    keyless = "version: 1\npeople:\n  alice:\n    emails: [alice@example.com]\n"
    line.commit({".f0ci/approvers.yaml": keyless + "groups:\n  release-managers: [alice]\n"})
    line.done("hold", "dev", "--reason", "incident")

    told = line.done("unhold", "dev", "--format", "json")

    assert told.data["signed"] is False
    assert AS_BELIEVED_AS in told.err
    assert "statement" not in newest(line, "dev", "unhold")
    line.done("audit", "verify")
    # whom the file does not know
    line.act_as("bob")
    line.done("hold", "dev", "--reason", "incident")
    assert line.f0ci("unhold", "dev").code == 4
    Forger(line.bare, line.work, line.people).append("dev", "_environment", "unhold", {"reason": "never mind"})
    assert "tampering not-an-approver" in line.f0ci("audit", "verify").out


def test_whoever_has_no_key_there_is_told_what_to_add(history: Line) -> None:
    history.done("hold", "prod", "--reason", "incident")
    git(history.work, "config", "--unset", "user.signingKey")

    answer = history.f0ci("unhold", "prod")

    assert answer.code == 3
    assert "signing key" in answer.err
