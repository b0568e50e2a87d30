"""Which environments of a workflow are production."""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.lint.workspace import Workspace
from f0ci.workflows.model import Workflow, WorkflowEnvironment

_WORDS = frozenset({"prod", "production"})


def production_of(workflow: Workflow, workspace: Workspace) -> Iterator[WorkflowEnvironment]:
    """Yield the environments that are production, by their name or by what their configuration says."""
    members = workspace.environments_of(workflow.document.path)
    known = {e.name for e in members.environments if e.is_production} if members is not None else set()
    for environment in workflow.environments:
        if {environment.name, environment.config} & (_WORDS | known):
            yield environment
