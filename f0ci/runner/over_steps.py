"""What expressions see of the steps that are over."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from f0ci.runner.steps.base import StepResult

_Told = dict[str, Any]


class OverSteps:
    """The steps of one recipe that are over, in that order; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # each with its place; nothing is taken out, so what is over at a moment are the first places
        self._told: dict[str, tuple[int, _Told]] = {}

    def add(self, name: str, result: StepResult) -> None:
        """Take over a step that is over."""
        told = {"outputs": result.outputs, "outcome": str(result.outcome)}
        with self._lock:
            place = self._told[name][0] if name in self._told else len(self._told)
            self._told[name] = (place, told)

    def now(self) -> Mapping[str, _Told]:
        """Return the steps that are over now; those that end later never show in it.

        It costs the same however many they are: each step of a recipe gets one of its own.
        """
        return _First(self._told, len(self._told))


class _First(Mapping[str, _Told]):
    """The first entries of a mapping that only grows."""

    def __init__(self, told: Mapping[str, tuple[int, _Told]], count: int) -> None:
        self._told = told
        self._count = count

    def __getitem__(self, name: str) -> _Told:
        place, told = self._told[name]
        if place >= self._count:
            raise KeyError(name)
        return told

    def __iter__(self) -> Iterator[str]:
        # copied in one go, as others may add while somebody iterates
        return iter(list(self._told)[: self._count])

    def __len__(self) -> int:
        return self._count
