"""Annotations on GitHub: one workflow command a diagnostic.

Escaping follows actions/toolkit, `packages/core/src/command.ts`: `%`, CR and LF in the message; `:` and `,` too in
properties. Whatever a file's name or a value says, a diagnostic is one command and no other.
"""

from __future__ import annotations

from collections.abc import Sequence

from f0ci.core.diagnostics import Diagnostic, Severity
from f0ci.lint.reporters.base import Sources, Summary, encodable

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def report(diagnostics: Sequence[Diagnostic], sources: Sources, summary: Summary, *, colour: bool = False) -> str:
    """Return one line a diagnostic; nothing where there are none."""
    del sources, summary, colour
    return encodable("".join(f"{_command(diagnostic)}\n" for diagnostic in diagnostics))


def _command(diagnostic: Diagnostic) -> str:
    span = diagnostic.location.span
    properties = {"title": f"f0ci {diagnostic.rule}", "file": diagnostic.location.path, "line": str(span.line)}
    if span.end_line == span.line:
        # GitHub refuses columns on an annotation of several lines
        properties["col"] = str(span.column)
        properties["endColumn"] = str(max(span.end_column - 1, span.column))
    else:
        properties["endLine"] = str(span.end_line)
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[diagnostic.severity]} {written}::{_data(_message(diagnostic))}"


def _message(diagnostic: Diagnostic) -> str:
    lines = [diagnostic.message]
    if diagnostic.hint:
        lines.append(f"hint: {diagnostic.hint}")
    lines.extend(f"{other.location}: {other.message}" for other in diagnostic.related)
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
