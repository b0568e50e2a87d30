"""The SQL of the journal, as PostgreSQL wants it: the statements are written once, for SQLite."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

_IGNORING = re.compile(r"\bINSERT OR IGNORE INTO\b", re.IGNORECASE)
_NUMBERED = re.compile(r"\?(\d+)")
_SAME = re.compile(r"\bIS (?=\?)")
# the larger of two values, where the aggregate takes one
_LARGER = re.compile(r"\bmax\((?=coalesce\()")
_ABSENT = re.compile(r"\?\d* IS NULL")
_LIMIT = re.compile(r"\bLIMIT (\?\d+)")
_READING_RUNS = re.compile(r"SELECT (?!count).* FROM runs WHERE run = \S+[^()]*", re.IGNORECASE | re.DOTALL)
_TYPES = (
    (re.compile(r"--[^\n]*"), ""),
    (re.compile(r"\bREAL\b"), "DOUBLE PRECISION"),
    (re.compile(r"\bINTEGER\b"), "BIGINT"),
    (re.compile(r"\bWITHOUT ROWID\b"), ""),
)


@functools.cache
def statement_for(statement: str) -> str:
    """Return a statement of the journal for PostgreSQL, with psycopg's placeholders."""
    text = statement.replace("%", "%%")
    if _IGNORING.search(text):
        text = _IGNORING.sub("INSERT INTO", text) + " ON CONFLICT DO NOTHING"
    text = _LARGER.sub("greatest(", _SAME.sub("IS NOT DISTINCT FROM ", text))
    # -1 is no limit
    text = _LIMIT.sub(r"LIMIT nullif(\1, -1)", text)
    # a value of which nothing is asked but whether it is there has no type
    text = _ABSENT.sub("CAST(? AS TEXT) IS NULL", text)
    return _NUMBERED.sub("?", text).replace("?", "%s")


@functools.cache
def statement_for_change(statement: str) -> str:
    """Return a statement that is part of a change: a run that is read stays as it is until the change is over.

    SQLite gives a writer the whole journal; here others change other runs meanwhile.
    """
    text = statement_for(statement)
    return f"{text} FOR UPDATE" if _READING_RUNS.fullmatch(statement) else text


def prelude_to(statement: str) -> str | None:
    """Return what has to be done before a statement of a change, or None.

    Plans that no run follows go; a run that somebody starts at this moment may follow one of them.
    """
    return "LOCK TABLE plans IN SHARE ROW EXCLUSIVE MODE" if statement.startswith("DELETE FROM plans") else None


def values_for(statement: str, values: Sequence[Any]) -> list[Any]:
    """Return the values of a statement, each as often as it is named; text without NUL, which PostgreSQL lacks."""
    plain = [value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in values]
    numbers = _NUMBERED.findall(statement)
    return [plain[int(number) - 1] for number in numbers] if numbers else plain


def schema_for(script: str) -> str:
    """Return the statements that make the journal's tables."""
    for pattern, replacement in _TYPES:
        script = pattern.sub(replacement, script)
    return script
