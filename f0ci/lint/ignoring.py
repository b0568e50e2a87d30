"""Comments that silence rules: `# f0ci: ignore[rule-a, rule-b] reason`.

A comment at the end of a line silences that line; a comment of its own silences the next line that is not a comment;
a comment before the document's first line silences the whole file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from f0ci.core.diagnostics import Span
from f0ci.core.patterns import pattern
from f0ci.core.values import dataclass
from f0ci.lint.lines import split_lines
from f0ci.source.document import Document

if TYPE_CHECKING:
    import re

_COMMENT = pattern(r"(?:(?<=\s)|(?<![\s\S]))#\s*f0ci:\s*ignore\b(?:\[(?P<rules>[^\]]*)\])?")
_NAME = pattern(r"[^,\s]+")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One rule that a comment silences.

    Attributes:
        rule: as written; empty where the comment names none.
        span: where the name stands.
        line: the line that is silenced; None for the whole file.
        removal: what to remove where the rule has nothing to say: the name, or the comment if it is the only one.
    """

    rule: str
    span: Span
    line: int | None
    removal: Span


def by_cover(comments: Iterable[Ignore]) -> dict[tuple[str, int | None], list[Ignore]]:
    """Return comments of one file by what they silence: a rule, and a line or None for all of them."""
    found: dict[tuple[str, int | None], list[Ignore]] = {}
    for comment in comments:
        found.setdefault((comment.rule, comment.line), []).append(comment)
    return found


def mentions_ignore(raw: bytes) -> bool:
    """Tell whether a file may hold such a comment, without reading it."""
    return b"f0ci:" in raw


def read_ignores(document: Document) -> tuple[Ignore, ...]:
    """Return every rule that a document's comments silence; JSON has no comments."""
    if not mentions_ignore(document.raw) or document.path.endswith(".json"):
        return ()
    lines = split_lines(document.path, document.raw)
    found: list[Ignore] = []
    spoken = [number for number, line in enumerate(lines, start=1) if not _is_silent(line)]
    for number, line in enumerate(lines, start=1):
        comments = [m for m in _COMMENT.finditer(line) if not document.inside_value(number, m.start() + 1)]
        for comment, following in zip_longest(comments, comments[1:]):
            end = following.start() if following else len(line)
            silenced = number if line[: comment.start()].strip() else _silenced(spoken, number)
            found.extend(_ignores(comment, silenced, _removal(lines, number, comment.start(), end)))
    return tuple(found)


def _ignores(comment: re.Match[str], silenced: int | None, whole: Span) -> Iterator[Ignore]:
    """Yield what a comment silences, which can be removed as a whole."""
    number = whole.line
    names = list(_NAME.finditer(comment.string, *comment.span("rules"))) if comment["rules"] else []
    if not names:
        yield Ignore("", Span(number, comment.start() + 1, number, comment.end() + 1), silenced, whole)
    for at, name in enumerate(names):
        # with what separates it from the next name, else from the one before
        is_last = at + 1 == len(names)
        start = names[at - 1].end() if is_last else name.start()
        end = name.end() if is_last else names[at + 1].start()
        removal = Span(number, start + 1, number, end + 1) if len(names) > 1 else whole
        yield Ignore(name.group(), Span(number, name.start() + 1, number, name.end() + 1), silenced, removal)


def _removal(lines: Sequence[str], number: int, start: int, end: int) -> Span:
    """Return what goes with a comment: blanks before it, its line where there is nothing else, nothing of the next."""
    line = lines[number - 1]
    before = line[:start].rstrip()
    if end < len(line):
        return Span(number, start + 1, number, end + 1)
    if before or number == len(lines):
        return Span(number, len(before) + 1, number, end + 1)
    return Span(number, 1, number + 1, 1)


def _silenced(spoken: Sequence[int], number: int) -> int | None:
    """Return the line that a comment of its own silences, or None where it heads the file.

    Args:
        spoken: the numbers of the lines that are no comments.
        number: the line of the comment.
    """
    following = bisect_right(spoken, number)
    if following == 0:
        return None
    return spoken[following] if following < len(spoken) else number


def _is_silent(line: str) -> bool:
    text = line.strip()
    return not text or text.startswith(("#", "%")) or text == "---"
