"""Rendering only what can have changed since a folder was rendered last.

What is remembered lies in the user's cache folder: what each recipe and template may ask for, which files an
environment's configuration came from, and what was written where. Whatever is not certain to be the same is rendered
again; deleting the cache costs time and nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from f0ci import __version__
from f0ci.core.canonical import digest, sha256_hex
from f0ci.core.errors import CannotWork
from f0ci.core.files import write_atomically
from f0ci.recipes.model import Recipe
from f0ci.recipes.reading import read_recipe
from f0ci.render.layout import CONFIG_FILE, RELEASE_FILE, TRAFFIC_FILE
from f0ci.render.settled import Calls
from f0ci.source.reading import Path
from f0ci.source.tree import Tree

_VERSION = 2
_OWN = frozenset({CONFIG_FILE, RELEASE_FILE, TRAFFIC_FILE})


@dataclass(slots=True)
class Placed:
    """What was written into one folder for one environment.

    Attributes:
        environment: its name, with overlays.
        sets: values of the command line.
        release: digest of the release.
        layers: SHA-256 of every file that its configuration came from.
        waits: its configuration asks for the release.
        files: for each file the source, the size and the time of change (ns).
    """

    environment: str
    sets: list[str]
    release: str
    layers: dict[str, str]
    waits: bool
    files: dict[str, tuple[str, int, int]]

    def intact(self, folder: FilePath) -> tuple[set[str], set[str]]:
        """Return the files that are as they were written, and those that are not."""
        same: set[str] = set()
        other: set[str] = set()
        for path, (_, size, changed) in self.files.items():
            try:
                found = os.lstat(f"{folder}/{path}")
            except OSError:
                other.add(path)
                continue
            (same if (found.st_size, found.st_mtime_ns) == (size, changed) else other).add(path)
        return same, other


@dataclass(slots=True)
class Memory:
    """What is remembered of renderings below one folder.

    Attributes:
        sources: digest of everything that is rendered but for configurations.
        layout: digest of the names of all files of configurations.
        calls: see `Source.calls`.
        reads: what each recipe and template may ask for.
        templates: files of templates.
        placed: by folder.
    """

    sources: str
    layout: str
    calls: Calls
    reads: dict[str, frozenset[Path]]
    templates: tuple[str, ...]
    placed: dict[str, Placed] = field(default_factory=dict)
    _readers: Readers | None = field(default=None, repr=False)

    @property
    def readers(self) -> Readers:
        """Return which recipes and templates ask for what."""
        if self._readers is None:
            self._readers = Readers(self.reads)
        return self._readers

    @property
    def recipes(self) -> tuple[str, ...]:
        """Return the files of recipes."""
        known = set(self.templates)
        return tuple(path for path in self.reads if path not in known)


class LazyRecipes(Mapping[str, Recipe]):
    """Recipes that are read when they are asked for.

    Args:
        tree: the workspace.
        paths: their files.
    """

    def __init__(self, tree: Tree, paths: Iterable[str]) -> None:
        self._tree = tree
        self._paths = dict.fromkeys(paths)
        self._read: dict[str, Recipe] = {}

    def __getitem__(self, path: str) -> Recipe:
        if path not in self._paths:
            raise KeyError(path)
        if path not in self._read:
            self._read[path] = read_recipe(self._tree, path)
        return self._read[path]

    def __contains__(self, path: object) -> bool:
        return path in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def sources_digest(shas: Mapping[str, str], environments: str) -> str:
    """Return a digest of everything but configurations, with the renderer's version; pure."""
    below = f"{environments}/"
    return digest([__version__, {path: sha for path, sha in shas.items() if not path.startswith(below)}])


def layout_digest(shas: Mapping[str, str], environments: str) -> str:
    """Return a digest of the names of all files of configurations; pure."""
    return digest(sorted(path for path in shas if path.startswith(f"{environments}/")))


def changes_between(old: Mapping[str, Any], new: Mapping[str, Any], at: Path = ()) -> Iterator[Path]:
    """Yield the paths at which two configurations differ, each as deep as both are mappings; pure."""
    for key in old.keys() | new.keys():
        here = (*at, key)
        before, after = old.get(key, _ABSENT), new.get(key, _ABSENT)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from changes_between(before, after, here)
        elif before is _ABSENT or after is _ABSENT or repr(before) != repr(after):
            yield here


