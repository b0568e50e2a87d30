"""What there is to lint: the files of a tree, each known by what it is, and the cross references between them.

Files are read when they are asked for and not kept, so that a repository of any size fits. What several files refer
to (called recipes, environments) is kept.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeVar

from f0ci.core.canonical import sha256_hex
from f0ci.core.errors import InputError, MissingFile
from f0ci.core.patterns import pattern
from f0ci.core.suggestions import closest
from f0ci.core.values import dataclass
from f0ci.lint.environments import EnvironmentSet, find_environment_sets, layer_root, may_configure
from f0ci.lint.kept import called_recipe_from, interface_of, kept, kept_from
from f0ci.lint.recognizing import is_evident
from f0ci.lint.source import Kind, Source
from f0ci.lint.uses import Uses, read_uses
from f0ci.recipes.graph import is_in_order
from f0ci.recipes.model import Recipe
from f0ci.recipes.reading import looks_like_recipe, recipe_from
from f0ci.source.document import Document, parse_document, unread_document
from f0ci.source.project import PROJECT_FILES, Project
from f0ci.source.traced import TracedTree, asked_apart, flat, recall, remember
from f0ci.source.tree import Tree

if TYPE_CHECKING:
    from f0ci.environments.model import Environment
    from f0ci.lint.board import Board
    from f0ci.workflows.model import Workflow

Answer = TypeVar("Answer")
Subject = TypeVar("Subject", Recipe, Document)

_YAML_SUFFIXES = (".yaml", ".yml")
# bytes of files that others refer to and that stay in memory for the next who does
_MOST_RECENT = 1_000_000
_SUFFIXES = (*_YAML_SUFFIXES, ".json")
# a file without these words is no recipe and no workflow, whatever else it says
_WORDS = (b"steps", b"test_meta", b"ProductionWorkflow")
# what a file that cannot be read was meant to be
_MEANT_RECIPE = pattern(rb"^(?:steps|test_meta)\s*:", re.MULTILINE)
_KIND = pattern(rb"^kind\s*:\s*[\"']?(\w*)", re.MULTILINE)


@dataclass(slots=True)
class Workspace:
    """Everything that rules may ask of a tree.

    Attributes:
        tree: the files.
        project: the settings.
        paths: files that may be recipes, workflows, environments or settings, sorted.
        named: files and folders that the caller asked about; empty for all.
        environment_sets: the environments, by the folder that holds them.
        surroundings: a digest of settings and environments, on which what is said of any file may depend.
        board: where other processes tell what they read, and are told; None where this one works alone.
    """

    tree: Tree
    project: Project
    paths: tuple[str, ...]
    named: tuple[str, ...] = ()
    environment_sets: tuple[EnvironmentSet, ...] = ()
    surroundings: str = ""
    board: Board | None = None
    _kept: dict[str, Source | None] = field(default_factory=dict, repr=False)
    _recent: dict[str, Source] = field(default_factory=dict, repr=False)
    _recent_size: int = field(default=0, repr=False)
    _latest: dict[str, tuple[Recipe | Document, Any]] = field(default_factory=dict, repr=False)
    _answers: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False)
    _interfaces: dict[str, str] = field(default_factory=dict, repr=False)
    _around: dict[str, EnvironmentSet | None] = field(default_factory=dict, repr=False)

    @property
    def documents(self) -> dict[str, Document]:
        """Every file that f0ci reads, by path."""
        return {source.path: source.document for source in self.sources() if source.kind is not Kind.OTHER}

    @property
    def recipes(self) -> dict[str, Recipe]:
        """Every recipe that can be read, by path."""
        return {source.path: source.recipe for source in self.sources() if source.recipe is not None}

    @property
    def environments(self) -> tuple[Environment, ...]:
        """Every environment that can be read."""
        return tuple(e for members in self.environment_sets for e in members.environments)

    @property
    def workflow(self) -> Workflow | None:
        """The workflow that the settings name, where it can be read."""
        source = self.source(self.project.workflow)
        return source.workflow if source else None

    def reports(self, path: str) -> bool:
        """Tell whether findings in a file are asked for."""
        return not self.named or any(path == name or path.startswith(f"{name}/") for name in self.named)

    def sources(self) -> Iterator[Source]:
        """Yield every file whose findings are asked for, by path."""
        for path in self.asked:
            source = self.read(path)
            if source is not None:
                yield source

    @property
    def asked(self) -> tuple[str, ...]:
        """Paths of the files whose findings are asked for, sorted."""
        return tuple(path for path in self.paths if self.reports(path)) if self.named else self.paths

    def read(self, path: str) -> Source | None:
        """Return a file without keeping it, or None where it is nothing f0ci knows."""
        return self._again(path) if path in self._recent else self._read(path)

    def source(self, path: str) -> Source | None:
        """Return a file that others refer to, or None where it is not there or nothing f0ci knows."""
        return remember(self.tree, self._answers, ("source", path), lambda: self._keep(path))

    def interface(self, path: str) -> str:
        """Return a digest of what callers of a recipe may ask without reading it; empty where there is nothing such."""
        self.source(path)
        return self._interfaces.get(path, "")

    def _keep(self, path: str) -> Source | None:
        self._kept[path] = self._called(path) if self.tree.exists(path) else None
        return self._kept[path]

    def _called(self, path: str) -> Source | None:
        told = self.board.ask(path) if self.board is not None else None
        if told is not None:
            self._conclude(path, told.interface)
            if isinstance(self.tree, TracedTree):
                self.tree.learn(f"r{path}", told.content, told.stamp)
            return kept_from(told.interface, lambda: self._reread(path))
        source, asked = asked_apart(self.tree, lambda: self._again(path))
        interface = interface_of(source)
        if interface is None:
            if isinstance(self.tree, TracedTree):
                self.tree.note_again(asked)
        else:
            self._conclude(path, interface)
            self._tell(path, interface)
        return kept(source, lambda: self._reread(path))

    def _conclude(self, path: str, interface: bytes) -> None:
        self._interfaces[path] = sha256_hex(interface)
        if isinstance(self.tree, TracedTree):
            self.tree.conclude(path, self._interfaces[path])

    def _tell(self, path: str, interface: bytes) -> None:
        if self.board is None:
            return
        answers, stamps = (self.tree.answers, self.tree.stamps) if isinstance(self.tree, TracedTree) else ({}, {})
        question = f"r{path}"
        self.board.tell(path, answers.get(question, ""), stamps.get(question, ""), interface)

    def _reread(self, path: str) -> Source:
        source = self._again(path)
        if source is None:
            raise InputError(f"{path!r} changed while it was read", "run it again")
        return source

    def _again(self, path: str) -> Source | None:
        """Return a file that may have been read a moment ago."""
        if path in self._recent:
            recall(self.tree, path)
            return self._recent[path]
        source = self._read(path, called_recipe_from)
        if source is not None:
            self._recent[path] = source
            self._recent_size += len(source.document.raw)
            while self._recent_size > _MOST_RECENT and len(self._recent) > 1:
                self._recent_size -= len(self._recent.pop(next(iter(self._recent))).document.raw)
        return source

    def recipe(self, path: str) -> Recipe | None:
        """Return a recipe that others refer to, or None where there is none or it cannot be read."""
        source = self.source(path)
        return source.recipe if source else None

    def uses(self, recipe: Recipe) -> Uses:
        """Return what a recipe's expressions read."""
        return self.once("uses", recipe, read_uses)

    def is_in_order(self, recipe: Recipe) -> bool:
        """Tell whether the steps of a recipe stand in an order in which they can run, as those of most recipes do."""
        return self.once("order", recipe, is_in_order)

    def once(self, what: str, subject: Subject, work: Callable[[Subject], Answer]) -> Answer:
        """Return what some work on a recipe or a document yields, done once while the rules look at it.

        What is asked of a recipe that others refer to is kept with it.
        """
        latest = self._latest.get(what)
        if latest is None or latest[0] is not subject:
            kept = self._kept.get(subject.path)
            if kept is not None and kept.recipe is subject:
                return remember(self.tree, self._answers, (what, "of", subject.path), lambda: work(subject))
            latest = self._latest[what] = (subject, work(subject))
        answer: Answer = latest[1]
        return answer

    def shared(self, what: str, work: Callable[[Tree], Answer]) -> Answer:
        """Return what some work on the whole tree yields, done once a run."""
        return remember(self.tree, self._answers, (what,), lambda: work(self.tree))

    def environments_of(self, path: str) -> EnvironmentSet | None:
        """Return the environments that a recipe runs in: the nearest above it, the settings', or the only ones."""
        folder = path[: path.rfind("/") + 1]
        if folder not in self._around:
            self._around[folder] = self._find_around(folder)
        return self._around[folder]

    def _find_around(self, folder: str) -> EnvironmentSet | None:
        sets = [members for members in self.environment_sets if members.environments]
        around = [members for members in sets if folder.startswith(_folder(members.root))]
        if around:
            return max(around, key=lambda members: len(members.root))
        chosen = [members for members in sets if members.root == self.project.environments]
        return next(iter(chosen or (sets if len(sets) == 1 else [])), None)

    def _read(self, path: str, make: Callable[[Document], Recipe] = recipe_from) -> Source | None:
        is_named = path in self.named
        if not path.endswith(_SUFFIXES):
            return Source(path, Kind.OTHER, Document(path, b"", None, broken=False)) if is_named else None
        kind = self._known_kind(path)
        try:
            raw = self.tree.read(path)
        except MissingFile:
            # it was there a moment ago
            return None
        except InputError as error:
            return Source(path, kind or Kind.RECIPE, unread_document(path, error))
        if kind is None and not (is_named or self._in_library(path) or any(word in raw for word in _WORDS)):
            return None
        document = parse_document(path, raw)
        if not document.broken:
            return self._classify(path, document, kind, make, is_named=is_named)
        # of a file that is too large the document keeps nothing
        meant = self._in_library(path) or _says_what_it_is(raw)
        if not (kind or meant or is_named):
            return None
        # several documents in one file are right for others, such as Kubernetes
        several = kind is None and not meant and document.problems[0].rule == "several-documents"
        return Source(path, Kind.OTHER if several else kind or Kind.RECIPE, document)

    def _known_kind(self, path: str) -> Kind | None:
        if path in PROJECT_FILES:
            return Kind.PROJECT
        if path == self.project.approvers:
            return Kind.APPROVERS
        if path == self.project.workflow:
            return Kind.WORKFLOW
        return Kind.ENVIRONMENT if may_configure(path, self.project) else None

    def _classify(
        self, path: str, document: Document, kind: Kind | None, make: Callable[[Document], Recipe], *, is_named: bool
    ) -> Source | None:
        if kind is None and self._is_recipe(path, document.data, is_named=is_named):
            return Source(path, Kind.RECIPE, document, recipe=make(document))
        if kind is Kind.WORKFLOW or (kind is None and _says_workflow(document.data)):
            from f0ci.workflows.reading import workflow_from

            return Source(path, Kind.WORKFLOW, document, workflow=workflow_from(document))
        if kind is None:
            return Source(path, Kind.OTHER, document) if is_named else None
        return Source(path, kind, document)

    def _is_recipe(self, path: str, data: Any, *, is_named: bool) -> bool:
        if looks_like_recipe(data):
            return is_named or self._in_library(path) or is_evident(data)
        return self._is_meant(path, data)

    def _is_meant(self, path: str, data: Any) -> bool:
        """Tell whether a file among the recipes is one whose `steps` are missing or misspelt."""
        if not self._in_library(path) or not isinstance(data, Mapping) or {"kind", "apiVersion"} & data.keys():
            return False
        return "metadata" in data or "parameters" in data or closest("steps", map(str, data)) is not None

    def _in_library(self, path: str) -> bool:
        return any(path.startswith(f"{folder.rstrip('/')}/") for folder in self.project.recipes)


