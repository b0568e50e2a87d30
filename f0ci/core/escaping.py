"""Showing text that came from files on a terminal, without letting it steer the terminal."""

from __future__ import annotations


def escape_controls(text: str, *, keep: str = "") -> str:
    r"""Return a text with every control and direction character as its escape, such as `\x1b`.

    Args:
        text: from a file, or from anybody.
        keep: characters that stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else ascii(char)[1:-1] for char in text)
