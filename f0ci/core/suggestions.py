"""The closest known names to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a typing mistake most likely meant, or None."""
    from difflib import get_close_matches

    by_folded: dict[str, str] = {}
    for candidate in sorted(known):
        by_folded.setdefault(candidate.casefold(), candidate)
    matches = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def did_you_mean(name: str, known: Iterable[str], *, noun: str = "known names") -> str | None:
    """Return a hint: the closest name, else up to eight of the known ones, else None."""
    return suggestion(name, known, noun=noun)[0]


def suggestion(name: str, known: Iterable[str], *, noun: str = "known names") -> tuple[str | None, str | None]:
    """Return the hint of `did_you_mean`, and the closest name where there is one."""
    names = sorted(set(known))
    match = closest(name, names)
    if match is not None:
        return f"did you mean {match!r}?", match
    if not names:
        return None, None
    listed = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"{noun}: {listed}", None
