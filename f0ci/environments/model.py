"""An environment: its names, its layered configuration, and where every value was written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from f0ci.source.document import Document
from f0ci.source.project import ENVIRONMENT_ALIASES
from f0ci.source.reading import Path

_NAMING = ("name", "type")


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
    """

    layer: str
    path: str | None
    line: int
    column: int
    value: Any


@dataclass(frozen=True, slots=True)
class Environment:
    """A configuration, and a place where releases run.

    Attributes:
        name: the folder's name, which commands, branches and ledgers use.
        folder: the folder, relative to the workspace.
        config: the merged configuration.
        layers: from the weakest to the strongest.
    """

    name: str
    folder: str
    config: Mapping[str, Any]
    layers: tuple[Layer, ...] = field(default=())

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
    def is_production(self) -> bool:
        """Tell whether this is production, by any of its names or by what its configuration says."""
        said = (str(self.section[key]) for key in _NAMING if key in self.section)
        return bool(with_aliases({self.name, *said}) & {"prod", "production"})

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
            for depth, part in enumerate(path, 1):
                value = value.get(part, _ABSENT)
                if value is _ABSENT:
                    break
                if depth == len(path) or not isinstance(value, Mapping):
                    found.append((path[:depth], _origin(layer, path[:depth], value)))
                    break
        return tuple(found)


def _origin(layer: Layer, at: Path, value: Any) -> Origin:
    if layer.document is None:
        return Origin(layer.label, None, 0, 0, value)
    span = layer.document.span(at)
    return Origin(layer.label, layer.document.path, span.line, span.column, value)


def with_aliases(names: Collection[str]) -> frozenset[str]:
    """Return names with every other word that people use for one of them."""
    return frozenset(names).union(*(group for group in ENVIRONMENT_ALIASES if set(group) & set(names)))


_ABSENT = object()
