"""Naming a finding so that it is known again after the lines around it have moved.

A fingerprint is made of the rule, the file, the text of the line that the finding points at, and which of several
such findings it is. Line numbers and the wording of messages have no part in it.

Of a line of more than 4,000 letters its SHA-256 stands for it: thousands of findings may be in one line of a megabyte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from f0ci.core.canonical import sha256_hex
from f0ci.core.diagnostics import Diagnostic
from f0ci.lint.lines import with_lines
from f0ci.lint.reporters.base import Sources, encodable

VERSION = 1
_LONG = 4_000


def fingerprints(diagnostics: Sequence[Diagnostic], sources: Sources) -> tuple[str, ...]:
    """Return one fingerprint a diagnostic, 64 lower-case hex digits, each different from the others.

    Args:
        diagnostics: sorted by place.
        sources: texts of the files they are in.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    found: list[str] = []
    for diagnostic, lines in with_lines(diagnostics, sources):
        path, line = diagnostic.location.path, diagnostic.location.span.line
        # a folder has no lines: what is said of it must tell
        text = _told(lines[line - 1]) if 0 < line <= len(lines) else diagnostic.message
        what = (diagnostic.rule, path, text)
        # no part holds a line break, so that no two lists of parts make one text
        parts = (f"v{VERSION}", *(part.replace("\n", "\\n") for part in what), str(seen[what]))
        found.append(sha256_hex(encodable("\n".join(parts)).encode()))
        seen[what] += 1
    return tuple(found)


@lru_cache(maxsize=2)
def _told(line: str) -> str:
    """Return what a line says however it is indented and spaced."""
    text = " ".join(line.split())
    return text if len(text) <= _LONG else f"{len(text)} letters {sha256_hex(encodable(text).encode())}"
