"""What a text with expressions is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f0ci.core.values import dataclass
from f0ci.source.reading import Path

if TYPE_CHECKING:
    from f0ci.expressions.syntax import Node


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that an expression uses.

    Attributes:
        root: the first word: `config`, `params`, `context`, `steps`, ...
        path: the fixed keys after it; for `context.get('k')` the key. Ends early at a computed key.
        text: as written.
        offset: where it begins in the text that holds it, in code points from 0.
        at: path of that text inside the data.
        has_default: True where a missing value does no harm: `| default(...)`, `is defined`, `context.get(k, d)`.
        call: `get` or `has` for a call of the context, else None.
        is_open: True where a computed key cuts the path short.
        parts: offset of each key of the path.
    """

    root: str
    path: tuple[str | int, ...]
    text: str
    offset: int
    at: Path = ()
    has_default: bool = False
    call: str | None = None
    is_open: bool = False
    parts: tuple[int, ...] = ()

    @property
    def end(self) -> int:
        """Return the offset after the last character."""
        return self.offset + len(self.text)


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression inside a text.

    Attributes:
        code: what stands between the delimiters.
        node: its syntax tree, whose places count from the beginning of the code.
        start: where the opening delimiter stands in the text.
        offset: where the code begins in the text.
        end: the character after the closing delimiter.
        references: every name it uses, in written order; places count from the beginning of the text.
    """

    code: str
    node: Node
    start: int
    offset: int
    end: int
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A text, cut into literal stretches and expressions.

    Attributes:
        text: as written.
        segments: in order; literal stretches are never empty.
    """

    text: str
    segments: tuple[str | Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Return the expressions in order."""
        return tuple(segment for segment in self.segments if isinstance(segment, Expression))

    @property
    def is_plain(self) -> bool:
        """Tell whether the text holds no expression."""
        return not self.segments or (len(self.segments) == 1 and isinstance(self.segments[0], str))

    @property
    def whole(self) -> Expression | None:
        """Return the expression that is the whole text and therefore keeps its type, or None."""
        only = self.segments[0] if len(self.segments) == 1 else None
        return only if isinstance(only, Expression) else None
