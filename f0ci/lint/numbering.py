"""Numbers for what is asked of a tree: ten thousand files ask the same, in few words from process to process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from f0ci.source.traced import Asked


class Numbers(dict[Asked, int]):
    """Numbers of questions, from 0 up, and of all that was asked together, from -1 down, as they come.

    Attributes:
        questions: by number.
        bundles: the numbers of the questions that were asked together; that of the first is -1.
    """

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[str] = []
        self.bundles: list[list[int]] = []

    def __missing__(self, asked: Asked) -> int:
        if isinstance(asked, str):
            number = len(self.questions)
            self.questions.append(asked)
        else:
            self.bundles.append(self.of(asked))
            number = -len(self.bundles)
        self[asked] = number
        return number

    def of(self, asked: Iterable[Asked]) -> list[int]:
        """Return the numbers of what was asked."""
        return [self[one] for one in asked]


def bundle(numbers: Iterable[int], questions: Sequence[str]) -> frozenset[str]:
    """Return the questions that were asked together."""
    return frozenset(questions[number] for number in numbers)
