"""Findings for tests of reports: some of real files, and some of anything at all."""

from __future__ import annotations

from hypothesis import strategies as st

from f0ci.core.diagnostics import Diagnostic, Edit, Fix, Location, Related, Severity, Span
from f0ci.lint.engine import Report
from f0ci.lint.reporters.base import load, summarize
from tests.unit.lint.running import examine_files

FILES = {
    "recipes/a.yaml": (
        "metadata: {name: a}\n"
        "steps:\n"
        "  - {name: a, type: pyhton, module: x, function: y}\n"
        "  - {name: a, run: x, depends_on: [z, z], colour: red}\n"
    ),
    "recipes/b c.yaml": "steps: [",
    "recipes/fine.yaml": "metadata: {name: fine}\nsteps: [{name: a, run: x}]\n",
}


def source(path: str) -> bytes | None:
    """Return the bytes of one of the files."""
    return FILES[path].encode() if path in FILES else None


def examined() -> Report:
    """Return what is wrong with the files: several rules and severities, and one file in order."""
    return examine_files(FILES)


def written(name: str, *diagnostics: Diagnostic) -> str:
    """Return a report of some diagnostics, whose files do not exist."""
    return load(name)(diagnostics, lambda _: None, summarize(diagnostics, 1))


def saying(message: str, hint: str | None = None) -> Diagnostic:
    """Return a diagnostic that says something."""
    return Diagnostic("syntax", Severity.ERROR, message, Location("a.yaml", Span(1, 2, 3, 4)), hint)


locations = st.builds(Location, st.text(min_size=1), st.builds(Span, *[st.integers(1, 9)] * 4))
diagnostics = st.builds(
    Diagnostic,
    st.sampled_from(["syntax", "unknown-key", "not-a-rule-of-ours"]),
    st.sampled_from(Severity),
    st.text(),
    locations,
    st.none() | st.text(),
    st.lists(st.builds(Related, locations, st.text()), max_size=2, unique=True).map(tuple),
    st.none()
    | st.builds(Fix, st.text(), st.tuples(st.builds(Edit, st.builds(Span, *[st.integers(1, 9)] * 4), st.text()))),
)
