"""Where a repository keeps what: `f0ci.yaml`, or the defaults that fit most repositories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from math import inf
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from f0ci.core.errors import InputError
from f0ci.core.suggestions import MOST_COMPARED, allowance
from f0ci.core.values import dataclass
from f0ci.source.tree import Tree, resolve_path

if TYPE_CHECKING:
    from f0ci.source.document import Document
    from f0ci.source.reading import Path

PROJECT_FILES = ("f0ci.yaml", "f0ci.yml")
CONFIG_NAMES = ("config.json", "config.yaml", "config.yml")
# the words in which people call one environment
ENVIRONMENT_ALIASES = (
    ("dev", "development"),
    ("staging", "stage", "stg"),
    ("prod", "production"),
    ("test", "testing", "qa"),
)
_MARKS = (*PROJECT_FILES, ".git", "workflow.yaml")


@dataclass(frozen=True, slots=True)
class Project:
    """The settings of a repository; every path is relative to its root.

    Attributes:
        recipes: folders that hold recipes.
        environments: the folder that holds one folder an environment.
        workflow: the ProductionWorkflow document.
        templates: the folder of templates rendered per environment.
        approvers: the file of people, keys and groups.
        config_schema: the repository's own JSON Schema for configurations.
        code: files and folders of code that belong to a release, beside the recipes.
        rules: settings of rules: `select`, `ignore`, `severity`.
        branch_prefix: set where a repository holds several workflows.
        secrets: providers that are asked for secrets, in order, each with its settings; empty for the default.
        remote: the Git remote that holds environments and ledgers.
        engine: where runs are recorded, when not in a file: `url`, `queue` for new runs, `queues` with their limits.
        document: `f0ci.yaml` itself, where there is one.
    """

    recipes: tuple[str, ...] = ("recipes",)
    environments: str = "environments"
    workflow: str = "workflow.yaml"
    templates: str = "templates"
    approvers: str = ".f0ci/approvers.yaml"
    config_schema: str = "schemas/config.schema.json"
    code: tuple[str, ...] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[Mapping[str, Any], ...] = ()
    branch_prefix: str = ""
    remote: str = "origin"
    engine: Mapping[str, Any] = field(default_factory=dict)
    document: Document | None = None


def find_root(start: FilePath) -> FilePath:
    """Return the nearest folder from a path up that holds `f0ci.yaml`, `workflow.yaml` or `.git`, else the path."""
    folder = start.resolve()
    if folder.is_file():
        folder = folder.parent
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in _MARKS):
            return candidate
    return folder


def load_project(tree: Tree) -> Project:
    """Read a tree's settings, or the defaults where it has none.

    Raises:
        InputError: `f0ci.yaml` cannot be read, does not fit its schema, or names a path outside the repository.
    """
    # whoever only looks for the root reads no document
    from f0ci.source.document import read_document

    for name in PROJECT_FILES:
        if tree.exists(name):
            return _from_document(read_document(tree, name))
    return Project()


def _from_document(document: Document) -> Project:
    from f0ci.source.schema import check_schema

    data = document.require()
    allowance[0] = MOST_COMPARED
    problems = check_schema("project", data)
    allowance[0] = inf
    for problem in problems:
        place = document.location(problem.path, key=problem.key)
        raise InputError(problem.message, problem.hint, place=str(place))
    singles = {
        key: _inside(document, data[key], (key,))
        for key in ("environments", "workflow", "templates", "approvers", "config_schema")
        if key in data
    }
    return Project(
        document=document,
        # a folder that leaves the repository is a finding of `validate`, and holds nothing until it is mended
        recipes=tuple(resolve_path(path) or path for path in data.get("recipes", ("recipes",))),
        code=tuple(resolve_path(path) or path for path in data.get("code", ())),
        rules=data.get("rules", {}),
        secrets=tuple(data.get("secrets", ())),
        engine={"url": data["engine"]} if isinstance(data.get("engine"), str) else data.get("engine", {}),
        **singles,
        **{key: data[key] for key in ("branch_prefix", "remote") if key in data},
    )


def _inside(document: Document, path: str, at: Path) -> str:
    """Return a path in its shortest form.

    Raises:
        InputError: it leaves the repository.
    """
    inside = resolve_path(path)
    if inside is None:
        place = str(document.location(at))
        raise InputError(
            f"the path {path!r} leaves the repository", "write a path below the repository's root", place=place
        )
    return inside


def is_environment_config(path: str) -> bool:
    """Tell whether a path is an environment's configuration: `**/environments/<name>/config.(json|yaml|yml)`."""
    parts = PurePosixPath(path).parts
    return len(parts) >= 3 and parts[-1] in CONFIG_NAMES and parts[-3] == "environments"