_ABSENT = object()


def names_changed(config: Iterable[Path], *, is_released: bool) -> frozenset[Path]:
    """Return the names whose values changed; pure.

    Args:
        config: paths at which the configuration differs.
        is_released: the release is another one.
    """
    found: set[Path] = {("config", *map(str, path)) for path in config}
    # a template's `environment` has the section of that name as its parts
    found |= {path[1:] for path in found if path[1:2] == ("environment",)}
    found |= {("release",), ("rollout",)} if is_released else set()
    # what the workflow gives to the deploy recipe may ask for any of them
    return frozenset(found | ({("params",)} if found else set()))


class Readers:
    """Which sources ask for what.

    Args:
        reads: what each source may ask for.
    """

    def __init__(self, reads: Mapping[str, Collection[Path]]) -> None:
        # by what is asked for, and by what holds it
        self._exact: dict[Path, set[str]] = {}
        self._below: dict[Path, set[str]] = {}
        for source, asked in reads.items():
            for path in asked:
                self._exact.setdefault(path, set()).add(source)
                for length in range(1, len(path)):
                    self._below.setdefault(path[:length], set()).add(source)

    def of(self, changed: Iterable[Path]) -> set[str]:
        """Return the sources that may ask for what changed, for what holds it, or for a part of it."""
        found: set[str] = set()
        for path in changed:
            found |= self._below.get(path, set())
            for length in range(len(path) + 1):
                found |= self._exact.get(path[:length], set())
        return found


def cache_file(output: FilePath) -> FilePath:
    """Return where renderings below a folder are remembered."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - may have no home
    return FilePath(base) / "f0ci" / "render" / f"{sha256_hex(os.fsencode(output.resolve()))[:32]}.json"


def recall(path: FilePath) -> Memory | None:
    """Return what is remembered, or None where that is nothing, or of another version."""
    try:
        data = json.loads(path.read_bytes())
        if data["version"] != _VERSION:
            return None
        placed = {
            folder: Placed(**{**one, "files": {name: tuple(known) for name, known in one["files"].items()}})
            for folder, one in data["placed"].items()
        }
        reads = {name: frozenset(map(tuple, asked)) for name, asked in data["reads"].items()}
        calls = {name: frozenset(given) for name, given in data["calls"].items()}
        return Memory(data["sources"], data["layout"], calls, reads, tuple(data["templates"]), placed)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(path: FilePath, memory: Memory) -> None:
    """Write down what is remembered; where that is not possible, the next rendering takes longer."""
    data = {
        "version": _VERSION,
        "sources": memory.sources,
        "layout": memory.layout,
        "calls": {name: sorted(given) for name, given in memory.calls.items()},
        "reads": {name: sorted(asked) for name, asked in memory.reads.items()},
        "templates": memory.templates,
        "placed": {
            folder: {name: getattr(one, name) for name in Placed.__slots__} for folder, one in memory.placed.items()
        },
    }
    try:
        write_atomically(path, json.dumps(data, separators=(",", ":")).encode())
    except CannotWork:
        return


def noted(folder: FilePath, sources: Mapping[str, str]) -> dict[str, tuple[str, int, int]]:
    """Return what to remember of files that were written: source, size and time of change."""
    found = {}
    for path, source in sources.items():
        stat = os.lstat(f"{folder}/{path}")
        found[path] = (source, stat.st_size, stat.st_mtime_ns)
    return found


def old_config(folder: FilePath, known: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the configuration that a folder holds, or None where it is not the one that was written."""
    try:
        raw = (folder / CONFIG_FILE).read_bytes()
        data = json.loads(raw)
    except (OSError, ValueError):
        return None
    return data if known.get(CONFIG_FILE) == sha256_hex(raw) and isinstance(data, dict) else None


def is_own(path: str) -> bool:
    """Tell whether a file is made by f0ci itself, not from a recipe or template."""
    return path in _OWN


def layers_now(layers: Mapping[str, str], shas: Mapping[str, str]) -> bool:
    """Tell whether all files of a configuration are what they were; pure."""
    return all(shas.get(path) == known for path, known in layers.items())
