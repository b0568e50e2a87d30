from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from f0ci.core.errors import InputError
from f0ci.promotion.events import ENDINGS, STANDING, WORKFLOW_EVENTS, Event, misplaced, parse_event
from f0ci.promotion.ledger import number
from tests.unit.promotion.builders import ALICE, NOW, events_of, passing, release, sample

KINDS = sorted(
    {"requested", "replanned", "waiting", "approved", "rejected", "evidence", "intent", "applied", "deployed"}
    | {"measured", "rolled_back", "restored"}
    | ENDINGS
    | STANDING
)
PATH = "2026/11/prod-1/0001-requested.json"


def one(kind: str) -> Event:
    """Return an event of a kind, as the first of its ledger."""
    environment = WORKFLOW_EVENTS if kind in {"quarantine", "unquarantine"} else "prod"
    return number((), environment, (sample(kind),), NOW, ALICE)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_survives_its_file(kind: str) -> None:
    event = one(kind)

    assert parse_event(event.path, event.to_bytes()) == event


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_place(kind: str) -> None:
    event = one(kind)

    assert misplaced(event, event.environment) is None
    assert misplaced(event, "dev") is not None


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("2026/11/prod-1/0002-requested.json", id="another sequence"),
        pytest.param("2026/11/prod-2/0001-requested.json", id="another promotion"),
        pytest.param("2026/11/prod-1/0001-applied.json", id="another kind"),
        pytest.param("2026/11/prod-1/0001-requested.yaml", id="another ending"),
        pytest.param("nov/21/prod-1/0001-requested.json", id="no month"),
        pytest.param("0001-requested.json", id="no folder"),
    ],
)
def test_a_file_lies_where_its_event_says(path: str) -> None:
    with pytest.raises(InputError, match="the event says it is"):
        parse_event(path, one("requested").to_bytes())


def broken(kind: str = "requested", /, **changes: Any) -> bytes:
    """Return an event's file of which fields differ; None takes one away, `data__x` is a field of the data."""
    record = json.loads(one(kind).to_bytes())
    for key, value in changes.items():
        where, _, name = key.rpartition("__")
        target = record[where] if where else record
        if value is None:
            del target[name]
        else:
            target[name] = value
    return json.dumps(record).encode()


@pytest.mark.parametrize(
    ("kind", "raw", "words"),
    [
        pytest.param("requested", b"", "not an event", id="nothing"),
        pytest.param("requested", b"\xff\xfe", "not an event", id="no text"),
        pytest.param("requested", b"[" * 100_000, "not an event", id="nested without end"),
        pytest.param("requested", b"[]", "not an event", id="no mapping"),
        pytest.param("requested", broken(kind="celebrated"), "kind", id="an unknown kind"),
        pytest.param("requested", broken(version=2), "version", id="a later version"),
        pytest.param("requested", broken(mood="happy"), "mood", id="an unknown field"),
        pytest.param("requested", broken(actor=None), "actor", id="nobody did it"),
        pytest.param("requested", broken(position=-1), "position", id="before the first"),
        pytest.param("requested", broken(time="yesterday"), "time", id="no time"),
        pytest.param("requested", broken(time="2026-13-41T09:00:00Z"), "not an event", id="a day that never was"),
        pytest.param("requested", broken(promotion="../../etc"), "promotion", id="a name that leads elsewhere"),
        pytest.param("requested", broken(data__plan=None), "plan", id="no plan"),
        pytest.param("requested", broken(data__plan={"version": 1}), "plan", id="half a plan"),
        pytest.param("requested", broken(data__digest="abc"), "digest", id="no digest"),
        pytest.param("requested", broken(data__release="latest"), "release", id="no release"),
        pytest.param("requested", broken(data__purpose="party"), "purpose", id="another purpose"),
        pytest.param("requested", broken(data__ledgers={"dev": "main"}), "ledgers", id="a quote that is no commit"),
        pytest.param("waiting", broken("waiting", data__next_check_at="soon"), "next_check_at", id="no moment"),
        pytest.param(
            "waiting", broken("waiting", data__next_check_at="2026-02-30T09:00:00Z"), "not an event", id="30 February"
        ),
        pytest.param("waiting", broken("waiting", data__reasons="because"), "reasons", id="reasons that are no list"),
        pytest.param("approved", broken("approved", data__signature=None), "signature", id="not signed"),
        pytest.param("approved", broken("approved", data__statement={}), "statement", id="an empty statement"),
        pytest.param("applied", broken("applied", data__commit="HEAD"), "commit", id="a name, no commit"),
        pytest.param("applied", broken("applied", data__step=-1), "step", id="a step before the first"),
        pytest.param("rolled_back", broken("rolled_back", data__to=None), "to", id="back to nowhere"),
        pytest.param("deployed", broken("deployed", data__step=None), "step", id="deployed no step"),
        pytest.param("measured", broken("measured", data__outcome="waiting"), "outcome", id="a verdict that is none"),
        pytest.param("succeeded", broken("succeeded", data__verification="surely"), "verification", id="surely"),
        pytest.param("hold", broken("hold", data__reason=None), "reason", id="a hold without reason"),
        pytest.param("quarantine", broken("quarantine", data__release=None), "release", id="a quarantine of nothing"),
        pytest.param("unquarantine", broken("unquarantine", data__release="x"), "release", id="lifted for nothing"),
        pytest.param("policy", broken("policy", data__blobs=None), "blobs", id="a policy without files"),
        pytest.param("repair", broken("repair", data__tree=None), "tree", id="a repair without tree"),
    ],
)
def test_what_is_no_event_is_refused_with_its_place(kind: str, raw: bytes, words: str) -> None:
    path = one(kind).path

    with pytest.raises(InputError) as caught:
        parse_event(path, raw, ledger="refs/heads/f0ci/ledger/prod")

    assert caught.value.place == f"refs/heads/f0ci/ledger/prod:{path}"
    assert words in caught.value.message
    assert caught.value.hint is not None


@pytest.mark.parametrize("mode", ["120000", "160000", "100755"])
def test_an_event_is_a_plain_file(mode: str) -> None:
    with pytest.raises(InputError, match="no plain file"):
        parse_event(PATH, one("requested").to_bytes(), mode=mode)


def test_numbers_rise_by_promotion_and_by_ledger() -> None:
    first = events_of(sample("policy"), *passing("prod-1", "old", "waiting"))
    later = number(first, "prod", (sample("approved"), sample("hold")), NOW.replace(year=2027, month=1), ALICE)

    assert [(event.promotion, event.sequence, event.position) for event in (*first, *later)] == [
        ("_environment", 1, 0),
        ("prod-1", 1, 1),
        ("prod-1", 2, 2),
        ("prod-1", 3, 3),
        ("_environment", 2, 4),
    ]
    assert later[0].path == "2026/11/prod-1/0003-approved.json"
    assert later[1].path == "2027/01/_environment/0002-hold.json"


def test_a_number_beyond_four_digits_keeps_its_place() -> None:
    event = replace(one("waiting"), sequence=12345)

    assert parse_event("2026/11/prod-1/12345-waiting.json", event.to_bytes()) == event


def test_an_event_is_a_file_that_people_can_read() -> None:
    text = one("quarantine").to_bytes().decode()

    assert text.endswith("}\n")
    assert f'"release": "{release("new")}"' in text
