"""Reports for people: place, message, the line itself with what is meant underlined, what to do next.

Control characters of a file are shown as pictures, so that no file can speak to the terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from f0ci.core.counting import counted
from f0ci.core.diagnostics import Diagnostic, Related, Severity, Span
from f0ci.lint.lines import with_lines
from f0ci.lint.reporters.base import Sources, Summary

WIDEST = 140
_AS_EMOJI = "\ufe0f"
# a log is read by more people than a file
_NEVER_SHOWN = frozenset({"plain-text-secret"})
_RESET = "\x1b[0m"
_BOLD, _DIM, _CYAN = "\x1b[1m", "\x1b[2m", "\x1b[36m"
_COLOURS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m", Severity.NOTE: "\x1b[1;34m"}


def report(diagnostics: Sequence[Diagnostic], sources: Sources, summary: Summary, *, colour: bool = False) -> str:
    """Return every diagnostic as a small block, then one line of sums."""
    blocks = [_block(one, lines, colour=colour) for one, lines in with_lines(diagnostics, sources)]
    return "".join(f"{block}\n" for block in blocks) + _sums(summary) + "\n"


def _block(diagnostic: Diagnostic, lines: Sequence[str], *, colour: bool) -> str:
    def paint(text: str, code: str) -> str:
        return f"{code}{text}{_RESET}" if colour else text

    severity = paint(f"{diagnostic.severity}[{diagnostic.rule}]", _COLOURS[diagnostic.severity])
    place = paint(visible(str(diagnostic.location)), _BOLD)
    parts = [f"{place}: {severity} {visible(diagnostic.message)}"]
    snippet = None if diagnostic.rule in _NEVER_SHOWN else _snippet(diagnostic.location.span, lines)
    gutter = " " * (len(str(diagnostic.location.span.line)) + 3)
    if snippet is not None:
        written, underline = snippet
        number = paint(f" {diagnostic.location.span.line} |", _DIM)
        parts.append(f"{number} {written}".rstrip())
        parts.append(f"{gutter[:-1]}{paint('|', _DIM)} {paint(underline, _COLOURS[diagnostic.severity])}")
    if diagnostic.hint:
        parts.append(f"{gutter}{paint('hint:', _CYAN)} {visible(diagnostic.hint)}")
    parts.extend(f"{gutter}{_related(other)}" for other in diagnostic.related)
    return "\n".join(parts) + "\n"


def _related(other: Related) -> str:
    return f"{visible(str(other.location))}: {visible(other.message)}"


def _snippet(span: Span, lines: Sequence[str]) -> tuple[str, str] | None:
    """Return a line and the marks under it, cut to a window around them where the line is long."""
    if not 0 < span.line <= len(lines) or not lines[span.line - 1].strip():
        return None
    line = lines[span.line - 1]
    start = min(span.column - 1, len(line))
    end = min(span.end_column - 1, len(line)) if span.end_line == span.line else len(line.rstrip())
    end = max(end, start + 1)
    left, right = 0, len(line)
    if len(line) > WIDEST:
        left = max(0, min(start - WIDEST // 4, len(line) - WIDEST))
        right = left + WIDEST
    head, body, tail = line[left:start], line[start : min(end, right)], line[min(end, right) : right]
    before = "..." if left else ""
    after = "..." if right < len(line) else ""
    marks = " " * _width(before + visible(head)) + "^" * max(1, _width(visible(body)))
    return before + visible(head + body + tail) + after, marks


def visible(text: str) -> str:
    """Return a text with tabs as blanks and every other control or direction character as a picture of one cell."""
    if text.isprintable():
        return text
    return "".join(_picture(char) for char in text)


def _picture(char: str) -> str:
    if char == "\t":
        return " "
    if char.isprintable():
        return char
    return chr(0x2400 + ord(char)) if ord(char) < 0x20 else "\ufffd"


def _width(text: str) -> int:
    """Return how many terminal cells a text takes: wide characters two, marks on others none."""
    if text.isascii():
        return len(text)
    cells, before = 0, 0
    for char in text:
        if char == _AS_EMOJI:
            # what was narrow becomes a picture
            width = int(before == 1)
        elif unicodedata.category(char) in {"Mn", "Me"}:
            width = 0
        else:
            before = width = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        cells += width
    return cells


def _sums(summary: Summary) -> str:
    files = counted(summary.files, "file")
    if not summary.errors + summary.warnings + summary.notes:
        return f"{files} checked: nothing to report"
    counts = [
        counted(number, noun)
        for number, noun in ((summary.errors, "error"), (summary.warnings, "warning"), (summary.notes, "note"))
        if number
    ]
    return f"{files} checked: {', '.join(counts)}"
