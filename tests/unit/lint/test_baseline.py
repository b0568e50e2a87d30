from __future__ import annotations

import json

import pytest

from f0ci.core.diagnostics import Diagnostic, Location, Severity, Span
from f0ci.core.errors import InputError
from f0ci.lint.baseline import baseline_text, compare, read_baseline

FIRST = Diagnostic("empty", Severity.ERROR, "bad", Location("a.yaml", Span(1, 1, 1, 2)))
SECOND = Diagnostic("syntax", Severity.ERROR, "bad", Location("a.yaml", Span(2, 1, 2, 2)))
CRASH = Diagnostic("internal-error", Severity.ERROR, "crashed", Location("a.yaml"))


def source(_: str) -> bytes:
    return b"one\ntwo\n"


def known(*found: Diagnostic) -> frozenset[str]:
    return read_baseline("base.json", baseline_text(found, source).encode())


def test_only_what_is_new_is_left() -> None:
    """What the baseline knows is counted, and what it knows in vain."""
    left = compare([FIRST, SECOND], source, known(FIRST))

    assert (left.new, left.known, left.gone) == ((SECOND,), 1, 0)
    assert compare([SECOND], source, known(FIRST, SECOND)).gone == 1


def test_a_finding_that_moved_stays_known() -> None:
    """The lines above it have no part in it."""
    marks = known(SECOND)
    moved = Diagnostic("syntax", Severity.ERROR, "bad", Location("a.yaml", Span(4, 1, 4, 2)))

    assert compare([moved], lambda _: b"new\nnew\none\n  two\n", marks).new == ()


def test_a_crash_is_never_known() -> None:
    """That rules did not do their work is said in any case."""
    assert known(CRASH) == frozenset()
    assert compare([CRASH], source, known(CRASH, FIRST)).new == (CRASH,)


def test_the_file_is_sorted_and_says_what_it_knows() -> None:
    """A reader of a change sees which findings came and went."""
    text = baseline_text([SECOND, FIRST], source)

    assert text == baseline_text([FIRST, SECOND], source)
    data = json.loads(text)
    assert data["version"] == 1
    assert [(one["path"], one["rule"], one["message"]) for one in data["findings"]] == [
        ("a.yaml", "empty", "bad"),
        ("a.yaml", "syntax", "bad"),
    ]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "version None"),
        (b'{"version": 2, "findings": []}', "version 2, expected 1"),
        (b'{"version": 1}', "without a fingerprint"),
        (b'{"version": 1, "findings": {}}', "without a fingerprint"),
        (b'{"version": 1, "findings": [1]}', "without a fingerprint"),
        (b'{"version": 1, "findings": [{"fingerprint": 1}]}', "without a fingerprint"),
    ],
)
def test_what_is_no_baseline_is_told(raw: bytes, words: str) -> None:
    """A wrong file never looks like one that knows nothing."""
    with pytest.raises(InputError, match=words) as caught:
        read_baseline("base.json", raw)

    assert caught.value.hint == "write it again with --write-baseline"
