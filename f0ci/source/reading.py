"""What reading a text gives, whatever its language: data, problems, positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from f0ci.core.diagnostics import Span
from f0ci.core.values import dataclass

Path = tuple[str | int, ...]

# deeper nesting than this is a problem, in every language
MAX_DEPTH = 100
# byte-order marks
_UTF_16 = {b"\xff\xfe", b"\xfe\xff"}


def mapping_of(value: Any) -> Mapping[str, Any]:
    """Return a value where it is a mapping, else an empty one."""
    # readers make dictionaries and no other mapping; asking for exactly these is many times faster
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class ReadingProblem:
    """Something that keeps a text from meaning what its author thinks.

    Attributes:
        rule: the name of the rule whose page explains it.
        message: what is wrong.
        span: where.
        hint: what to do next.
        first: another place of the text that has to do with it.
        says: what is there.
    """

    rule: str
    message: str
    span: Span
    hint: str | None = None
    first: Span | None = None
    says: str = "first written here"


@dataclass(slots=True)
class Positions:
    """Where every key and value of a document stands.

    Attributes:
        values: span of each value, by path.
        keys: span of each mapping key, by the path of its value.
        aliases: for a value given by an alias, the path of the anchored value.
        merges: for a mapping with `<<`, the path of each mapping merged in, or of a list with how many are in it.
    """

    values: dict[Path, Span] = field(default_factory=dict)
    keys: dict[Path, Span] = field(default_factory=dict)
    aliases: dict[Path, Path] = field(default_factory=dict)
    merges: dict[Path, list[tuple[Path, int | None]]] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """What a text says: data, problems, and (on request) positions.

    Attributes:
        data: the value; None where the text cannot be read at all.
        problems: what is wrong with the text.
        broken: True where data must not be used.
        ambiguous: plain scalars that YAML 1.2 reads otherwise, with their spans.
        braces: texts with the delimiter of an expression and their paths, in written order; None where nobody looked.
    """

    data: Any = None
    problems: list[ReadingProblem] = field(default_factory=list)
    broken: bool = False
    ambiguous: list[tuple[str, Span]] = field(default_factory=list)
    positions: Positions | None = None
    braces: tuple[tuple[Path, str], ...] | None = None


def find_not_utf8(raw: bytes) -> ReadingProblem | None:
    """Return the problem of bytes that are not UTF-8 at their place, or None."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if raw[:2] in _UTF_16:
            return ReadingProblem(
                "not-utf8", "the file is UTF-16, not UTF-8", Span(1, 1, 1, 2), "save the file as UTF-8"
            )
        return ReadingProblem(
            "not-utf8",
            f"byte 0x{raw[error.start]:02x} is not UTF-8",
            byte_span(raw, error.start),
            "save the file as UTF-8",
        )
    return None


def byte_span(raw: bytes, offset: int) -> Span:
    """Return the place of a byte, by its offset."""
    line = raw.count(b"\n", 0, offset) + 1
    column = len(raw[raw.rfind(b"\n", 0, offset) + 1 : offset].decode("utf-8-sig", "replace")) + 1
    return Span(line, column, line, column + 1)
