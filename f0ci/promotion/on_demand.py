"""Long sequences of which mostly the end is looked at: read when somebody looks, and changed without being copied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class _Long(Sequence[T]):
    """A sequence that compares like a tuple."""

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        """Return what stands at a place, or at several."""
        if isinstance(index, slice):
            return tuple(self._at(place) for place in range(*index.indices(len(self))))
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(index)
        return self._at(place)

    def __eq__(self, other: object) -> bool:
        """Tell whether another sequence holds the same."""
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def _at(self, place: int) -> T:
        raise NotImplementedError


class OnDemand(_Long[T]):
    """A sequence that is read in chunks, where somebody looks.

    Args:
        size: how long it is.
        fetch: returns what stands from one place to another, both included.
        chunk: how much is read at once.
        last: what stands at its end, where that is known.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], Sequence[T]], chunk: int, last: T | None = None) -> None:
        self._size = size
        self._fetch = fetch
        self._chunk = chunk
        self._known: dict[int, T] = {} if last is None else {size - 1: last}

    def __len__(self) -> int:
        """Return how long it is."""
        return self._size

    def _at(self, place: int) -> T:
        if place not in self._known:
            start = place - place % self._chunk
            end = min(start + self._chunk, self._size) - 1
            for at, found in enumerate(self._fetch(start, end), start=start):
                self._known.setdefault(at, found)
        return self._known[place]


class Grown(_Long[T]):
    """A sequence of which some places are otherwise than in another one, or new.

    Args:
        base: the other one.
        changed: what stands at these places; new ones follow the base without a gap.
    """

    def __init__(self, base: Sequence[T], changed: Mapping[int, T]) -> None:
        if isinstance(base, Grown):
            # what grew twice grew once
            changed = {**base.changed, **changed}
            base = base.base
        self.base: Sequence[T] = base
        self.changed: dict[int, T] = dict(changed)
        self._size = max(len(base), max(changed, default=-1) + 1)

    def __len__(self) -> int:
        """Return how long it is."""
        return self._size

    def _at(self, place: int) -> T:
        return self.changed[place] if place in self.changed else self.base[place]
