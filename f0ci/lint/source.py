"""A file, and what it is to f0ci."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from f0ci.core.values import dataclass
from f0ci.recipes.model import Recipe
from f0ci.source.document import Document

if TYPE_CHECKING:
    from f0ci.workflows.model import Workflow


class Kind(StrEnum):
    """What a file is to f0ci; also the name of its schema."""

    RECIPE = "recipe"
    ENVIRONMENT = "environment"
    WORKFLOW = "workflow"
    PROJECT = "project"
    APPROVERS = "approvers"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Source:
    """A file and what it is.

    Attributes:
        path: relative to the tree.
        kind: what it is.
        document: its text and data.
        recipe: where it is a recipe that could be read.
        workflow: where it is a workflow that could be read.
    """

    path: str
    kind: Kind
    document: Document
    recipe: Recipe | None = None
    workflow: Workflow | None = None
