"""What the pages of `docs/` say, for tests that hold them to it."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from f0ci.source.tree import MemoryTree
from f0ci.workflows.model import Workflow
from f0ci.workflows.reading import read_workflow

_FOLDER = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_AROUND = "apiVersion: framework0.io/v1\nkind: ProductionWorkflow\nspec:\n  environments: {prod: {}}\n"


def page(name: str) -> str:
    """Return a page of `docs/`."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """Return the code blocks of a page that are written in a language, in order."""
    return [text for found, text in _BLOCK.findall(page(name)) if found == language]


def workflow_text(block: str) -> str:
    """Return a block as a whole workflow: as it stands, or as part of `spec`."""
    return block if block.startswith("apiVersion:") else _AROUND + textwrap.indent(block, "  ")


def workflow(block: str) -> Workflow:
    """Read a block as f0ci reads a workflow."""
    return read_workflow(MemoryTree({"workflow.yaml": workflow_text(block).encode()}), "workflow.yaml")
