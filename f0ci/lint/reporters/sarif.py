"""SARIF 2.1.0 (OASIS standard, 2020), as GitHub code scanning and other viewers read it.

Every rule that was broken comes with its page; it has no address of its own, so no `helpUri`. A result carries a
fingerprint without line numbers under `f0ci/v1`; GitHub's own `primaryLocationLineHash` is left to its upload action,
which computes it from the sources.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from f0ci import __version__
from f0ci.core.diagnostics import Diagnostic, Fix, Location, Severity, Span
from f0ci.core.patterns import pattern
from f0ci.lint import registry
from f0ci.lint.fingerprints import fingerprints
from f0ci.lint.reporters.base import Sources, Summary, encodable
from f0ci.lint.rules.base import Group, Rule

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# how a log without results ends
_END = "[]}]}"
_SUBJECT = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "recommendation"}
# 8.0 is a high risk in GitHub's words, 5.0 a medium one, 2.0 a low one
_RISK = {Severity.ERROR: "8.0", Severity.WARNING: "5.0", Severity.NOTE: "2.0"}
_WHAT = pattern(r"^## What it does\n\n(.+?)\n(?:\n|\Z)", re.MULTILINE | re.DOTALL)


def report(diagnostics: Sequence[Diagnostic], sources: Sources, summary: Summary, *, colour: bool = False) -> str:
    """Return one SARIF log of one run."""
    del summary, colour
    names = sorted({diagnostic.rule for diagnostic in diagnostics})
    index = {name: number for number, name in enumerate(names)}
    marks = fingerprints(diagnostics, sources)
    # of thousands of results only the text is held, a line each
    marked = zip(diagnostics, marks, strict=True)
    results = ",\n".join(_text(_result(one, index[one.rule], mark)) for one, mark in marked)
    run = {
        "tool": {
            "driver": {
                "name": "f0ci",
                "version": __version__,
                "semanticVersion": __version__,
                "informationUri": "https://github.com/framework0/f0ci",
                "rules": [_rule(name) for name in names],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [],
    }
    log = _text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})
    return f"{log.removesuffix(_END)}[\n{results}\n]{_END[2:]}\n"


def _text(part: Any) -> str:
    return encodable(json.dumps(part, ensure_ascii=False, separators=(",", ":")))


def _rule(name: str) -> dict[str, Any]:
    if name not in registry.names():
        return {"id": name}
    card, page = registry.rule(name), registry.explain(name)
    first = page.split("\n\n", 3)[2].replace("\n", " ")
    what = _WHAT.search(page)
    return {
        "id": name,
        "name": name.title().replace("-", ""),
        "shortDescription": {"text": first},
        "fullDescription": {"text": what[1].replace("\n", " ") if what else first},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": str(card.severity)},
        "properties": _properties(card),
    }


def _properties(card: Rule) -> dict[str, Any]:
    """Return what GitHub sorts, filters and labels alerts by."""
    is_risk = card.group is Group.SECURITY
    # whether a text is a secret, or a warning a mistake, is for people to say
    is_certain = card.severity is Severity.ERROR and not is_risk
    return {
        "tags": ["f0ci", str(card.group)],
        "precision": "very-high" if is_certain else "high",
        "problem.severity": _SUBJECT[card.severity],
        **({"security-severity": _RISK[card.severity]} if is_risk else {}),
    }


def _result(diagnostic: Diagnostic, index: int, mark: str) -> dict[str, Any]:
    text = f"{diagnostic.message}\n{diagnostic.hint}" if diagnostic.hint else diagnostic.message
    result: dict[str, Any] = {
        "ruleId": diagnostic.rule,
        "ruleIndex": index,
        "level": str(diagnostic.severity),
        "message": {"text": plain(text)},
        "locations": [{"physicalLocation": _place(diagnostic.location)}],
        "partialFingerprints": {"f0ci/v1": mark},
    }
    if diagnostic.related:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _place(other.location), "message": {"text": plain(other.message)}}
            for number, other in enumerate(diagnostic.related, start=1)
        ]
    # a byte-order mark has no place in SARIF
    if diagnostic.fix is not None and all(edit.span.column for edit in diagnostic.fix.edits):
        result["fixes"] = [_fix(diagnostic.location.path, diagnostic.fix)]
    return result


def _fix(path: str, fix: Fix) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _region(edit.span), "insertedContent": {"text": encodable(edit.text)}} for edit in fix.edits
    ]
    change = {"artifactLocation": _artifact(path), "replacements": replacements}
    return {"description": {"text": plain(fix.message)}, "artifactChanges": [change]}


def _place(location: Location) -> dict[str, Any]:
    return {"artifactLocation": _artifact(location.path), "region": _region(location.span)}


def _artifact(path: str) -> dict[str, Any]:
    return {"uri": as_uri(path), "uriBaseId": "%SRCROOT%"}


def _region(span: Span) -> dict[str, Any]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def as_uri(path: str) -> str:
    """Return a path as a relative reference (RFC 3986); bytes of a name that are no text keep their values."""
    try:
        return quote(path.encode("utf-8", "surrogateescape"), safe="/")
    except UnicodeEncodeError:
        return quote(encodable(path), safe="/")


def plain(text: str) -> str:
    """Return a message that holds no link, whatever it quotes (SARIF 2.1.0, 3.11.6)."""
    if "](" not in text:
        return text
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
