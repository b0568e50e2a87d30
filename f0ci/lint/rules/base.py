"""What a rule is, and what it reports.

A rule is one file of this folder. Its module docstring is its page; `RULE` says its name, group and severity; its
`check_*` functions yield findings:

    check_document(document, workspace)     every file that f0ci reads
    check_recipe(recipe, workspace)         every recipe
    check_environment(environment, workspace)
    check_environments(environments, workspace)     the environments of one folder, together
    check_workflow(workflow, workspace)
    check_workspace(workspace)              once a run

What reading, a schema or the workflow's reader finds carries a rule's name already; such a rule is a page and a
`RULE`, without a function. A finding names its place by keys and indexes; the engine turns them into a span.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from f0ci.core.diagnostics import Fix, Severity, Span
from f0ci.core.values import dataclass
from f0ci.recipes.model import Step
from f0ci.source.document import Document
from f0ci.source.reading import Path


class Group(StrEnum):
    """What a rule looks at; settings may name a group where they name a rule."""

    READING = "reading"
    SCHEMA = "schema"
    GRAPH = "graph"
    COMPOSITION = "composition"
    EXPRESSIONS = "expressions"
    ENVIRONMENTS = "environments"
    WORKFLOW = "workflow"
    SECURITY = "security"
    PROJECT = "project"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's card.

    Attributes:
        name: as people write it, with hyphens; the file's name with underscores.
        group: what it looks at.
        severity: how much its findings matter where neither a finding nor the settings say otherwise.
    """

    name: str
    group: Group
    severity: Severity


@dataclass(frozen=True, slots=True)
class Place:
    """Another place that a finding speaks of.

    Attributes:
        document: the file.
        at: keys and indexes from the document's root; a span only where reading found it.
        message: what is there: "declared here".
        key: the mapping's key rather than its value.
    """

    document: Document
    at: Path | Span
    message: str
    key: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule has to say about one place.

    Attributes:
        source: the file, or the path of what is not a document (a folder).
        at: keys and indexes from the document's root; a span only where a text could not be read.
        message: what is wrong: lower case, no full stop, the value quoted.
        hint: the next action, or None.
        key: the mapping's key rather than its value.
        related: other places that the message speaks of.
        within: offset and length inside the text at the place, for an expression of several.
        severity: where it differs from the rule's.
        fix: edits of the same file that mend it, where there is one that is certainly meant.
    """

    source: Document | str
    at: Path | Span
    message: str
    hint: str | None = None
    key: bool = False
    related: tuple[Place, ...] = ()
    within: tuple[int, int] | None = None
    severity: Severity | None = None
    fix: Fix | None = None


def named_at(step: Step, key: str, index: int) -> Path:
    """Return the path of one name under a key of a step that holds a name or a list of names."""
    return (*step.at, key, index) if isinstance(step.raw.get(key), list) else (*step.at, key)


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: `'a'`, `'a' and 'b'`, `'a', 'b' and 'c'`."""
    quoted = [repr(name) for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)
