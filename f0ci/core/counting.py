"""Numbers of things as people say them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number with what it counts: `1 file`, `2 files`, `0 environment commits`."""
    return f"{number} {noun}{'s' if number != 1 else ''}"
