"""The environments of a tree, grouped by the folder in which they stand side by side."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from f0ci.core.errors import F0ciError
from f0ci.core.values import dataclass
from f0ci.lint.rules.base import Finding, Place
from f0ci.source.document import Document
from f0ci.source.project import ENVIRONMENT_ALIASES, Project
from f0ci.source.reading import Path
from f0ci.source.tree import Tree, subfolders

if TYPE_CHECKING:
    from f0ci.environments.checks import Finding as Suspicion
    from f0ci.environments.model import Environment

_SUFFIXES = frozenset({".json", ".yaml", ".yml"})
_ALIASES = frozenset(name for group in ENVIRONMENT_ALIASES for name in group)


@dataclass(frozen=True, slots=True)
class EnvironmentSet:
    """The environments that stand side by side in one folder.

    Attributes:
        root: that folder.
        environments: those that can be loaded, by name.
        bare: names of folders beside them that are meant for an environment and hold no configuration.
        faults: folders of environments that cannot be loaded, each with the reason.
        overlays: environments with an overlay over them, by name.
    """

    root: str
    environments: tuple[Environment, ...] = ()
    bare: tuple[str, ...] = ()
    faults: tuple[tuple[str, F0ciError], ...] = ()
    overlays: tuple[Environment, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all environments that have a configuration, whether it can be loaded or not."""
        faulty = (posixpath.basename(folder) for folder, _ in self.faults if posixpath.dirname(folder) == self.root)
        return tuple(sorted([*(environment.name for environment in self.environments), *faulty]))

    def find(self, name: str) -> Environment | None:
        """Return the environment, with its overlays, that a name means; None where it cannot be loaded."""
        if "/" in name:
            return next((each for each in self.overlays if each.name == name), None)
        exact = (each for each in self.environments if each.name == name)
        return next(exact, None) or next((each for each in self.environments if name in each.names), None)

    def has(self, name: str) -> bool:
        """Tell whether a folder's name or an alias means an environment that has a configuration."""
        if "/" in name:
            faulty = [folder.removeprefix(f"{self.root}/") for folder, _ in self.faults]
            return name in {*(environment.name for environment in self.overlays), *faulty}
        if name in self.names or any(name in environment.names for environment in self.environments):
            return True
        group = next((set(group) for group in ENVIRONMENT_ALIASES if name in group), {name})
        return any(posixpath.basename(folder) in group for folder, _ in self.faults)


def may_configure(path: str, project: Project) -> bool:
    """Tell whether a file is a layer of an environment: its configuration, or the base beside several."""
    root = layer_root(path)
    if root is None:
        return False
    named = named_environments(project)
    if posixpath.basename(path).startswith("config."):
        root = _above_overlays(root, named)
    return root == named if named is not None else posixpath.basename(root) == "environments"


def _above_overlays(root: str, named: str | None) -> str:
    """Return the folder of environments that a configuration lies in, which may be an overlay's."""
    parts = root.split("/")
    ways = ("/".join(parts[:length]) for length in range(len(parts), 0, -1))
    found = (way for way in ways if way == named or (named is None and posixpath.basename(way) == "environments"))
    return next(found, root)


def layer_root(path: str) -> str | None:
    """Return the folder of environments that a path would belong to by its name alone, or None."""
    # every file of a repository is asked about
    folder, _, name = path.rpartition("/")
    if not name.startswith(("config.", "base.")):
        return None
    stem, suffix = posixpath.splitext(name)
    if suffix not in _SUFFIXES or stem not in {"config", "base"}:
        return None
    return posixpath.dirname(folder) if stem == "config" else folder


def named_environments(project: Project) -> str | None:
    """Return the environments folder that the settings name, or None where they leave it open."""
    chosen = project.document is not None and project.document.get(("environments",)) is not None
    return posixpath.normpath(project.environments) if chosen else None


def find_environment_sets(tree: Tree, project: Project, files: Sequence[str]) -> tuple[EnvironmentSet, ...]:
    """Load every environment of a tree, by the folder that holds them.

    Args:
        tree: the files.
        project: their settings; where they name the environments folder, no other counts.
        files: all paths of the tree.
    """
    folders: dict[str, set[str]] = {}
    for path in files:
        if may_configure(path, project) and posixpath.splitext(posixpath.basename(path))[0] == "config":
            folder = posixpath.dirname(path)
            root = posixpath.dirname(folder)
            if root == _above_overlays(root, named_environments(project)):
                folders.setdefault(root, set()).add(folder)
    return tuple(_load_set(tree, project, root, sorted(folders[root]), files) for root in sorted(folders))


def _load_set(tree: Tree, project: Project, root: str, folders: Iterable[str], files: Sequence[str]) -> EnvironmentSet:
    from f0ci.environments.loading import find_overlays, load_environment

    here = replace(project, environments=root)
    loaded: list[Environment] = []
    faults: list[tuple[str, F0ciError]] = []
    for folder in folders:
        try:
            loaded.append(load_environment(tree, here, posixpath.basename(folder), lenient=True))
        except F0ciError as error:
            faults.append((folder, error))
    overlays: list[Environment] = []
    for environment in loaded:
        for name in find_overlays(tree, environment.folder):
            try:
                overlays.append(load_environment(tree, here, f"{environment.name}/{name}", lenient=True))
            except F0ciError as error:
                faults.append((f"{environment.folder}/{name}", error))
    known = {posixpath.basename(folder) for folder in folders}
    bare = tuple(
        name
        for name in subfolders(tree, root)
        if name not in known and (name in _ALIASES or _is_empty(f"{root}/{name}", files))
    )
    return EnvironmentSet(root, tuple(loaded), bare, tuple(faults), tuple(overlays))


def _is_empty(folder: str, files: Sequence[str]) -> bool:
    """Tell whether a folder holds nothing but the marks that keep empty folders in Git."""
    below = [path for path in files if path.startswith(f"{folder}/")]
    return all(posixpath.basename(path).startswith(".") for path in below)


def from_checks(found: Iterable[Suspicion], environments: Iterable[Environment]) -> Iterator[Finding]:
    """Yield what checks of environments found as findings of a rule.

    Args:
        found: what a check found.
        environments: those it looked at, whose layers hold the files.
    """
    documents = {
        layer.document.path: layer.document
        for environment in environments
        for layer in environment.layers
        if layer.document is not None
    }
    for suspicion in found:
        if suspicion.path is not None and suspicion.path in documents:
            others = tuple(
                Place(documents[path], at, message, key=True)
                for path, at, message in suspicion.others
                if path in documents
            )
            yield Finding(documents[suspicion.path], suspicion.at, suspicion.message, suspicion.hint, related=others)


def written_only(found: Iterable[Suspicion], environment: Environment) -> Iterator[Suspicion]:
    """Yield what is about a value that somebody wrote, not about one that is missing."""
    return (suspicion for suspicion in found if environment.origins(suspicion.at))


def file_of(environment: Environment, at: Path) -> Document | None:
    """Return the file of the layer that wrote a value last, or None where none did."""
    documents = {layer.document.path: layer.document for layer in environment.layers if layer.document is not None}
    return next((documents[one.path] for one in reversed(environment.origins(at)) if one.path in documents), None)
