"""What an audit finds, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tampering:
    """Something in a history that cannot have come about by itself.

    Attributes:
        kind: stable name, such as `history-rewritten`.
        place: ref, and event or commit.
        message: what is wrong.
    """

    kind: str
    place: str
    message: str
