from __future__ import annotations

import pytest

from f0ci.core.errors import GitError
from f0ci.git.objects import Identity, parse_batch, parse_identity, parse_listing, parse_log, parse_tree_object


@pytest.mark.parametrize(
    ("text", "name", "email"),
    [
        ("Alice Example <alice@example.com> 1700000000 +0000", "Alice Example", "alice@example.com"),
        ("Zoë <z@example.com>", "Zoë", "z@example.com"),
        (" <only@example.com>", "", "only@example.com"),
    ],
)
def test_identities_are_read(text: str, name: str, email: str) -> None:
    assert parse_identity(text) == Identity(name, email)


def test_a_line_without_an_address_names_nobody() -> None:
    with pytest.raises(GitError, match="named nobody"):
        parse_identity("nobody")


def test_an_identity_is_written_as_git_writes_it() -> None:
    assert str(Identity("Alice Example", "alice@example.com")) == "Alice Example <alice@example.com>"


@pytest.mark.parametrize("length", [20, 32])
def test_tree_objects_are_read_with_ids_of_any_length(length: int) -> None:
    first, second = bytes(range(length)), bytes(reversed(range(length)))
    raw = b"40000 folder\0" + first + b"100644 a name\xff\0" + second
    entries = parse_tree_object(raw, length)
    assert [(name, entry.mode, entry.oid) for name, entry in entries.items()] == [
        ("folder", "040000", first.hex()),
        ("a name\udcff", "100644", second.hex()),
    ]


def test_listings_keep_every_character_of_a_path() -> None:
    raw = b"100644 blob aa\ta\tb\nc\x00120000 blob bb\td\xff\0"
    assert [(entry.mode, entry.oid, entry.path) for entry in parse_listing(raw)] == [
        ("100644", "aa", "a\tb\nc"),
        ("120000", "bb", "d\udcff"),
    ]


def test_contents_that_look_like_headers_are_content() -> None:
    raw = b"aa blob 10\nbb blob 1\n\nbb missing\ncc blob 0\n\n"
    assert list(parse_batch(raw, 3)) == [("blob", "aa", b"bb blob 1\n"), None, ("blob", "cc", b"")]


def test_a_commit_far_in_the_future_can_be_read() -> None:
    head = "aa\n\nbb\nA\na@x\nB\nb@x\n99999999999999\nKey: one: two"
    (commit,) = parse_log(head.encode() + b"\0message\0")
    assert commit.time.year == 9999
    assert commit.trailers == (("Key", "one: two"),)
    assert (commit.parents, commit.author, commit.message) == ((), Identity("A", "a@x"), "message")
