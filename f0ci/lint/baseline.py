"""A baseline: findings that are known and accepted for now, so that only new ones are reported.

    {"version": 1, "findings": [{"fingerprint": "...", "rule": "...", "path": "...", "message": "..."}]}

Only the fingerprints count; the rest is there for who reads the file. What tells that rules did not do their work
never becomes part of a baseline.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from f0ci.core.canonical import pretty_json
from f0ci.core.diagnostics import Diagnostic
from f0ci.core.errors import InputError
from f0ci.core.values import dataclass
from f0ci.lint import registry
from f0ci.lint.fingerprints import fingerprints
from f0ci.lint.reporters.base import Sources, encodable

VERSION = 1
_REMAKE = "write it again with --write-baseline"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a baseline leaves of some findings.

    Attributes:
        new: findings that the baseline does not know, in their order.
        known: how many it knows.
        gone: how many of its findings are no longer there.
    """

    new: tuple[Diagnostic, ...]
    known: int
    gone: int


def baseline_text(diagnostics: Sequence[Diagnostic], sources: Sources) -> str:
    """Return the file that makes some findings known, sorted so that two of them compare well."""
    findings = [
        {"fingerprint": mark, "rule": one.rule, "path": one.location.path, "message": one.message}
        for one, mark in zip(diagnostics, fingerprints(diagnostics, sources), strict=True)
        if one.rule not in registry.ALWAYS
    ]
    findings.sort(key=lambda one: (one["path"], one["rule"], one["message"], one["fingerprint"]))
    return encodable(pretty_json({"version": VERSION, "findings": findings}))


def read_baseline(name: str, raw: bytes) -> frozenset[str]:
    """Return the fingerprints of a baseline.

    Args:
        name: the file, for messages.
        raw: its bytes.

    Raises:
        InputError: it is no baseline, or one of a version that is not known here.
    """
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the baseline {name!r} is not JSON: {error}", _REMAKE) from error
    version = data.get("version") if isinstance(data, dict) else None
    if version != VERSION:
        raise InputError(f"the baseline {name!r} has the version {version!r}, expected {VERSION}", _REMAKE)
    findings = data.get("findings")
    marks = [
        one.get("fingerprint") if isinstance(one, dict) else None
        for one in (findings if isinstance(findings, list) else ())
    ]
    known = frozenset(mark for mark in marks if isinstance(mark, str))
    if not isinstance(findings, list) or not all(isinstance(mark, str) for mark in marks):
        raise InputError(f"the baseline {name!r} holds findings without a fingerprint", _REMAKE)
    return known


def compare(diagnostics: Sequence[Diagnostic], sources: Sources, known: frozenset[str]) -> Comparison:
    """Return what of some findings is new against a baseline's fingerprints."""
    marks = fingerprints(diagnostics, sources)
    new = tuple(
        one for one, mark in zip(diagnostics, marks, strict=True) if mark not in known or one.rule in registry.ALWAYS
    )
    return Comparison(new, len(diagnostics) - len(new), len(known - set(marks)))
