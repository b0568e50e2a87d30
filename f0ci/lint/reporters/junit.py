"""JUnit XML, for CI systems that show test results: every file is a test case, its errors are its failure.

Warnings and notes do not fail a case; they are its output. Consumers read one failure a case at most, so that all
errors of a file stand in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from f0ci.core.diagnostics import Diagnostic, Severity
from f0ci.core.patterns import pattern
from f0ci.lint.reporters.base import Sources, Summary

# what XML 1.0 cannot hold, even escaped (production 2, Char)
_FORBIDDEN = pattern("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_ENDS = {"\r": "&#13;"}
_IN_ATTRIBUTES = {**_LINE_ENDS, '"': "&quot;", "\n": "&#10;", "\t": "&#9;"}


def report(diagnostics: Sequence[Diagnostic], sources: Sources, summary: Summary, *, colour: bool = False) -> str:
    """Return one suite; a case for every file that was checked, or that something was found in."""
    del sources, colour
    found: dict[str, list[Diagnostic]] = {path: [] for path in summary.checked}
    for diagnostic in diagnostics:
        found.setdefault(diagnostic.location.path, []).append(diagnostic)
    failures = sum(any(map(_is_error, several)) for several in found.values())
    sums = f'name="f0ci validate" tests="{len(found)}" failures="{failures}" errors="0" skipped="0"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {sums}>", f"<testsuite {sums}>"]
    for path, several in sorted(found.items()):
        lines.extend(_case(path, several))
    return "\n".join([*lines, "</testsuite>", "</testsuites>", ""])


def _case(path: str, diagnostics: Sequence[Diagnostic]) -> Iterator[str]:
    name = _attribute(path)
    head = f'<testcase classname="f0ci.validate" name="{name}" file="{name}" time="0"'
    if not diagnostics:
        yield f"{head}/>"
        return
    yield f"{head}>"
    errors = [one for one in diagnostics if _is_error(one)]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        message = _attribute(f"{errors[0].message}{more}")
        yield f'<failure message="{message}" type="{_attribute(errors[0].rule)}">{_text(_told(errors))}</failure>'
    others = [one for one in diagnostics if not _is_error(one)]
    if others:
        yield f"<system-out>{_text(_told(others))}</system-out>"
    yield "</testcase>"


def _is_error(diagnostic: Diagnostic) -> bool:
    return diagnostic.severity is Severity.ERROR


def _told(diagnostics: Sequence[Diagnostic]) -> str:
    lines = []
    for one in diagnostics:
        lines.append(f"{one.location}: {one.severity}[{one.rule}] {one.message}")
        if one.hint:
            lines.append(f"  hint: {one.hint}")
        lines.extend(f"  {other.location}: {other.message}" for other in one.related)
    return "\n".join(lines)


def _text(text: str) -> str:
    return escape(_showable(text), _LINE_ENDS)


def _attribute(text: str) -> str:
    return escape(_showable(text), _IN_ATTRIBUTES)


def _showable(text: str) -> str:
    """Return a text with a picture for each control character, and U+FFFD for what else XML cannot hold."""
    return _FORBIDDEN.sub(lambda match: chr(0x2400 + ord(match[0])) if ord(match[0]) < 0x20 else "\ufffd", text)
