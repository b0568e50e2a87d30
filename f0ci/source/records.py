"""Rows of data from CSV, JSON and JSON-lines files, each with its place."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import Any

from f0ci.core.errors import InputError
from f0ci.core.suggestions import did_you_mean
from f0ci.core.values import dataclass
from f0ci.source.document import parse_document

FORMATS: Mapping[str, str] = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".xml": "junit"}


@dataclass(frozen=True, slots=True)
class Record:
    """One row.

    Attributes:
        cells: values by column; those of CSV are texts.
        locate: returns where the row stands, as `path:line` or `path:line:column`.
    """

    cells: Mapping[str, Any]
    locate: Callable[[], str]

    def cell(self, column: str) -> Any:
        """Return the value of a column.

        Raises:
            InputError: the row has no such column, or nothing in it.
        """
        if column not in self.cells:
            hint = did_you_mean(column, self.cells, noun="columns")
            raise InputError(f"there is no column {column!r}", hint, place=self.locate())
        value = self.cells[column]
        if value is None or value == "":
            raise InputError(
                f"the column {column!r} is empty", "write a value, or leave the row out", place=self.locate()
            )
        return value

    def error(self, message: str, hint: str | None = None) -> InputError:
        """Return an error that points at the row."""
        return InputError(message, hint, place=self.locate())


def read_records(path: str, raw: bytes, form: str) -> Iterator[Record]:
    """Yield the rows of a file in written order.

    Args:
        path: for messages.
        raw: the file's bytes, UTF-8 (a byte-order mark is allowed).
        form: `csv` with a header line, `json` (a list of objects, or one object), `jsonl`, or `junit`.

    Raises:
        InputError: the file is not what `form` says; carries the place.
    """
    if form == "json":
        yield from _json(path, raw)
        return
    if form == "junit":
        from f0ci.source.junit import read_junit

        yield from (Record(cells, path.__str__) for cells in read_junit(path, raw))
        return
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        raise InputError(problem, "save the file as UTF-8", place=f"{path}:{line}") from error
    yield from (_csv if form == "csv" else _json_lines)(path, text)


def _csv(path: str, text: str) -> Iterator[Record]:
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, None)
        if not header:
            raise InputError("the header line is missing", "name the columns in the first line", place=f"{path}:1")
        twice = next((name for name in header if header.count(name) > 1), None)
        if twice is not None:
            problem = f"two columns are called {twice!r}"
            raise InputError(problem, "give each column a name of its own", place=f"{path}:1")
        for cells in reader:
            place = f"{path}:{reader.line_num}"
            if cells and len(cells) != len(header):
                problem = f"{len(cells)} values stand under {len(header)} columns"
                raise InputError(problem, "quote a value that holds a comma", place=place)
            if cells:
                yield Record(dict(zip(header, cells, strict=True)), place.__str__)
    except csv.Error as error:
        raise InputError(f"not valid CSV: {error}", "check the quotes", place=f"{path}:{reader.line_num}") from error


def _json_lines(path: str, text: str) -> Iterator[Record]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = error.msg.lower() if isinstance(error, json.JSONDecodeError) else "it cannot be read"
            hint = "write one JSON object a line"
            raise InputError(f"not valid JSON: {reason}", hint, place=place) from error
        if not isinstance(cells, dict):
            raise InputError("the line is not a JSON object", "write one JSON object a line", place=place)
        yield Record(cells, place.__str__)


def _json(path: str, raw: bytes) -> Iterator[Record]:
    document = parse_document(path if path.endswith(".json") else f"{path}.json", raw)
    for problem in document.problems:
        raise InputError(problem.message, problem.hint, place=f"{path}:{problem.span.line}:{problem.span.column}")
    rows = document.data if isinstance(document.data, list) else [document.data]
    for index, cells in enumerate(rows):

        def locate(at: tuple[int, ...] = (index,) if isinstance(document.data, list) else ()) -> str:
            span = document.span(at)
            return f"{path}:{span.line}:{span.column}"

        if not isinstance(cells, dict):
            raise InputError("the row is not a JSON object", "write a list of JSON objects", place=locate())
        yield Record(cells, locate)
