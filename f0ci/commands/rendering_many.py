"""Rendering environments into folders: several at once, and only what can have changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from f0ci.commands.rendering import described_by, find_environment
from f0ci.core.canonical import digest, sha256_hex
from f0ci.core.errors import UsageError
from f0ci.environments.loading import find_environments
from f0ci.environments.model import Environment
from f0ci.environments.secrets import refuse_unknown_providers
from f0ci.render.incremental import (
    LazyRecipes,
    Memory,
    Placed,
    cache_file,
    changes_between,
    is_own,
    layers_now,
    layout_digest,
    names_changed,
    noted,
    old_config,
    recall,
    remember,
    sources_digest,
)
from f0ci.render.layout import CONFIG_FILE, RELEASE_FILE, RenderedFile, recipe_output
from f0ci.render.rendering import ReleaseInfo, RenderedTree, Rendering, Source, check, open_source, render_source
from f0ci.render.staging import exclusively
from f0ci.render.writing import Written, read_manifest, write
from f0ci.source.project import Project, load_project
from f0ci.source.tree import DirectoryTree
from f0ci.workflows.model import WorkflowEnvironment


@dataclass(frozen=True, slots=True)
class Placing:
    """What rendering into one folder changed.

    Attributes:
        files: how many files the tree has.
        written: what writing did.
    """

    files: int
    written: Written


def environment_names(root: Path) -> tuple[str, ...]:
    """Return every environment of a work tree that has a configuration: the workflow's, or else all, by name.

    Raises:
        InputError: the workflow or the settings cannot be read.
    """
    from f0ci.workflows.reading import read_workflow

    tree = DirectoryTree(root)
    project = load_project(tree)
    if tree.exists(project.workflow):
        return tuple(environment.name for environment in read_workflow(tree, project.workflow).environments)
    return tuple(folder.rpartition("/")[2] for folder in find_environments(tree, project))


def render_into(
    root: Path,
    targets: Mapping[str, Path],
    output: Path,
    sets: Sequence[str] = (),
    *,
    overwrite: bool = False,
    fresh: bool = False,
) -> dict[str, Placing]:
    """Render environments of a work tree into folders.

    Args:
        root: the work tree.
        targets: folder by any name of an environment.
        output: the folder that they all are, or lie in.
        sets: `a.b=value`, stronger than every file.
        overwrite: also replace files that f0ci did not write.
        fresh: render everything, whatever is remembered.

    Raises:
        UsageError: there is no such environment.
        InputError: something cannot be rendered.
        CannotWork: something cannot be written.
    """
    with exclusively(output):
        return _render_into(root, targets, output, sets, overwrite=overwrite, fresh=fresh)


def _render_into(
    root: Path, targets: Mapping[str, Path], output: Path, sets: Sequence[str], *, overwrite: bool, fresh: bool
) -> dict[str, Placing]:
    place = _Place(root, list(sets))
    for folder in targets.values():
        place.refuse_sources(folder)
    remembered = cache_file(output)
    memory = None if fresh else recall(remembered)
    if memory is not None and memory.sources != place.sources:
        memory = None
    placings: dict[str, Placing] = {}
    placed: dict[str, Placed] = dict(memory.placed) if memory else {}
    for name, folder in targets.items():
        known = placed.pop(str(folder), None)
        done = place.update(name, folder, memory, known, overwrite=overwrite) if memory and known else None
        placings[name], placed[str(folder)] = done or place.render(name, folder, overwrite=overwrite)
    new = place.memory(memory)
    if new is not None:
        new.placed = placed
        remember(remembered, new)
    return placings


def check_in(root: Path, targets: Mapping[str, Path], sets: Sequence[str] = ()) -> dict[str, list[str]]:
    """Return the files in which folders differ from what environments of a work tree render to; remembers nothing.

    Raises:
        UsageError: there is no such environment.
        InputError: something cannot be rendered.
    """
    place = _Place(root, list(sets))
    return {name: check(place.rendered(name), folder) for name, folder in targets.items()}


def _unread(known: Placed) -> Environment:
    """Return an environment whose configuration nobody needs to read."""
    return Environment(known.environment, known.files[RELEASE_FILE][0], {})


class _Place:
    """A work tree that environments are rendered from."""

    def __init__(self, root: Path, sets: list[str]) -> None:
        from f0ci.promotion.releases import release_paths

        self._root = root
        self.tree = DirectoryTree(root, settled=True)
        self.project: Project = load_project(self.tree)
        refuse_unknown_providers(self.project)
        self.sets = sets
        self.shas = {path: sha256_hex(self.tree.read(path)) for path in release_paths(self.tree, self.project)}
        self.release = ReleaseInfo(digest({"version": 1, "files": self.shas}))
        self.sources = sources_digest(self.shas, self.project.environments)
        self.layout = layout_digest(self.shas, self.project.environments)
        self._source: Source | None = None

    def refuse_sources(self, folder: Path) -> None:
        """Refuse to write into a folder that is rendered from.

        Raises:
            UsageError: it is one, or lies in one.
        """
        root, target = os.path.realpath(self._root), os.path.realpath(folder)
        names = (*self.project.recipes, self.project.templates, self.project.environments)
        sources = {os.path.realpath(f"{root}/{name}"): name for name in names}
        if target == root:
            raise UsageError("the repository itself is no place to render into", "f0ci render prod --output build/prod")
        for source, name in sources.items():
            if source != root and (target == source or target.startswith(f"{source}{os.sep}")):
                lies = "is" if target == source else f"lies in {name!r}, which is"
                message = f"{str(folder)!r} {lies} rendered from"
                raise UsageError(message, "f0ci render prod --output build/prod")

    def source(self) -> Source:
        if self._source is None:
            self._source = open_source(self.tree, self.project)
        return self._source

    def find(self, name: str) -> tuple[WorkflowEnvironment | None, Environment]:
        return find_environment(self.tree, self.project, name, self.sets)

    def rendered(self, name: str) -> RenderedTree:
        described, environment = self.find(name)
        return render_source(self.source(), environment, described, self.release)

    def render(self, name: str, folder: Path, *, overwrite: bool) -> tuple[Placing, Placed]:
        """Render all of an environment."""
        described, environment = self.find(name)
        rendered = render_source(self.source(), environment, described, self.release)
        written = write(rendered, folder, overwrite=overwrite)
        placed = self._placed(environment, noted(folder, rendered.sources))
        return Placing(len(rendered.files), written), placed

    def update(
        self, name: str, folder: Path, memory: Memory, known: Placed, *, overwrite: bool
    ) -> tuple[Placing, Placed] | None:
        """Render what can have changed of an environment, or return None where that cannot be told."""
        if known.environment != name or known.sets != self.sets:
            return None
        manifest = read_manifest(folder)
        intact, other = known.intact(folder)
        if manifest.keys() != known.files.keys() or CONFIG_FILE in other:
            return None
        is_released = known.release != self.release.digest
        same_layers = memory.layout == self.layout and layers_now(known.layers, self.shas)
        config_is_same = same_layers and not (known.waits and is_released)
        if not (is_released or other) and config_is_same:
            return Placing(len(known.files), Written((), (), ())), known
        source = self._partial(memory)
        again = {known.files[path][0] for path in other if not is_own(path)}
        again |= memory.readers.of(names_changed((), is_released=is_released))
        if config_is_same and not again:
            # the release is another one, and nothing but its own files tells of it
            described, environment = self._described(name), _unread(known)
            rendering = Rendering(source, environment, described, self.release, {}, None)
            files = {file.path: file for file in rendering.own() if file.path != CONFIG_FILE}
            return self._written(files, folder, known, manifest, intact, known.layers, known.waits, overwrite=overwrite)
        described, environment = self.find(name)
        rendering = Rendering(source, environment, described, self.release, {}, None)
        before = old_config(folder, manifest)
        if before is None:
            return None
        differences = () if config_is_same else changes_between(before, rendering.environment.config)
        again |= memory.readers.of(names_changed(differences, is_released=is_released))
        files = {file.path: file for file in rendering.own()}
        files |= {file.path: file for file in rendering.recipes(path for path in source.recipes if path in again)}
        templates = [path for path in memory.templates if path in again]
        files |= {file.path: file for file in rendering.templates(templates)}
        if not files.keys() <= known.files.keys():
            return None
        layers, waits = self._layers(environment), bool(environment.waiting)
        return self._written(files, folder, known, manifest, intact, layers, waits, overwrite=overwrite)

    def _written(
        self,
        files: Mapping[str, RenderedFile],
        folder: Path,
        known: Placed,
        manifest: Mapping[str, str],
        intact: set[str],
        layers: dict[str, str],
        waits: bool,
        *,
        overwrite: bool,
    ) -> tuple[Placing, Placed]:
        """Write the files that were rendered again, and note them."""
        tree = RenderedTree(
            {path: file.content for path, file in sorted(files.items())},
            {path: file.source for path, file in files.items()},
            _unread(known),
        )
        unchanged = {path: manifest[path] for path in intact if path not in files}
        written = write(tree, folder, overwrite=overwrite, unchanged=unchanged)
        kept = {path: noting for path, noting in known.files.items() if path not in written.written}
        new = noted(folder, {path: files[path].source for path in written.written})
        placed = Placed(known.environment, self.sets, self.release.digest, layers, waits, kept | new)
        return Placing(len(known.files), written), placed

    def _described(self, name: str) -> WorkflowEnvironment | None:
        return described_by(self.tree, self.project, name)

    def _layers(self, environment: Environment) -> dict[str, str]:
        paths = [layer.document.path for layer in environment.layers if layer.document is not None]
        return {path: self.shas[path] for path in paths if path in self.shas}

    def _placed(self, environment: Environment, files: dict[str, tuple[str, int, int]]) -> Placed:
        waits = bool(environment.waiting)
        layers = self._layers(environment)
        return Placed(environment.name, self.sets, self.release.digest, layers, waits, files)

    def _partial(self, memory: Memory) -> Source:
        """Return the source with recipes that are read only where they are asked for."""
        if self._source is None:
            recipes = LazyRecipes(self.tree, memory.recipes)
            outputs = frozenset(map(recipe_output, recipes))
            self._source = Source(self.tree, self.project, recipes, memory.templates, memory.calls, outputs)
        return self._source

    def _deploy_recipes(self, source: Source) -> Iterator[str]:
        """Yield the deploy recipes of all environments: what the workflow gives them may ask for anything."""
        from f0ci.workflows.reading import read_workflow

        if self.tree.exists(self.project.workflow):
            for environment in read_workflow(self.tree, self.project.workflow).environments:
                if environment.deploy is not None and environment.deploy.recipe in source.recipes:
                    yield environment.deploy.recipe

    def memory(self, before: Memory | None) -> Memory | None:
        """Return what to remember of the sources, or None where it would not be certain next time."""
        if before is not None:
            before.layout = self.layout
            return before
        source = self.source()
        if any(path not in self.shas for path in source.recipes):
            # a recipe from outside of the project's folders may be another file next time
            return None
        names = frozenset({"config", "environment", "overlay", "release"})
        deployed = set(self._deploy_recipes(source))
        reads = {
            path: source.recipe(path, names).reads | ({("params",)} if path in deployed else set())
            for path in source.recipes
        }
        reads |= {path: source.engine().reads(path) for path in source.templates}
        return Memory(self.sources, self.layout, source.calls, reads, source.templates)
