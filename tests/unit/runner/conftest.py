"""A repository of odd scriptlets, and a short way to run a recipe in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from f0ci.core.redaction import Redactor
from f0ci.environments.loading import load_environment
from f0ci.recipes.records import RunRecord, StepRecord, from_json, to_json
from f0ci.runner.context import Context
from f0ci.runner.events import Event
from f0ci.runner.executing import run_recipe
from f0ci.runner.options import RunOptions
from f0ci.source.project import Project
from f0ci.source.tree import DirectoryTree

ECHO = "type: python, module: scriptlets.answers, function: echo"
LEGACY = "type: python, module: scriptlets.answers, function: Legacy"
FAILING = "type: python, module: scriptlets.answers, function: LegacyFailing"

PROJECTS = Path(__file__).parents[2] / "projects" / "runner"


@dataclass
class Workspace:
    """A repository on disk."""

    root: Path
    events: list[Event] = field(default_factory=list)
    context: Context = field(default_factory=Context)
    pauses: list[float] = field(default_factory=list)

    def write(self, path: str, text: str) -> None:
        """Write a file of the repository."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(
        self,
        steps: str,
        *,
        heading: str = "metadata: {name: test}",
        environment: str | None = "dev",
        parameters: Mapping[str, Any] | None = None,
        options: RunOptions | None = None,
        redactor: Redactor | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> RunRecord:
        """Run a recipe that consists of these steps."""
        self.write("recipes/test.yaml", f"{heading}\nsteps:\n{steps}")
        return self.run_file(
            "recipes/test.yaml",
            environment=environment,
            parameters=parameters,
            options=options,
            redactor=redactor,
            sleep=sleep,
        )

    def run_file(
        self,
        path: str,
        *,
        environment: str | None = "dev",
        parameters: Mapping[str, Any] | None = None,
        options: RunOptions | None = None,
        redactor: Redactor | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> RunRecord:
        """Run a recipe of the repository; every record must fit its schema."""
        project = Project()
        record = run_recipe(
            path,
            tree_root=self.root,
            project=project,
            environment=load_environment(DirectoryTree(self.root), project, environment) if environment else None,
            parameters=parameters or {},
            context=self.context,
            options=options,
            on_event=self.events.append,
            redactor=redactor,
            sleep=sleep or self.pauses.append,
        )
        assert to_json(from_json(to_json(record))) == to_json(record)
        return record


def outcomes(record: RunRecord) -> dict[str, str]:
    """Return how each step ended."""
    return {step.name: str(step.outcome) for step in record.steps}


def of(record: RunRecord, name: str) -> StepRecord:
    """Return the record of a step that must be there."""
    step = record.step(name)
    assert step is not None
    return step


@pytest.fixture
def zoo(tmp_path: Path) -> Workspace:
    """Return a fresh copy of the repository of odd scriptlets."""
    root = tmp_path / "zoo"
    shutil.copytree(PROJECTS / "zoo", root)
    return Workspace(root)
