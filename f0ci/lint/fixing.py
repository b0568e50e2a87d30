"""Mending files: what fixes make of a text, and the edits that rules propose.

A rule proposes a fix only where what was meant is beyond doubt; everything outside of its spans stays as it is,
comments included.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

from f0ci.core.diagnostics import Edit, Fix, Span
from f0ci.core.patterns import pattern
from f0ci.lint.lines import line_starts, split_lines
from f0ci.source.document import Document
from f0ci.source.reading import Path

BYTE_ORDER_MARK = "\ufeff"
# what a value may stand behind: a dash, a key, or both
_OWNER = pattern(r" *(?P<dash>(?:- +)*)(?P<key>[\w.-]+:)? *(?<= )")
_WIDEST = 1_000


def apply_fixes(path: str, raw: bytes, fixes: Iterable[Fix]) -> bytes:
    """Return a file's bytes with fixes applied, each as a whole; of two that touch, the later one is left out.

    Args:
        path: the file, whose suffix says how lines are counted.
        raw: its bytes, UTF-8.
        fixes: as findings in this very text propose them.
    """
    text = raw.decode("utf-8")
    starts = line_starts(path, text)
    taken: list[tuple[int, int, str]] = []
    for fix in sorted(set(fixes), key=lambda fix: fix.edits):
        wanted = [(*_offsets(edit.span, text, starts), edit.text) for edit in fix.edits]
        if not any(_touches(edit, taken) for edit in wanted):
            for edit in wanted:
                insort(taken, edit)
    parts: list[str] = []
    done = 0
    for start, end, replacement in taken:
        parts += (text[done:start], replacement)
        done = end
    return "".join([*parts, text[done:]]).encode("utf-8")


def _touches(edit: tuple[int, int, str], taken: Sequence[tuple[int, int, str]]) -> bool:
    """Tell whether an edit shares a character with one of some others, which are sorted and share none."""
    start, end, _ = edit
    after = bisect_left(taken, edit)
    return any(start < end_ and start_ < end for start_, end_, _ in taken[max(after - 1, 0) : after + 1])


def renamed_key(document: Document, path: Path, name: str) -> Fix | None:
    """Return the fix that gives a key another name, or None where it is not written out or the name is taken."""
    above = document.get(path[:-1])
    if not isinstance(above, dict) or name in above:
        return None
    span = document.span(path, key=True)
    if span in document.doubled:
        # which of the two is meant is not known
        return None
    written = _written(document, span)
    old = str(path[-1])
    if written not in {old, f'"{old}"', f"'{old}'"}:
        # an alias, a merged mapping, or characters that are written otherwise
        return None
    return Fix(f"write {name!r}", (Edit(span, written.replace(old, name)),))


def rewritten(document: Document, span: Span, expected: str, text: str) -> Fix | None:
    """Return the fix that writes a scalar otherwise, or None where the span does not hold what is expected."""
    return Fix(f"write {text}", (Edit(span, text),)) if _written(document, span) == expected else None


def without_line(document: Document, span: Span, twin: Span) -> Fix | None:
    """Return the fix that removes a line which says again what another one says; None where more hangs on it.

    Args:
        document: the file, in YAML.
        span: a key that begins its line.
        twin: the same key, written before.
    """
    # further to the right no key begins its line, and a line of a megabyte may hold many keys
    if document.path.endswith(".json") or span.column > _WIDEST:
        return None
    lines = split_lines(document.path, document.raw)
    line, before = lines[span.line - 1], lines[twin.line - 1]
    after = lines[span.line] if span.line < len(lines) else ""
    is_last = span.line >= len(lines)
    if is_last or line.rstrip() != before.rstrip() or line[: span.column - 1].strip() or "#" in line:
        return None
    indent = len(line) - len(line.lstrip())
    value = line[span.end_column - 1 :].strip(": ")
    goes_on = after.strip() and len(after) - len(after.lstrip()) > indent
    # blocks, lists and anchors reach beyond their line
    is_unsure = not after.strip() and any(lines[index].strip() for index in range(span.line, len(lines)))
    if not value or goes_on or is_unsure or value[0] in "|>&*!{[-\"'":
        return None
    return Fix("remove the second one", (Edit(Span(span.line, 1, span.line + 1, 1), ""),))


def quoted(document: Document, span: Span) -> Fix | None:
    """Return the fix that makes a comment the value of its line, in quotes; None where the line has, or gets, another.

    Args:
        document: the file, in YAML.
        span: the comment, from its `#` on.
    """
    lines = split_lines(document.path, document.raw)
    line, text = lines[span.line - 1], _written(document, span)
    before = _OWNER.fullmatch(line[: span.column - 1])
    later = (lines[index] for index in range(span.line, len(lines)))
    following = next((other for other in later if other.strip() and other.lstrip()[0] != "#"), "")
    indent = len(following) - len(following.lstrip())
    quote = "'" if '"' in text or "\\" in text else '"'
    if before is None or not (before["dash"] or before["key"]) or line[span.end_column - 1 :].strip() or quote in text:
        return None
    # where a key stands, a list may begin; where a dash stands, the next may
    begins = before.end("dash") if before["key"] else before.start("dash")
    if indent > begins or (indent == begins and before["key"] and following.lstrip().startswith("-")):
        return None
    return Fix("put it in quotes", (Edit(span, f"{quote}{text}{quote}"),))


def without_mark() -> Fix:
    """Return the fix that removes a byte-order mark."""
    return Fix("remove the mark", (Edit(Span(1, 0, 1, 1), ""),))


def _written(document: Document, span: Span) -> str:
    if span.line != span.end_line:
        return ""
    lines = split_lines(document.path, document.raw)
    return lines[span.line - 1][span.column - 1 : span.end_column - 1] if span.line <= len(lines) else ""


def _offsets(span: Span, text: str, starts: Sequence[int]) -> tuple[int, int]:
    mark = text.startswith(BYTE_ORDER_MARK)
    first, last = (starts[number - 1] - 1 for number in (span.line, span.end_line))
    return (
        first + span.column + (mark and span.line == 1),
        last + span.end_column + (mark and span.end_line == 1),
    )
