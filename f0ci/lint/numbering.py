"""Numbers for what is asked of a tree: ten thousand files ask the same, in few words from process to process."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from f0ci.source.traced import Asked


class Numbers(dict[Asked, int]):
    """Numbers of questions, from 0 up, and of all that was asked together, from -1 down, as they come.

    Args:
        questions: those that have a number.
        bundles: what has a number of what was asked together, as the numbers of questions.

    Attributes:
        questions: by number.
        bundles: the numbers of the questions that were asked together; that of the first is -1.
    """

    def __init__(self, questions: Iterable[str] = (), bundles: Iterable[list[int]] = ()) -> None:
        super().__init__()
        self.questions = list(questions)
        self.bundles = list(bundles)
        self.update((question, number) for number, question in enumerate(self.questions))
        self.update((bundle(one, self.questions), -number) for number, one in enumerate(self.bundles, 1))

    def __missing__(self, asked: Asked) -> int:
        if isinstance(asked, str):
            if asked[0] == "i":
                # whether it has to be drawn again is told by what the file says
                self[source_of(asked)]
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


def source_of(conclusion: str) -> str:
    """Return the question from whose answer a conclusion is drawn."""
    return f"r{conclusion[1:]}"


def singly(numbers: Collection[int], bundles: Sequence[Iterable[int]]) -> set[int]:
    """Return the numbers of questions, those in bundles among them."""
    alone = {number for number in numbers if number >= 0}
    return alone.union(*(bundles[-number - 1] for number in numbers if number < 0))


def bundle(numbers: Iterable[int], questions: Sequence[str]) -> frozenset[str]:
    """Return the questions that were asked together."""
    return frozenset(questions[number] for number in numbers)
