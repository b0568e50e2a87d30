"""Test reports in the form that JUnit began and most test tools write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

from f0ci.core.errors import InputError

_BAD = ("failure", "error")


def read_junit(path: str, raw: bytes) -> Iterator[dict[str, Any]]:
    """Yield a row for each test that was run: `suite`, `name`, `class`, `tests` (1), `failed` (0 or 1), `seconds`.

    Skipped tests are left out. A suite's `timestamp` with an offset becomes `time`.

    Args:
        path: for messages.
        raw: the file's bytes.

    Raises:
        InputError: the file is no such report.
    """
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise InputError("the report declares a document type", "write the report without one", place=path)
    try:
        root = ET.fromstring(raw)  # noqa: S314 - what declares entities is refused above
    except ET.ParseError as error:
        line, column = error.position
        raise InputError(f"not valid XML: {error}", "check the report", place=f"{path}:{line}:{column + 1}") from error
    if root.tag not in {"testsuites", "testsuite"}:
        raise InputError(f"<{root.tag}> is no test report", "give a report in JUnit's form", place=f"{path}:1")
    for suite in root.iter("testsuite"):
        written = suite.get("timestamp", "")
        moment = {"time": written} if written.endswith("Z") or "+" in written else {}
        for case in suite.findall("testcase"):
            if case.find("skipped") is None:
                yield {
                    "suite": suite.get("name", ""),
                    "name": case.get("name", ""),
                    "class": case.get("classname", ""),
                    "tests": 1,
                    "failed": int(any(case.find(tag) is not None for tag in _BAD)),
                    "seconds": float(case.get("time") or 0),
                    **moment,
                }
