"""What came out of examining one file, and its way from process to process as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, field
from typing import Any

from f0ci.core.diagnostics import Diagnostic, Span
from f0ci.core.values import dataclass
from f0ci.lint.ignoring import Ignore
from f0ci.lint.report import diagnostic_from_json, diagnostic_to_json
from f0ci.source.traced import Asked

INTERNAL_ERROR = "internal-error"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of one file.

    Attributes:
        is_known: True where it is a file that f0ci reads.
        diagnostics: in the order in which rules found them, before comments silence any.
        ignores: what its comments silence.
        crashed: rules that failed on it, with what to say of each.
        asked: what was asked of the tree for it, where that is traced.
    """

    is_known: bool
    diagnostics: tuple[Diagnostic, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    crashed: Mapping[str, Diagnostic] = field(default_factory=dict)
    asked: tuple[Asked, ...] = ()

    @property
    def has_failed(self) -> bool:
        """True where f0ci itself did not do its work: another run may fare better."""
        return bool(self.crashed) or any(one.rule == INTERNAL_ERROR for one in self.diagnostics)


def to_json(outcome: Outcome) -> list[Any] | bool:
    """Return an outcome as JSON data: of most files there is nothing to say but whether f0ci reads them."""
    if not (outcome.diagnostics or outcome.ignores or outcome.crashed):
        return outcome.is_known
    return [
        outcome.is_known,
        [diagnostic_to_json(one) for one in outcome.diagnostics],
        [[one.rule, astuple(one.span), one.line, astuple(one.removal)] for one in outcome.ignores],
        {name: diagnostic_to_json(one) for name, one in outcome.crashed.items()},
    ]


def from_json(data: Sequence[Any] | bool, asked: tuple[Asked, ...] = ()) -> Outcome:
    """Return the outcome that JSON data of `to_json` stands for; what was asked for it is kept elsewhere."""
    if isinstance(data, bool):
        return Outcome(data, asked=asked)
    is_known, diagnostics, ignores, crashed = data
    return Outcome(
        is_known,
        tuple(map(diagnostic_from_json, diagnostics)),
        tuple(Ignore(rule, Span(*span), line, Span(*removal)) for rule, span, line, removal in ignores),
        {name: diagnostic_from_json(one) for name, one in crashed.items()},
        asked,
    )
