from __future__ import annotations

import pytest

from f0ci.core.escaping import escape_controls


@pytest.mark.parametrize(
    ("text", "keep", "escaped"),
    [
        ("grüße 🚀 → x", "", "grüße 🚀 → x"),
        ("\x1b[31mred", "", r"\x1b[31mred"),
        ("a\tb\nc", "\t", "a\tb\\nc"),
        ("\u202etxt.exe", "", r"\u202etxt.exe"),
        ("\x85\U000e0001", "", r"\x85\U000e0001"),
        ("", "", ""),
    ],
)
def test_escape_controls(text: str, keep: str, escaped: str) -> None:
    assert escape_controls(text, keep=keep) == escaped
