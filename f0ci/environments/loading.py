"""Finding environments and loading their layered configuration.

From the weakest layer to the strongest: `base.*` beside the environment's folder, the environments it extends,
its own file, its overlays (`prod/eu` is `environments/prod/eu/config.*` over `environments/prod/config.*`), and `--set`
of the command line.
"""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from f0ci.core.errors import InputError, UsageError
from f0ci.core.suggestions import did_you_mean
from f0ci.core.values import dataclass
from f0ci.environments.fitting import named_schemas, read_config_schema, refuse_misfits
from f0ci.environments.layers import Merging, find_one, merge_files, read_layer
from f0ci.environments.model import Environment, Layer
from f0ci.environments.resolving import resolve_config
from f0ci.environments.setting import set_layers
from f0ci.source.document import Document, parse_document
from f0ci.source.project import CONFIG_NAMES, Project, is_environment_config
from f0ci.source.tree import Tree, resolve_path


class UnknownEnvironment(UsageError):
    """No environment has a name.

    Args:
        name: as asked for.
        known: the names that there are.
    """

    def __init__(self, name: str, known: frozenset[str]) -> None:
        super().__init__(f"there is no environment {name!r}", did_you_mean(name, known, noun="environments"))
        self.name = name
        self.known = known


def find_environments(tree: Tree, project: Project) -> tuple[str, ...]:
    """Return the folder of every environment, sorted.

    They lie below the project's environments folder. Where a repository has no such folder and its settings
    name none, every `environments/<name>/config.*` anywhere counts.
    """
    below = tuple(tree.files(project.environments))
    named = project.document is not None and project.document.get(("environments",)) is not None
    return _right_below(below, project.environments) if below or named else _anywhere(tuple(tree.files()))


# each environment that is loaded asks for all of them
@lru_cache(maxsize=4)
def _right_below(paths: tuple[str, ...], root: str) -> tuple[str, ...]:
    configs = (path for path in paths if posixpath.basename(path) in CONFIG_NAMES)
    folders = set(map(posixpath.dirname, configs))
    return tuple(sorted(each for each in folders if posixpath.dirname(each) == posixpath.normpath(root)))


@lru_cache(maxsize=4)
def _anywhere(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({posixpath.dirname(path) for path in paths if is_environment_config(path)}))


def load_environment(
    tree: Tree,
    project: Project,
    name_or_alias: str,
    sets: Sequence[str] = (),
    *,
    release: str | None = None,
    lenient: bool = False,
) -> Environment:
    """Load the environment that a name means.

    Args:
        tree: the workspace's files.
        project: its settings.
        name_or_alias: folder name, `environment.name`, `environment.type`, or another word for one of them; overlays
            follow after slashes.
        sets: `a.b=value` of the command line, the strongest layers.
        release: digest that values may refer to; without it, what refers to the release stays as written.
        lenient: also return a configuration that does not fit the repository's own schema.

    Raises:
        UsageError: no environment, or more than one, has the name; or `sets` cannot be used.
        InputError: a layer cannot be used, or the configuration does not fit the repository's own schema.
    """
    folders = find_environments(tree, project)
    name, *overlays = name_or_alias.split("/")
    folder = _choose(tree, folders, name)
    return _load(tree, project, folders, folder, overlays, sets, release=release, lenient=lenient)


def find_overlays(tree: Tree, folder: str) -> tuple[str, ...]:
    """Return the overlays of an environment, such as `eu` and `eu/acme`, sorted."""
    depth = len(folder) + 1
    configs = (path[depth:] for path in tree.files(folder) if posixpath.basename(path) in CONFIG_NAMES)
    return tuple(sorted({posixpath.dirname(path) for path in configs} - {""}))


@lru_cache(maxsize=256)
def _parsed(path: str, raw: bytes) -> Document:
    """Return a layer's document; environments that are loaded together share most of their layers."""
    return parse_document(path, raw)


@lru_cache(maxsize=256)
def _layer_of(path: str, raw: bytes, label: str) -> Layer:
    return read_layer(_parsed(path, raw), label)


def _document(tree: Tree, path: str) -> Document:
    return _parsed(path, tree.read(path))


def _layer(document: Document, label: str) -> Layer:
    return _layer_of(document.path, document.raw, label) if not document.broken else read_layer(document, label)


# nobody can say what comes of more, and each environment reads all of its own
_LONGEST_CHAIN = 50


@dataclass(frozen=True, slots=True)
class _Link:
    """One environment of an `extends` chain: its folder, its file, and the document that file holds."""

    folder: str
    document: Document


