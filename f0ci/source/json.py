"""JSON as `json.loads` reads it, with duplicate keys reported and, on request, positions."""

from __future__ import annotations

import json
import re
from typing import Any

from f0ci.core.diagnostics import Span
from f0ci.core.patterns import pattern
from f0ci.source.reading import MAX_DEPTH, Path, Positions, Reading, ReadingProblem, find_not_utf8

_BLANK = pattern(r"[ \t\r\n]*")
_STRING = pattern(r'"(?:[^"\\]|\\.)*"')
_ATOM = pattern(r"[^\s,\]}]+")


def read_json(raw: bytes, *, positions: bool = False) -> Reading:
    """Read one JSON document.

    Args:
        raw: the file's bytes, UTF-8 (a byte-order mark is allowed).
        positions: also record where every key and value stands.

    Returns:
        The data with every problem found; never raises for what the text says.
    """
    reading = Reading(positions=Positions() if positions else None)
    bad = find_not_utf8(raw)
    if bad is not None:
        reading.problems.append(bad)
        reading.broken = True
        return reading
    text = raw.decode("utf-8-sig")
    duplicates = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal duplicates
        result = dict(items)
        duplicates = duplicates or len(result) != len(items)
        return result

    try:
        reading.data = json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        span = Span(error.lineno, error.colno, error.lineno, error.colno + 1)
        message = f"not valid JSON: {error.msg.lower().removesuffix(' at')}"
        reading.problems.append(ReadingProblem("syntax", message, span, _hint(error)))
        reading.broken = True
        return reading
    except (RecursionError, ValueError) as error:
        deep = isinstance(error, RecursionError)
        message = f"nested deeper than {MAX_DEPTH} levels" if deep else f"not valid JSON: {error}"
        span = Span() if deep else _constant_span(text)
        hint = "flatten the document" if deep else "write a number, or null"
        reading.problems.append(ReadingProblem("too-deep" if deep else "syntax", message, span, hint))
        reading.broken = True
        return reading
    if _is_deep(reading.data):
        problem = ReadingProblem("too-deep", f"nested deeper than {MAX_DEPTH} levels", Span(), "flatten the document")
        reading.problems.append(problem)
    elif (torn := _torn(text)) is not None:
        hint = "write the character itself"
        reading.problems.append(ReadingProblem("syntax", "an escape stands for half a character", torn, hint))
    reading.broken = bool(reading.problems)
    if reading.broken:
        reading.data = None
    elif positions or duplicates:
        _Scan(text, reading).run()
    return reading


def _is_deep(data: Any) -> bool:
    level = [data] if isinstance(data, dict | list) else []
    for _ in range(MAX_DEPTH):
        inside = (item.values() if isinstance(item, dict) else item for item in level)
        level = [child for items in inside for child in items if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _torn(text: str) -> Span | None:
    if "\\ud" not in text.lower():
        return None
    for match in _STRING.finditer(text):
        try:
            json.loads(match.group()).encode()
        except UnicodeEncodeError:
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            return Span(line, column, line, column + len(match.group()))
    return None


def _hint(error: json.JSONDecodeError) -> str:
    """Return what people did where Python's reader stops."""
    char = error.doc[error.pos : error.pos + 1]
    if not error.doc[error.pos :].strip():
        return "close what is still open"
    if error.msg.startswith("Invalid control"):
        return "write its escape, such as \\n or \\t"
    if char == "'":
        return "write texts and keys in double quotes"
    if char in {"/", "#"}:
        return "JSON has no comments; remove it"
    if char in {"}", "]"} and error.doc[: error.pos].rstrip().endswith(","):
        return "remove the comma before it"
    if error.msg.startswith("Illegal trailing comma"):
        return "remove the comma"
    if error.msg.startswith("Extra data"):
        return "remove what follows the first value"
    if char.isalpha() and "property name" in error.msg:
        return "write keys in double quotes"
    return "check commas, quotes and brackets"


def _constant_span(text: str) -> Span:
    """Return the place of the first number that JSON does not have."""
    import re

    for match in re.finditer(r'"(?:\\.|[^"\\])*"|-?(?:NaN|Infinity)', text):
        if not match[0].startswith('"'):
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            return Span(line, column, line, column + len(match[0]))
    return Span()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


class _Scan:
    """Walks a text that is known to be valid and notes where everything stands."""

    def __init__(self, text: str, reading: Reading) -> None:
        self.text = text
        self.reading = reading
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def run(self) -> None:
        stack: list[tuple[str, Path, int, dict[str, Span]]] = []
        index = 0
        path: Path = ()
        expecting_value = True
        counters: list[int] = []
        while True:
            index = self._skip(index)
            if index >= len(self.text):
                return
            char = self.text[index]
            if expecting_value and char in "{[":
                stack.append((char, path, index, {}))
                counters.append(0)
                index = self._skip(index + 1)
                if char == "[":
                    path = (*path, 0)
                    expecting_value = self.text[index] != "]"
                else:
                    expecting_value = False
                continue
            if char in "}]":
                _, own, start, _ = stack.pop()
                counters.pop()
                self._value(own, start, index + 1)
                index += 1
                path = own
                expecting_value = False
            elif char == "," and stack:
                index += 1
                if stack[-1][0] == "[":
                    counters[-1] += 1
                    path = (*stack[-1][1], counters[-1])
                    expecting_value = True
            elif not expecting_value:
                match = _STRING.match(self.text, index)
                assert match is not None  # noqa: S101 - the text was parsed already
                written = match.group()
                # a decoder is made for each
                key = json.loads(written, strict=False) if "\\" in written else written[1:-1]
                self._key(stack[-1], key, self._span(index, match.end()))
                path = (*stack[-1][1], key)
                index = self._skip(match.end()) + 1
                expecting_value = True
            else:
                match = _STRING.match(self.text, index) if char == '"' else _ATOM.match(self.text, index)
                assert match is not None  # noqa: S101 - the text was parsed already
                self._value(path, index, match.end())
                index = match.end()
                expecting_value = False

    def _key(self, frame: tuple[str, Path, int, dict[str, Span]], key: str, span: Span) -> None:
        seen = frame[3]
        if key in seen:
            self.reading.problems.append(
                ReadingProblem(
                    "duplicate-key",
                    f"the key {key!r} is written twice; the last one silently wins",
                    span,
                    "remove one of the two",
                    seen[key],
                )
            )
        seen[key] = span
        if self.reading.positions is not None:
            self.reading.positions.keys[(*frame[1], key)] = span

    def _value(self, path: Path, start: int, end: int) -> None:
        if self.reading.positions is not None:
            self.reading.positions.values[path] = self._span(start, end)

    def _skip(self, index: int) -> int:
        match = _BLANK.match(self.text, index)
        return match.end() if match else index

    def _span(self, start: int, end: int) -> Span:
        from bisect import bisect_right

        first = bisect_right(self.line_starts, start)
        last = bisect_right(self.line_starts, end)
        return Span(first, start - self.line_starts[first - 1] + 1, last, end - self.line_starts[last - 1] + 1)
