"""Lines of a text as its reader counts them, and the part of a line that a finding is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from f0ci.core.diagnostics import Diagnostic, Span
from f0ci.core.patterns import pattern

# what libyaml counts as the end of a line
_YAML_BREAK = pattern("\r\n|[\n\r\x85\u2028\u2029]")
_RARE_BREAKS = ("\r", "\x85", "\u2028", "\u2029")


def split_lines(path: str, raw: bytes) -> list[str]:
    """Return a file's lines without their ends, numbered as its spans number them; the list is not to be changed."""
    return _split(raw, is_json=path.endswith(".json"))


def line_starts(path: str, text: str) -> list[int]:
    """Return the offset of each line of a text, counted as `split_lines` counts them, and of the end behind a break."""
    breaks = re.compile("\n") if path.endswith(".json") else _YAML_BREAK
    return [0, *(match.end() for match in breaks.finditer(text))]


# a file with many findings is asked for its lines as often
@lru_cache(maxsize=2)
def _split(raw: bytes, *, is_json: bool) -> list[str]:
    text = raw.decode("utf-8-sig", "replace")
    if not is_json:
        text = text.replace("\r\n", "\n")
        # looking for each is many times faster than looking for any
        if any(text.find(end) >= 0 for end in _RARE_BREAKS):
            return _YAML_BREAK.split(text)
    return text.split("\n")


def with_lines(
    diagnostics: Iterable[Diagnostic], sources: Callable[[str], bytes | None]
) -> Iterator[tuple[Diagnostic, Sequence[str]]]:
    """Yield diagnostics, each with the lines of its file, none where it is a folder or cannot be read.

    Args:
        diagnostics: by file; the lines of one are held at a time, as those of all would fill the memory.
        sources: gives the bytes of a file by its path.
    """
    path: str | None = None
    lines: Sequence[str] = ()
    for diagnostic in diagnostics:
        if path != diagnostic.location.path:
            path = diagnostic.location.path
            raw = sources(path)
            lines = () if raw is None else split_lines(path, raw)
        yield diagnostic, lines


def first_line(span: Span, lines: Sequence[str]) -> Span:
    """Return the part of a span that lies on its first line."""
    if span.end_line == span.line or span.line > len(lines):
        return span
    end = len(lines[span.line - 1].rstrip()) + 1
    return Span(span.line, span.column, span.line, max(end, span.column + 1))


def trimmed(span: Span, lines: Sequence[str]) -> Span:
    """Return a span without the blanks and empty lines at its end (a block scalar's span reaches the next line)."""
    line, column = span.end_line, span.end_column
    while line > span.line and line <= len(lines) and not lines[line - 1][: column - 1].strip():
        line -= 1
        column = len(lines[line - 1].rstrip()) + 1
    return Span(span.line, span.column, line, column)


def narrowed(span: Span, value: str, within: tuple[int, int], lines: Sequence[str]) -> Span | None:
    """Return the span of a part of a scalar, or None where the scalar is not written as it reads.

    Args:
        span: the scalar's.
        value: the scalar's text.
        within: offset and length inside the text, in code points.
        lines: the file's.
    """
    if span.line != span.end_line or span.line > len(lines) or not value:
        return None
    start = _start(lines[span.line - 1], span.column, span.end_column, value)
    if start is None:
        return None
    # what is missing at the end is missing after the last character
    offset, length = min(within[0], len(value) - 1), within[1]
    end = min(offset + max(length, 1), len(value))
    return Span(span.line, start + offset, span.line, start + end)


# a long text with many findings is compared once
@lru_cache(maxsize=2)
def _start(line: str, column: int, end_column: int, value: str) -> int | None:
    """Return the column where a scalar's text begins, or None where it is not written as it reads."""
    written = line[column - 1 : end_column - 1]
    if written == value:
        return column
    if written[:1] in {"'", '"'} and written == f"{written[0]}{value}{written[0]}":
        return column + 1
    return None
