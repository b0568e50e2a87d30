"""What is found before any rule runs: by reading a text, by its schema, by the workflow's reader.

Each problem carries the name of a rule, whose page explains it.
"""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.diagnostics import Severity
from f0ci.expressions.templating import SUFFIX
from f0ci.lint.fixing import renamed_key, without_line
from f0ci.lint.rules.base import Finding, Place
from f0ci.lint.source import Kind, Source
from f0ci.source.schema import check_schema

_DECIDING = frozenset({Kind.WORKFLOW, Kind.PROJECT, Kind.APPROVERS})


def problems_of(source: Source) -> Iterator[tuple[str, Finding]]:
    """Yield what is wrong with a file in itself, with the name of the rule."""
    document = source.document
    if source.kind is Kind.OTHER and source.path.endswith(SUFFIX):
        # rules read templates their own way
        return
    if source.kind is Kind.OTHER:
        message = f"{source.path!r} is nothing that f0ci knows"
        hint = "a recipe has 'steps', a workflow 'kind: ProductionWorkflow'"
        yield "not-a-recipe", Finding(document, (), message, hint)
        return
    for problem in document.problems:
        first = (Place(document, problem.first, problem.says),) if problem.first else ()
        # the same line twice says the same as once
        is_twin = problem.rule == "duplicate-key" and problem.first is not None
        fix = without_line(document, problem.span, problem.first) if is_twin and problem.first else None
        yield problem.rule, Finding(document, problem.span, problem.message, problem.hint, related=first, fix=fix)
    if document.broken:
        return
    misfits = check_schema(source.kind, document.data)
    for misfit in misfits:
        # what is missing from a mapping is missing at the mapping's name
        named = misfit.rule == "missing-key" and bool(misfit.path) and isinstance(misfit.path[-1], str)
        # what decides promotions is never read by half, so a key that nobody knows stops them
        severity = Severity.ERROR if misfit.rule == "unknown-key" and source.kind in _DECIDING else None
        key = misfit.key or named
        fix = renamed_key(document, misfit.path, misfit.meant) if misfit.meant else None
        yield (
            misfit.rule,
            Finding(document, misfit.path, misfit.message, misfit.hint, key=key, severity=severity, fix=fix),
        )
    if source.workflow is not None:
        known = {misfit.path for misfit in misfits}
        # steps that do not fit their schema lead nowhere, which need not be said too
        inside = {misfit.path[:length] for misfit in misfits for length in range(len(misfit.path))}
        for fault in source.workflow.problems:
            if fault.at in known or (fault.rule == "bad-steps" and fault.at in inside):
                continue
            within = None if fault.offset is None else (fault.offset, 1)
            yield fault.rule, Finding(document, fault.at, fault.message, fault.hint, within=within)
