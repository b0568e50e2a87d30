"""The closest known names to one that is not known."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from math import inf

_ALIKE = 0.6
_FEW = 100
# how many names may still be compared; whoever looks for many mistakes in one file sets it, so that a file of nothing
# else takes no longer than it has lines: the rest of them gets no guess
allowance: list[float] = [inf]
MOST_COMPARED = 200_000


def may_compare(name: str = "", known: Collection[str] = ()) -> bool:
    """Tell whether names may still be compared, and note what comparing one with all of some others will cost."""
    if allowance[0] <= 0:
        return False
    # two names of twenty letters or less are compared in one step
    allowance[0] -= len(known) * (1 + len(name) // 20)
    return True


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a typing mistake most likely meant, or None."""
    known = known if isinstance(known, Collection) else tuple(known)
    if not may_compare(name, known):
        return None
    return _closest_of_few(name, tuple(known)) if len(known) <= _FEW else _closest(name, known)


# a key misspelt once is often misspelt all over a file
@lru_cache(maxsize=1024)
def _closest_of_few(name: str, known: tuple[str, ...]) -> str | None:
    return _closest(name, known)


def _closest(name: str, known: Iterable[str]) -> str | None:
    from difflib import SequenceMatcher

    by_folded: dict[str, str] = {}
    for candidate in sorted(known):
        by_folded.setdefault(candidate.casefold(), candidate)
    matcher = SequenceMatcher()
    matcher.set_seq2(name.casefold())
    # as `difflib.get_close_matches`, but for what cannot be as close as the closest so far
    best = _ALIKE
    match: str | None = None
    for candidate in by_folded:
        matcher.set_seq1(candidate)
        if matcher.real_quick_ratio() >= best and matcher.quick_ratio() >= best:
            ratio = matcher.ratio()
            if ratio > best or (ratio == best and (match is None or candidate > match)):
                best, match = ratio, candidate
    return None if match is None else by_folded[match]


def did_you_mean(name: str, known: Iterable[str], *, noun: str = "known names") -> str | None:
    """Return a hint: the closest name, else up to eight of the known ones, else None."""
    return suggestion(name, known, noun=noun)[0]


def suggestion(name: str, known: Iterable[str], *, noun: str = "known names") -> tuple[str | None, str | None]:
    """Return the hint of `did_you_mean`, and the closest name where there is one."""
    if allowance[0] <= 0:
        return None, None
    names = sorted(set(known))
    match = closest(name, names)
    if match is not None:
        return f"did you mean {match!r}?", match
    if not names:
        return None, None
    listed = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"{noun}: {listed}", None
