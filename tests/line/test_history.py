"""An incident can be read off one command."""

from __future__ import annotations

from typing import Any

from tests.line.conftest import BAD_GREETING, Line


def told(events: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Return what happened and to what, who did it, and why, oldest first."""
    return [
        (f"{one['what']} {one['state']}", one["promotion"] or one["environment"] or "all", one["by"], one["reason"])
        for one in reversed(events)
    ]


def incident(line: Line) -> str:
    """Bring a good release in, then a bad one that production rolls back; lift the hold; return the bad one."""
    line.to_prod()
    line.done("promote", "prod")
    line.change("scriptlets/greetings.py", *BAD_GREETING)
    bad = line.to_prod()
    assert line.f0ci("promote", "prod").code == 6
    line.act_as("bob")
    line.done("unhold", "prod", "--reason", "fixed forward")
    line.done("hold", "prod", "--reason", "incident 4711", "--for", "2h")
    line.done("quarantine", bad, "--lift", "--reason", "it was the probe")
    line.act_as("alice")
    return bad


def test_what_people_did_stands_between_the_promotions(line: Line) -> None:
    bad = incident(line)

    found = line.done("history", "prod", "--format", "json").data
    text = line.done("history", "prod").out

    alice, failure = "Alice <alice@example.com>", "error_rate is "
    acts = told(found["events"])
    # what is of one second keeps the order of its ledger
    stops = [act for act in acts if act[0].startswith("quarantine")]
    here = [act for act in acts if act not in stops]
    expires = here[-1][3].partition("until ")[2]
    assert here[:2] == [("approval given", "prod-1", "bob", ""), ("approval given", "prod-2", "bob", "")]
    assert [act[:3] for act in (here[2], stops[0])] == [
        ("hold set", "prod-2", alice),
        ("quarantine set", "prod-2", alice),
    ]
    assert failure in here[2][3]
    assert failure in stops[0][3]
    assert here[3:] == [
        ("hold lifted", "prod", "bob", "fixed forward"),
        ("hold set", "prod", "Bob <bob@example.com>", f"incident 4711; until {expires}"),
    ]
    assert stops[1:] == [("quarantine lifted", "all", "bob", "it was the probe")]
    assert expires.endswith("Z")
    assert [(one["promotion"], one["state"]) for one in found["promotions"]] == [
        ("prod-2", "rolled_back"),
        ("prod-1", "succeeded"),
    ]
    assert [one["signed"] for one in found["events"] if one["what"] == "approval"] == [True, True]
    rows = [row.split() for row in text.splitlines()]
    assert rows[0] == ["when", "where", "release", "what", "state", "by", "why"]
    assert ["prod-2", bad, "promote", "rolled_back", "Alice", "error_rate"] in [row[1:7] for row in rows]
    assert ["prod-2", bad, "approval", "given", "bob"] in [row[1:] for row in rows]
    assert len(rows) == 1 + len(found["promotions"]) + len(found["events"])


def test_every_event_is_told_where_that_is_asked_for(line: Line) -> None:
    incident(line)

    shown = line.done("history", "prod", "--events", "--limit", "1000", "--format", "json").data["events"]
    kinds = [one["kind"] for one in reversed(shown) if one["environment"] == "prod"]
    text = line.done("history", "prod", "--events").out

    assert sorted(kinds) == sorted(line.events("prod"))
    assert [
        f"{one['what']} {one['state']}"
        for one in reversed(shown)
        if one["promotion"] == "prod-2" and one["kind"] in {"applied", "deployed", "measured", "rolled_back"}
    ] == ["step 1 of 1 applied", "deploy recipe passed", "analysis failed", "promote rolled_back"]
    assert len(text.splitlines()) == 21, "at most 20 by default"


def test_the_newest_come_first_and_no_more_than_asked_for(line: Line) -> None:
    incident(line)

    everything = line.done("history", "--limit", "1000", "--format", "json").data
    some = line.done("history", "--limit", "3", "--format", "json").data

    assert some["promotions"] == everything["promotions"][:3]
    assert some["events"] == everything["events"][:3]
    times = [one["time"] for one in everything["events"]]
    assert times == sorted(times, reverse=True)
    assert len(line.done("history", "--limit", "3").out.splitlines()) == 4


def test_going_back_says_why(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    line.change("environments/base.yaml", "the team", "the crew")
    line.release()
    line.done("promote", "dev")
    line.done("rollback", "dev", "--reason", "orders are lost")

    text = line.done("history", "dev").out

    assert "rollback" in text
    assert text.count("orders are lost") == 3, "the rollback, the hold and the quarantine"


def test_what_would_steer_a_terminal_is_escaped(line: Line) -> None:
    line.done("hold", "dev", "--reason", "look \x1b[2J here")

    assert "look \\x1b[2J here" in line.done("history").out
