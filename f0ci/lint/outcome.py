"""What came out of examining one file, and its way from process to process as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

from f0ci.core.diagnostics import Diagnostic, Edit, Fix, Location, Related, Severity, Span
from f0ci.lint.ignoring import Ignore


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of one file.

    Attributes:
        is_known: True where it is a file that f0ci reads.
        diagnostics: in the order in which rules found them, before comments silence any.
        ignores: what its comments silence.
        crashed: rules that failed on it, with what to say of each.
    """

    is_known: bool
    diagnostics: tuple[Diagnostic, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    crashed: Mapping[str, Diagnostic] = field(default_factory=dict)


def to_json(outcome: Outcome) -> list[Any]:
    """Return an outcome as JSON data."""
    return [
        outcome.is_known,
        [_from_diagnostic(one) for one in outcome.diagnostics],
        [[one.rule, astuple(one.span), one.line] for one in outcome.ignores],
        {name: _from_diagnostic(one) for name, one in outcome.crashed.items()},
    ]


def from_json(data: list[Any]) -> Outcome:
    """Return the outcome that JSON data of `to_json` stands for."""
    is_known, diagnostics, ignores, crashed = data
    return Outcome(
        is_known,
        tuple(map(_to_diagnostic, diagnostics)),
        tuple(Ignore(rule, Span(*span), line) for rule, span, line in ignores),
        {name: _to_diagnostic(one) for name, one in crashed.items()},
    )


def _from_diagnostic(one: Diagnostic) -> list[Any]:
    related = [[place.location.path, astuple(place.location.span), place.message] for place in one.related]
    fix = one.fix and [one.fix.message, [[astuple(edit.span), edit.text] for edit in one.fix.edits]]
    return [one.rule, one.severity, one.message, one.location.path, astuple(one.location.span), one.hint, related, fix]


def _to_diagnostic(data: list[Any]) -> Diagnostic:
    rule, severity, message, path, span, hint, related, fix = data
    return Diagnostic(
        rule,
        Severity(severity),
        message,
        Location(path, Span(*span)),
        hint,
        tuple(Related(Location(path, Span(*span)), message) for path, span, message in related),
        fix and Fix(fix[0], tuple(Edit(Span(*span), text) for span, text in fix[1])),
    )