def _load(
    tree: Tree,
    project: Project,
    folders: Sequence[str],
    folder: str,
    overlays: Sequence[str],
    sets: Sequence[str],
    *,
    release: str | None = None,
    lenient: bool = False,
) -> Environment:
    chain = _chain(tree, folders, folder)
    layers: list[Layer] = []
    for parent in dict.fromkeys(posixpath.dirname(link.folder) for link in reversed(chain)):
        base = find_one(tree, posixpath.join(parent, "base"))
        if base is not None:
            layers.append(_read_base(_document(tree, base)))
    layers.extend(_layer(link.document, f"extends {posixpath.basename(link.folder)}") for link in reversed(chain[1:]))
    layers.append(_layer(chain[0].document, "environment"))
    layers.extend(_overlays(tree, folder, overlays))
    schema = read_config_schema(tree, project)
    merging = Merging(schema[1] if schema else None)
    merged = merge_files(layers, merging)
    if sets:
        layers.extend(set_layers(sets, merged, merging))
        merged = merge_files(layers, merging)
    schemas = (*((schema,) if schema else ()), *named_schemas(tree, layers))
    name = "/".join((posixpath.basename(folder), *overlays))
    loaded = Environment(name, folder, merged, tuple(layers), dict(merging.keyed), schemas=schemas)
    resolved = resolve_config(loaded, release)
    if not lenient:
        refuse_misfits(resolved)
    return resolved


def _overlays(tree: Tree, folder: str, overlays: Sequence[str]) -> Iterator[Layer]:
    """Yield the layers of overlays, each in a folder inside the one before; only the last must have a file."""
    way = folder
    for depth, name in enumerate(overlays, 1):
        way = f"{way}/{name}"
        path = find_one(tree, f"{way}/config") if resolve_path(way) == way else None
        if path is not None:
            document = _document(tree, path)
            layer = _layer(document, f"overlay {'/'.join(overlays[:depth])}")
            if "extends" in document.data:
                place = str(document.location(("extends",)))
                raise InputError("an overlay cannot extend", "it lies over its environment already", place=place)
            yield layer
        elif depth == len(overlays):
            wanted, known = "/".join(overlays), find_overlays(tree, folder)
            hint = did_you_mean(wanted, known, noun="overlays") if known else f"write {way}/config.yaml"
            raise UsageError(f"environment {posixpath.basename(folder)!r} has no overlay {wanted!r}", hint)


def _read_base(document: Document) -> Layer:
    layer = _layer(document, "base")
    if "extends" in document.data:
        place = str(document.location(("extends",)))
        raise InputError("'base' cannot extend an environment", "environments extend base already", place=place)
    return layer


def _chain(tree: Tree, folders: Sequence[str], folder: str) -> list[_Link]:
    chain = [_link(tree, folder)]
    while True:
        here = chain[-1]
        wanted = here.document.get(("extends",))
        if wanted is None:
            return chain
        place = str(here.document.location(("extends",)))
        if not isinstance(wanted, str):
            raise InputError(f"'extends' is {wanted!r}, not an environment's name", "write one name", place=place)
        try:
            target = _choose(tree, folders, wanted)
        except UsageError as error:
            hint = "base.* applies by itself; remove the line" if wanted == "base" else error.hint
            raise InputError(error.message, hint, place=place) from error
        walked = [link.folder for link in chain]
        if target in walked:
            circle = " -> ".join(map(posixpath.basename, (*walked[walked.index(target) :], target)))
            message = f"environments extend each other in a circle: {circle}"
            raise InputError(message, "remove one 'extends'", place=place)
        if len(chain) == _LONGEST_CHAIN:
            message = f"more than {_LONGEST_CHAIN} environments extend each other"
            raise InputError(message, "extend what holds the common values directly", place=place)
        chain.append(_link(tree, target))


def _link(tree: Tree, folder: str) -> _Link:
    path = find_one(tree, posixpath.join(folder, "config"))
    if path is None:
        raise InputError(f"{folder!r} holds no configuration", f"write {folder}/config.yaml", place=folder)
    document = _document(tree, path)
    document.require()
    return _Link(folder, document)


def _choose(tree: Tree, folders: Sequence[str], name: str) -> str:
    found: Sequence[str] = _by_name(tuple(folders)).get(name, ())
    if not found:
        found = [folder for folder in folders if name in _names(tree, folder)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{name!r} means several environments: {', '.join(map(repr, found))}", "use a folder's name")
    if not folders:
        raise UsageError(
            f"there is no environment {name!r}, nor any other",
            "write environments/<name>/config.json, or name the folder under 'environments' in f0ci.yaml",
        )
    raise UnknownEnvironment(name, frozenset(map(posixpath.basename, folders)))


@lru_cache(maxsize=8)
def _by_name(folders: tuple[str, ...]) -> Mapping[str, Sequence[str]]:
    """Return the folders of each name."""
    found: dict[str, list[str]] = {}
    for folder in folders:
        found.setdefault(posixpath.basename(folder), []).append(folder)
    return found


def _names(tree: Tree, folder: str) -> frozenset[str]:
    """Return what an environment answers to by its own file; an unreadable one by its folder's name."""
    section: Any = None
    with contextlib.suppress(InputError):
        section = _link(tree, folder).document.get(("environment",))
    return Environment(posixpath.basename(folder), folder, {"environment": section}).names
