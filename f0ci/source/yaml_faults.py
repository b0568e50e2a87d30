"""What people did where libyaml stops, in their words rather than in those of its grammar.

libyaml names the token that it did not expect and the construct that it was in; the mistake is often a line or more
before. What is said here is read off the text around the two places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from f0ci.core.diagnostics import Span
from f0ci.core.values import dataclass
from f0ci.source.reading import ReadingProblem
from f0ci.source.scalars import Unfit

_CLOSING = {"[": "]", "{": "}"}
_QUOTES = "\"'"
_COMMENTED = re.compile(r"(?:^|[ \t\[{,])#\{")
_TOO_LONG_TO_SCAN = 1_000_000
_DASHES = re.compile(r"(?:- +)*")
_GENERAL = "check the indentation and the quotes of this line and the one before"


@dataclass(frozen=True, slots=True)
class _Fault:
    """Where libyaml stopped.

    Attributes:
        lines: of the text, without their ends.
        line: index of the line.
        column: index in the line.
        opened: line and column of the construct that libyaml was in, or None.
    """

    lines: list[str]
    line: int
    column: int
    opened: tuple[int, int] | None

    @property
    def text(self) -> str:
        return self.lines[self.line] if self.line < len(self.lines) else ""

    @property
    def char(self) -> str:
        return self.text[self.column : self.column + 1]

    @property
    def before(self) -> str:
        return self.text[: self.column].rstrip()

    @property
    def is_end(self) -> bool:
        return not self.char and not any(line.strip() for line in self.lines[self.line :])

    @property
    def opener(self) -> str:
        return self.lines[self.opened[0]][self.opened[1] : self.opened[1] + 1] if self.opened else ""

    @property
    def previous(self) -> int | None:
        """Index of the line before that says something."""
        for index in range(min(self.line, len(self.lines)) - 1, -1, -1):
            text = self.lines[index].strip()
            if text and not text.startswith("#"):
                return index
        return None

    @property
    def opened_at(self) -> Span | None:
        return _point(*self.opened) if self.opened else None


def explained(raw: bytes, error: Any) -> ReadingProblem:
    """Return the problem of a text that libyaml cannot read.

    Args:
        raw: the text, in UTF-8.
        error: a `yaml.MarkedYAMLError`.
    """
    mark = error.problem_mark or error.context_mark
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", raw.decode("utf-8-sig", "replace"))
    context = error.context_mark
    fault = _Fault(
        lines,
        mark.line if mark else 0,
        mark.column if mark else 0,
        (context.line, context.column) if context and context.line < len(lines) else None,
    )
    if fault.char == "\t":
        span = _point(fault.line, fault.column)
        return ReadingProblem("tab", "not valid YAML: a tab stands where only blanks may", span, "indent with blanks")
    if isinstance(error.__cause__, Unfit):
        says_tag = str(error.problem).startswith("the tag ")
        hint = "remove the tag, or put the value in quotes" if says_tag else "correct the value, or put it in quotes"
        return _problem(str(error.problem), _point(fault.line, fault.column), hint)
    return _told(str(error.problem or "unreadable"), str(error.context or ""), fault, raw)


def _told(problem: str, context: str, fault: _Fault, raw: bytes) -> ReadingProblem:
    here = _point(fault.line, fault.column)
    if "tag handle" in problem:
        return _problem("the tag's prefix is not declared", here, "remove the tag, or put the value in quotes")
    if problem == "found character that cannot start any token" or (fault.char == "," and "block node" in context):
        return _problem(f"no plain value begins with {fault.char!r}", here, "put the value in quotes")
    if "quoted scalar" in context:
        return _quoted(problem, fault, here)
    if "flow" in context:
        return _bracketed(problem, context, fault, here, raw)
    if "scanning an alias" in context or "scanning an anchor" in context:
        if fault.opened and fault.lines[fault.opened[0]][: fault.opened[1]].rstrip()[-1:] in {*_QUOTES, "]", "}"}:
            return _behind(_Fault(fault.lines, *fault.opened, None))
        what = "an alias" if "alias" in context else "an anchor"
        message = f"a value that begins with {fault.opener!r} is {what}, and no name follows"
        return _problem(message, fault.opened_at or here, "put the value in quotes")
    if "block scalar" in context and "comment or line break" in problem:
        return _problem(f"text stands behind {fault.opener!r}", here, "begin the text on the next line")
    if problem == "could not find expected ':'" and fault.opened:
        text = fault.lines[fault.opened[0]].rstrip()
        span = Span(fault.opened[0] + 1, fault.opened[1] + 1, fault.opened[0] + 1, len(text) + 1)
        return _problem("the line is no key: it has no ':'", span, "write 'key: value', or indent it below its key")
    if problem.startswith("block sequence entries"):
        return _problem("a list begins on the line of its key", here, "begin it on the next line, or quote the value")
    if problem.startswith("mapping values are not allowed"):
        return _second_colon(problem, fault, here)
    if fault.char in {"]", "}"}:
        return _problem(f"nothing is open that this {fault.char!r} closes", here, "remove it, or quote the value")
    if context.startswith("while parsing a block"):
        return _unfitting(problem, context, fault, here)
    if "<document start>" in problem and fault.before == "":
        return _problem("the document ends before this line", here, "indent it like the first line, or remove it")
    if "directive" in context:
        return _problem("a line that begins with '%' is a directive", here, "put the text in quotes")
    return _problem(f"{problem} ({context})" if context else problem, here, _GENERAL)


def _quoted(problem: str, fault: _Fault, here: Span) -> ReadingProblem:
    if "end of stream" in problem or "document indicator" in problem:
        return _problem(
            "the quote that opens here is never closed", fault.opened_at or here, f"close it with {fault.opener}"
        )
    # libyaml stops at the backslash, or behind it where digits are missing
    start = fault.text.rfind("\\", 0, fault.column + 1)
    if start < 0:
        return _problem(problem, here, _GENERAL)
    written = fault.text[start : start + 2]
    span = Span(fault.line + 1, start + 1, fault.line + 1, start + 1 + len(written))
    hint = "write '\\\\' for a backslash, or use single quotes"
    return _problem(f"'{written}' begins no escape that double quotes know", span, hint)


def _bracketed(problem: str, context: str, fault: _Fault, here: Span, raw: bytes) -> ReadingProblem:
    opened = fault.opened if fault.opener in _CLOSING else _innermost(raw) if fault.is_end else None
    if opened is None:
        return _problem(f"{problem} ({context})", here, _GENERAL)
    bracket = fault.lines[opened[0]][opened[1]]
    close = f"close it with {_CLOSING[bracket]!r}"
    if any(_COMMENTED.search(line) for line in fault.lines[opened[0] : fault.line + 1]):
        close = "put '#{...}' in quotes: a '#' behind a blank begins a comment"
    if fault.is_end:
        return _problem(f"the {bracket!r} that opens here is never closed", _point(*opened), close)
    hint = (
        close
        if "#" in close
        else f"{close}, or write a ',' between values and quotes around what holds ': ' or a bracket"
    )
    message = f"neither ',' nor {_CLOSING[bracket]!r} follows in what {bracket!r} opens"
    return _problem(message, here, hint, _point(*opened))


def _second_colon(problem: str, fault: _Fault, here: Span) -> ReadingProblem:
    if ": " in fault.before:
        return _problem("a second ':' stands in the line", here, "quote a value that holds ': '")
    if fault.previous is not None:
        text = fault.lines[fault.previous]
        rest = text.strip()
        whole = Span(fault.previous + 1, text.index(rest) + 1, fault.previous + 1, len(text.rstrip()) + 1)
        if re.match(r"-[^\s-]", rest):
            return _problem("no blank follows the '-' that begins an item", whole, "write a blank behind the '-'")
        if ":" not in rest and rest[:1] not in _QUOTES:
            return _problem("the line is no key: it has no ':'", whole, "write 'key: value'")
        if ": " in rest and _indent(fault.text) > _indent(text):
            message = "the line is indented below a key that has a value already"
            return _problem(message, here, "indent it like the line before, or remove that value", whole, "the value")
    return _problem(problem, here, _GENERAL)


def _unfitting(problem: str, context: str, fault: _Fault, here: Span) -> ReadingProblem:
    is_list = "collection" in context
    if fault.before.strip("- "):
        if fault.before[-1] in {*_QUOTES, "]", "}"}:
            return _behind(fault)
        return _problem(f"{problem} ({context})", here, _GENERAL)
    if fault.opened and fault.column == fault.opened[1]:
        if is_list:
            message, hint = "a key stands where an item of a list belongs", "begin it with '- ', or indent it otherwise"
        else:
            message, hint = "a list item stands where a key belongs", "indent it below the key that it belongs to"
        return _problem(
            message, here, hint, fault.opened_at, "the list begins here" if is_list else "the keys begin here"
        )
    levels = set(_levels(fault))
    less, more = (
        (level for level in levels if level < fault.column),
        (level for level in levels if level > fault.column),
    )
    near = [str(level) for level in (max(less, default=None), min(more, default=None)) if level is not None]
    message = f"the line is indented by {fault.column}, like nothing above it"
    return _problem(message, here, f"indent it by {' or '.join(near)}" if near else _GENERAL)


def _behind(fault: _Fault) -> ReadingProblem:
    last = fault.before[-1]
    hint = "put the whole value in quotes"
    if last == "'":
        hint = "write '' for a quote inside single quotes, or put the whole value in double quotes"
    return _problem(f"text stands behind the closing {last}", _point(fault.line, fault.column), hint)


def _levels(fault: _Fault) -> Iterator[int]:
    """Yield the columns in which the lines above begin that are still open."""
    least = len(fault.text) + max(map(len, fault.lines[: fault.line]), default=0) + 1
    for text in reversed(fault.lines[: fault.line]):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        start = _indent(text)
        if start < least:
            dashes = _DASHES.match(text[start:])
            if dashes and dashes[0] and start + len(dashes[0]) < least:
                yield start + len(dashes[0])
            yield start
            least = start
        if not start:
            return


def _innermost(raw: bytes) -> tuple[int, int] | None:
    """Return where the bracket stands that is open at the end, or None where that takes long to find out."""
    import yaml
    from yaml._yaml import CParser

    if len(raw) > _TOO_LONG_TO_SCAN:
        return None
    opened: list[tuple[int, int]] = []
    parser = CParser(raw)
    try:
        while parser.check_token():
            token = parser.get_token()
            if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
                opened.append((token.start_mark.line, token.start_mark.column))
            elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken) and opened:
                opened.pop()
    except yaml.YAMLError:
        pass
    return opened[-1] if opened else None


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _point(line: int, column: int) -> Span:
    return Span(line + 1, column + 1, line + 1, column + 2)


def _problem(
    message: str, span: Span, hint: str, first: Span | None = None, says: str = "opened here"
) -> ReadingProblem:
    return ReadingProblem("syntax", f"not valid YAML: {message}", span, hint, first, says)