def load_workspace(tree: Tree, project: Project, paths: Iterable[str] | None = None) -> Workspace:
    """Find out what a tree holds.

    Args:
        tree: the files.
        project: their settings. Where they name the folders of recipes, recipes are looked for only there and
            in folders of `paths`; else everywhere.
        paths: files and folders whose findings are asked for, relative to the tree; None for all. What they refer
            to is read wherever it is.
    """
    named = tuple(sorted({path.strip("/") for path in paths or ()}))
    if "" in named:
        named = ()
    files = list(tree.files())
    found = {path for path in files if _is_candidate(path, project)}
    found.update(path for path in named if tree.exists(path))
    # whoever names a folder wants it searched, wherever the settings look otherwise
    below = tuple(f"{name}/" for name in named)
    found.update(path for path in files if below and path.startswith(below) and path.endswith(_YAML_SUFFIXES))
    sets, surroundings = _surroundings(tree, project, files)
    return Workspace(tree, project, tuple(sorted(found)), named, sets, surroundings)


def _surroundings(tree: Tree, project: Project, files: Sequence[str]) -> tuple[tuple[EnvironmentSet, ...], str]:
    """Return the environments, with a digest of settings and environments where the tree is traced."""
    if not isinstance(tree, TracedTree):
        return find_environment_sets(tree, project, files), ""
    sets, asked = tree.asked_by(lambda: find_environment_sets(tree, project, files))
    settings = project.document
    roots = tuple(f"{members.root}/" for members in sets)
    told = [
        *((settings.path, sha256_hex(settings.raw)) if settings else ()),
        *(path for path in files if layer_root(path) is not None or (roots and path.startswith(roots))),
        *(part for question in sorted(set(flat(asked))) for part in (question, tree.answers[question])),
    ]
    return sets, sha256_hex("\0".join(told).encode("utf-8", "surrogateescape"))


def _is_candidate(path: str, project: Project) -> bool:
    if not path.endswith(_SUFFIXES):
        return False
    if path in {*PROJECT_FILES, project.workflow, project.approvers} or may_configure(path, project):
        return True
    if not path.endswith(_YAML_SUFFIXES):
        return False
    chosen = project.document is not None and project.document.get(("recipes",)) is not None
    return not chosen or any(path.startswith(f"{folder.strip('/')}/") for folder in project.recipes)


def _says_workflow(data: Any) -> bool:
    """Tell whether a document is meant to be a workflow; for most, the reading of workflows is not even imported."""
    if not isinstance(data, Mapping) or "kind" not in data:
        return False
    from f0ci.workflows.reading import looks_like_workflow

    return looks_like_workflow(data)


def _says_what_it_is(raw: bytes) -> bool:
    """Tell whether a text that cannot be read is meant for f0ci all the same."""
    kind = _KIND.search(raw)
    return _MEANT_RECIPE.search(raw) is not None if kind is None else kind[1] == b"ProductionWorkflow"


def _folder(root: str) -> str:
    """Return the folder that holds a folder of environments, with its slash; the tree's root is empty."""
    parent = posixpath.dirname(root)
    return f"{parent}/" if parent else ""
