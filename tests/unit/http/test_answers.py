from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.http.answers import asked_pause, printable


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("120", 120),
        (" 5 ", 5),
        ("-5", 0),
        ("1.5", 0),
        ("٣", 0),
        ("soon", 0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0),
        ("Fri, 31 Dec 1999 23:59:59", 0),
        ("9" * 5000, float("inf")),
    ],
)
def test_what_retry_after_asks_for(header: str | None, seconds: float) -> None:
    assert asked_pause(header) == seconds


def test_retry_after_may_name_a_day() -> None:
    assert asked_pause("Tue, 31 Dec 2199 23:59:59 GMT") > 1_000_000_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        (" \n\t\n  first \nsecond", "first"),
        ("\x1b]0;title\x07bell", "?]0;title?bell"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 197 + "..."),
    ],
)
def test_foreign_words_are_one_short_line(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_foreign_words_control_no_terminal(text: str) -> None:
    shown = printable(text)

    assert len(shown) <= 200
    assert shown.isprintable()


@given(st.text())
def test_no_header_asks_for_a_negative_pause(header: str) -> None:
    assert asked_pause(header) >= 0
