"""What is wrong with an expression, and where in its text."""

from __future__ import annotations

from f0ci.core.errors import InputError
from f0ci.source.reading import Path


class ExpressionError(InputError):
    """An expression cannot be read or evaluated.

    Args:
        message: lower case, no full stop, with the word quoted.
        hint: the next action, or None where there is none.
        offset: where in the text the fault is, in code points from 0.
        at: path of the text inside the data that holds it.
        place: as in every error of f0ci, where the caller knows the file.
    """

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        offset: int = 0,
        at: Path = (),
        place: str | None = None,
    ) -> None:
        super().__init__(message, hint, place=place)
        self.offset = offset
        self.at = at

    def moved(self, offset: int, at: Path = ()) -> ExpressionError:
        """Return the same error with its offset counted from further left, inside larger data."""
        return ExpressionError(
            self.message, self.hint, offset=self.offset + offset, at=(*at, *self.at), place=self.place
        )
