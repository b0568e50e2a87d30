"""Comments that silence rules: `# f0ci: ignore[rule-a, rule-b] reason`.

A comment at the end of a line silences that line; a comment of its own silences the next line that is not a comment;
a comment before the document's first line silences the whole file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from f0ci.core.diagnostics import Span
from f0ci.core.patterns import pattern
from f0ci.core.values import dataclass
from f0ci.lint.lines import split_lines
from f0ci.source.document import Document

_COMMENT = pattern(r"(?:(?<=\s)|(?<![\s\S]))#\s*f0ci:\s*ignore\b(?:\[(?P<rules>[^\]]*)\])?")
_NAME = pattern(r"[^,\s]+")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One rule that a comment silences.

    Attributes:
        rule: as written; empty where the comment names none.
        span: where the name stands.
        line: the line that is silenced; None for the whole file.
    """

    rule: str
    span: Span
    line: int | None


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
        for match in _COMMENT.finditer(line):
            if document.inside_value(number, match.start() + 1):
                continue
            silenced = number if line[: match.start()].strip() else _silenced(spoken, number)
            names = list(_NAME.finditer(line, *match.span("rules"))) if match["rules"] else []
            if not names:
                found.append(Ignore("", Span(number, match.start() + 1, number, match.end() + 1), silenced))
            found.extend(
                Ignore(name.group(), Span(number, name.start() + 1, number, name.end() + 1), silenced) for name in names
            )
    return tuple(found)


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
