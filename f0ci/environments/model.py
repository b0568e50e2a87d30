"""An environment: its names, its layered configuration, and where every value was written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Any

from f0ci.core.values import dataclass
from f0ci.environments.keyed_lists import index_of
from f0ci.source.document import Document
from f0ci.source.project import ENVIRONMENT_ALIASES
from f0ci.source.reading import Path

_NAMING = ("name", "type")
NOTHING_KEYED: Mapping[Path, str] = {}


@dataclass(frozen=True, slots=True)
class Layer:
    """One file that contributes to an environment's configuration.

    Attributes:
        label: what it is: `base`, `extends NAME`, `environment`, `overlay NAME`, `--set`.
        document: the positioned file; None for `--set`.
        data: what it contributes.
    """

    label: str
    document: Document | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written.

    Attributes:
        layer: the layer's label.
        path: the file, or None for `--set`.
        line: 1-based line, or 0 for `--set`.
        column: 1-based column, or 0.
        value: what that layer says.
        at: where the value stands in that layer.
    """

    layer: str
    path: str | None
    line: int
    column: int
    value: Any
    at: Path = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Environment:
    """A configuration, and a place where releases run.

    Attributes:
        name: the folder's name, which commands, branches and ledgers use; with overlays `prod/eu`.
        folder: the folder, relative to the workspace.
        config: the merged configuration.
        layers: from the weakest to the strongest.
        keyed: lists that merge item by item: path, and the key that tells items apart. Below such a list a path names
            an item by its key's value.
        waiting: values that stay as written until the release is known.
        schemas: the repository's own schemas for the configuration, with their files.
    """

    name: str
    folder: str
    config: Mapping[str, Any]
    layers: tuple[Layer, ...] = field(default=())
    keyed: Mapping[Path, str] = field(default_factory=dict)
    waiting: frozenset[Path] = field(default=frozenset())
    schemas: tuple[tuple[str, dict[str, Any]], ...] = field(default=())

    @property
    def section(self) -> Mapping[str, Any]:
        """Return the configuration's `environment` section, empty where there is none."""
        section = self.config.get("environment")
        return section if isinstance(section, Mapping) else {}

    @property
    def names(self) -> frozenset[str]:
        """Return every name the environment answers to: folder, `environment.name`, `.type` and aliases.

        A name or type that only an extended environment wrote is that environment's, not this one's.
        """
        own = {str(self.section[key]) for key in ("name", "type") if key in self.section and not self._inherits(key)}
        return with_aliases({self.name, *own})

    @property
    def base_name(self) -> str:
        """Return the environment's name without overlays."""
        return self.name.partition("/")[0]

    @property
    def overlay(self) -> str:
        """Return what stands over the environment, such as `eu` or `eu/acme`; empty without one."""
        return self.name.partition("/")[2]

    @property
    def spoken(self) -> dict[str, str]:
        """Return the names by which expressions ask where they are."""
        return {"environment": self.base_name, "overlay": self.overlay}

    @property
    def is_production(self) -> bool:
        """Tell whether this is production, by any of its names or by what its configuration says."""
        said = (str(self.section[key]) for key in _NAMING if key in self.section)
        return bool(with_aliases({self.base_name, *said}) & {"prod", "production"})

    def _inherits(self, key: str) -> bool:
        origins = self.origins(("environment", key))
        return bool(origins) and origins[-1].layer.startswith("extends ")

    @property
    def document(self) -> Document | None:
        """Return the environment's own file: the strongest layer called `environment`."""
        return next((layer.document for layer in reversed(self.layers) if layer.label == "environment"), None)

    def origins(self, path: Path) -> tuple[Origin, ...]:
        """Return every layer that writes a value at a path, the winning one last."""
        return tuple(origin for at, origin in self.touches(path) if at == path)

    def touches(self, path: Path) -> tuple[tuple[Path, Origin], ...]:
        """Return every layer that decides about a path, the last one having the last word.

        A layer decides by writing a value there, or by writing something else than a mapping, such as null, over
        what holds it.

        Returns:
            The path that the layer writes, which is the asked one or a beginning of it, and what it says there.
        """
        found: list[tuple[Path, Origin]] = []
        for layer in self.layers:
            value: Any = layer.data
            written: Path = ()
            for depth, part in enumerate(path, 1):
                key = self.keyed.get(path[: depth - 1]) if isinstance(value, list) else None
                index = index_of(value, key, part) if key is not None else None
                value = value[index] if index is not None else _inside(value, part)
                written = (*written, part if index is None else index)
                if value is _ABSENT:
                    break
                if depth == len(path) or not self._holds(value, path[:depth]):
                    found.append((path[:depth], _origin(layer, written, value)))
                    break
        return tuple(found)

    def written_at(self, path: Path) -> tuple[Document, Path] | None:
        """Return the file that wrote a value last, and where in it; for what nobody wrote, its nearest beginning.

        Args:
            path: as the merged configuration has it: items of lists by their index.

        Returns:
            None where the command line wrote it, or where there is no file.
        """
        named = self._named(path)
        for length in range(len(named), 0, -1):
            touched = self.touches(named[:length])
            if touched:
                at, origin = touched[-1]
                document = next((layer.document for layer in reversed(self.layers) if _is_of(layer, origin)), None)
                return (document, (*origin.at, *path[len(at) :])) if document is not None else None
        return (self.document, path) if self.document is not None else None

    def _named(self, path: Path) -> Path:
        """Return a path of the merged configuration with items of keyed lists named by their key's value."""
        named: Path = ()
        value: Any = self.config
        for part in path:
            value = value[part] if isinstance(value, list) and isinstance(part, int) else _inside(value, part)
            key = self.keyed.get(named)
            is_item = key is not None and isinstance(value, Mapping) and key in value
            named = (*named, str(value[key]) if is_item else part)
        return named

    def _holds(self, value: Any, at: Path) -> bool:
        return isinstance(value, Mapping) or (isinstance(value, list) and at in self.keyed)


def _inside(value: Any, part: Any) -> Any:
    return value.get(part, _ABSENT) if isinstance(value, Mapping) else _ABSENT


def _is_of(layer: Layer, origin: Origin) -> bool:
    return layer.label == origin.layer and (layer.document.path if layer.document else None) == origin.path


def _origin(layer: Layer, at: Path, value: Any) -> Origin:
    if layer.document is None:
        return Origin(layer.label, None, 0, 0, value, at)
    span = layer.document.span(at)
    return Origin(layer.label, layer.document.path, span.line, span.column, value, at)


def with_aliases(names: Collection[str]) -> frozenset[str]:
    """Return names with every other word that people use for one of them."""
    return frozenset(names).union(*(group for group in ENVIRONMENT_ALIASES if set(group) & set(names)))


_ABSENT = object()
