from __future__ import annotations

import pytest

from f0ci.core.errors import InputError
from f0ci.promotion.approvers import Approvers, Person, read_approvers

PATH = ".f0ci/approvers.yaml"
GOOD = """version: 1
people:
  alice:
    emails: [Alice@Example.com, alice@home.example]
    keys: ['ssh-ed25519 AAAAalice alice@laptop']
  bob:
    emails: [bob@example.com]
    keys: ['ssh-ed25519 AAAAbob']
  carol: {}
groups:
  managers: [alice, bob]
  nobody: []
"""


def test_people_and_groups() -> None:
    approvers = read_approvers(PATH, GOOD.encode())

    assert approvers.people["alice"] == Person(
        "alice", ("alice@example.com", "alice@home.example"), ("ssh-ed25519 AAAAalice alice@laptop",)
    )
    assert approvers.keys() == {"alice": ["ssh-ed25519 AAAAalice alice@laptop"], "bob": ["ssh-ed25519 AAAAbob"]}


@pytest.mark.parametrize(
    ("identity", "person"),
    [
        ("Alice <alice@example.com>", "alice"),
        ("Alice <ALICE@EXAMPLE.COM>", "alice"),
        ("alice@home.example", "alice"),
        ("Alice <alice@example.com> <mallory@example.com>", None),
        ("alice", None),
        ("Mallory <mallory@example.com>", None),
        ("", None),
    ],
)
def test_who_an_identity_is(identity: str, person: str | None) -> None:
    assert read_approvers(PATH, GOOD.encode()).person_of(identity) == person


@pytest.mark.parametrize(
    ("groups", "members"),
    [
        ((), {"alice", "bob", "carol"}),
        (("managers",), {"alice", "bob"}),
        (("managers", "nobody"), {"alice", "bob"}),
        (("nobody",), set()),
        (("mangers",), set()),
    ],
)
def test_members_of_groups(groups: tuple[str, ...], members: set[str]) -> None:
    assert read_approvers(PATH, GOOD.encode()).members(groups) == members


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        pytest.param("people: [alice]\n", ":1:9", "is a list", id="people are no mapping"),
        pytest.param("people:\n  alice:\n    mails: [a@b.c]\n", ":3:5", "mails", id="an unknown key"),
        pytest.param("people:\n  alice:\n    emails: [a]\n", ":3:14", "", id="an address that is none"),
        pytest.param("people:\n  'al ice': {}\n", ":2:3", "al ice", id="a name with a blank"),
        pytest.param(
            "people:\n  alice: {}\ngroups:\n  managers:\n    - alice\n    - alicia\n",
            ":6:7",
            "the group 'managers' lists 'alicia', who is not under 'people'",
            id="a member nobody knows",
        ),
        pytest.param(
            "people:\n  a: {emails: [x@example.com]}\n  b: {emails: [X@Example.com]}\n",
            ":3:16",
            "'b' and 'a' have the same address",
            id="one address, two people",
        ),
        pytest.param(
            "people:\n  a: {keys: ['ssh-ed25519 AAAA a']}\n  b: {keys: ['ssh-ed25519 AAAA b']}\n",
            ":3:14",
            "'b' and 'a' have the same key",
            id="one key, two people",
        ),
        pytest.param("version: 2\n", ":1:10", "2", id="a later version"),
        pytest.param("people: {\n", ":", "", id="no YAML"),
        pytest.param("- alice\n", ":1:1", "", id="a list"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(text: str, place: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_approvers(PATH, text.encode())

    assert str(caught.value.place).startswith(f"{PATH}{place}")
    assert words in caught.value.message


def test_a_misspelt_member_is_told_with_the_closest() -> None:
    with pytest.raises(InputError) as caught:
        read_approvers(PATH, b"people: {alice: {}}\ngroups: {managers: [alcie]}\n")

    assert caught.value.hint == "did you mean 'alice'?"


def test_an_empty_file_knows_nobody() -> None:
    assert read_approvers(PATH, b"{}\n") == Approvers()
