"""Lines and tables that fit a terminal; what goes into a pipe or a file is never broken."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

import click

from f0ci.core.patterns import pattern

# narrower than this, a column holds no sentence
_LEAST = 24
# what is quoted as a command stays in one piece, so that it can be copied
_WORD = pattern(r"(?:[^\s`]*`[^`]*`)+\S*|\S+")
_INDENT = 4
# what begins a line that is no part of the paragraph above it
_BLOCKS = ("#", "- ", "|", "    ")


def terminal_width(*, err: bool = False) -> int | None:
    """Return how many columns the terminal has that stdout (or stderr) is, or None where it is none."""
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty():
        return None
    import os
    import shutil

    if os.environ.get("COLUMNS", "").isdecimal():
        return shutil.get_terminal_size().columns
    try:
        # what `shutil` asks is stdout, which may go elsewhere; a terminal that does not know its width says 0
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def print_line(text: str, *, hang: int = 2, err: bool = False) -> None:
    """Print prose, mostly one line; on a terminal that it is too wide for, broken between words.

    Args:
        text: the line or lines; what one begins with blank is its indentation.
        hang: how much further than that following lines are indented.
        err: print it to stderr.
    """
    width = terminal_width(err=err)
    for part in text.split("\n"):
        for line in fold(part, width, hang=hang):
            click.echo(line, err=err)


def fold(text: str, width: int | None, *, hang: int = 2) -> list[str]:
    """Return a line as lines of at most so many columns, a word or command that is wider in one piece; pure.

    Args:
        text: the line; ANSI colours count for nothing.
        width: columns, or None for as many as it takes.
        hang: how much further than the first line the others are indented.
    """
    if width is None or len(click.unstyle(text)) <= width:
        return [text]
    before = text[: len(text) - len(text.lstrip(" "))]
    lines: list[str] = []
    line, size, indent = before, len(before), before
    for word in _WORD.findall(text):
        length = len(click.unstyle(word))
        begun = size > len(indent)
        if begun and size + 1 + length > width:
            lines.append(line)
            indent = before + " " * hang
            line, size, begun = indent, len(indent), False
        line += f" {word}" if begun else word
        size += length + begun
    return [*lines, line]


def reflow(page: str, width: int | None) -> str:
    """Return a page in Markdown whose paragraphs have lines of at most so many columns; pure.

    Headings, lists, tables and what stands between fences stay line by line, list items broken where they are too wide.

    Args:
        page: the page.
        width: columns, or None to leave it as it is.
    """
    if width is None:
        return page
    lines: list[str] = []
    fenced = joins = False
    for line in page.split("\n"):
        fence = line.startswith("```")
        if fenced or fence or not line or line.startswith(_BLOCKS):
            lines.append(line)
            # an item goes on in the lines below it
            joins = line.startswith("- ") and not fenced
        elif joins:
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
            joins = True
        fenced = fenced is not fence
    return "\n".join(_folded(lines, width))


def _folded(lines: Iterable[str], width: int) -> Iterator[str]:
    fenced = False
    for line in lines:
        fenced = fenced is not line.startswith("```")
        yield from [line] if fenced or line.startswith("|") else fold(line, width, hang=2 * line.startswith("- "))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table to stdout: as wide as its content, but on a terminal no wider than that, see `lay_out`."""
    for index, line in enumerate(lay_out(headings, [list(row) for row in rows], terminal_width())):
        click.echo(click.style(line, bold=True) if index == 0 else line)


def lay_out(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Return the lines of a table, headings first; pure.

    it fits                                          one line a row
    the last column can be broken between words      it is, in its column
    all but the last column fit                      the last stands below its row
    not even those                                   a line a cell, each behind its heading

    Args:
        headings: one for each column.
        rows: cells, which may be coloured.
        width: columns of the terminal, or None for as many as it takes.
    """
    table = [list(headings), *[list(row) for row in rows]]
    sizes = [max(map(_size, column)) for column in zip(*table, strict=True)]
    gaps = 2 * (len(sizes) - 1)
    if width is None or sum(sizes) + gaps <= width or not rows:
        return [_line(row, sizes) for row in table]
    *others, _ = sizes
    head = sum(others) + gaps
    if others and width - head >= _LEAST:
        return list(_last_broken(table, others, head, width))
    if len(others) > 1 and head - 2 <= width:
        return list(_last_below(table, others, width))
    return list(_records(table, width))


def _last_broken(table: list[list[str]], sizes: list[int], head: int, width: int) -> Iterator[str]:
    for *cells, last in table:
        first, *more = fold(last, width - head, hang=0)
        yield _line([*cells, first], [*sizes, 0])
        yield from (" " * head + line for line in more)


def _last_below(table: list[list[str]], sizes: list[int], width: int) -> Iterator[str]:
    for number, (*cells, last) in enumerate(table):
        yield _line(cells, sizes)
        # a heading is for what stands beneath it
        yield from fold(" " * _INDENT + last, width, hang=0) if last and number else ()


def _records(table: list[list[str]], width: int) -> Iterator[str]:
    names, *rows = table
    size = max(map(_size, names))
    for number, row in enumerate(rows):
        if number:
            yield ""
        for name, cell in zip(names, row, strict=True):
            head = f"{name:<{size}}  "
            for line in fold(cell, max(width - len(head), 1), hang=0) if cell else ():
                yield f"{head}{line}"
                head = " " * len(head)


def _line(cells: Sequence[str], sizes: Sequence[int]) -> str:
    return "  ".join(cell + " " * (size - _size(cell)) for cell, size in zip(cells, sizes, strict=True)).rstrip()


def _size(cell: str) -> int:
    return len(click.unstyle(cell))
