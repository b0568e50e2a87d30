"""Layers of configuration: reading one file, and merging several.

Merging is JSON Merge Patch (RFC 7396): mappings merge key by key, anything else replaces, null removes. Lists merge
item by item where the configuration's schema names a key for it, see `keyed_lists`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from f0ci.core.errors import InputError
from f0ci.core.patterns import pattern
from f0ci.core.values import dataclass
from f0ci.environments.keyed_lists import BadItem, by_key, index_of, is_deletion, merge_key_at, refuse_other_patch
from f0ci.environments.model import NOTHING_KEYED, Layer
from f0ci.source.document import Document
from f0ci.source.reading import Path
from f0ci.source.schema import check_schema
from f0ci.source.tree import Tree

# keys of a file that steer loading and are no configuration
STEERING_KEYS = frozenset({"extends", "$schema"})
_SUFFIXES = ("json", "yaml", "yml")
_JSON_HINT = "write text, a number, true or false"
# a dot that no backslash escapes
_SEPARATOR = pattern(r"(?<!\\)\.")


@dataclass(slots=True)
class Merging:
    """How layers merge, and what was found out while they did.

    Attributes:
        schema: the configuration's schema, or None.
        keyed: the lists that were merged by key so far: their path, and the key.
    """

    schema: Mapping[str, Any] | None = None
    keyed: dict[Path, str] = field(default_factory=dict)

    def key_of(self, at: Path) -> str | None:
        """Return the key by which the list at a path merges, or None."""
        if self.schema is None:
            return None
        key = merge_key_at(self.schema, at)
        if key is not None:
            self.keyed[at] = key
        return key


def overlay(
    lower: Mapping[str, Any], upper: Mapping[str, Any], merging: Merging | None = None, at: Path = ()
) -> dict[str, Any]:
    """Return one mapping with another laid over it; what the upper one sets to null is gone.

    Args:
        lower: the weaker mapping.
        upper: the stronger one.
        merging: how lists merge; None replaces them all.
        at: where both stand in the configuration.

    Raises:
        BadItem: an item of a list that merges by key has no such key.
    """
    merged = dict(lower)
    for key, value in upper.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            below = merged.get(key)
            merged[key] = overlay(below if isinstance(below, Mapping) else {}, value, merging, (*at, key))
        elif isinstance(value, list) and merging is not None and (name := merging.key_of((*at, key))) is not None:
            below = merged.get(key)
            merged[key] = _overlay_items(below if isinstance(below, list) else [], value, name, merging, (*at, key))
        else:
            merged[key] = value
    return merged


def _overlay_items(
    lower: Sequence[Any], upper: Sequence[Any], key: str, merging: Merging, at: Path
) -> list[dict[str, Any]]:
    merged = by_key(lower, key)
    try:
        written = by_key(upper, key)
    except BadItem as error:
        raise BadItem(str(error), (*at, *error.at), error.hint) from None
    for index, (name, item) in enumerate(written.items()):
        try:
            refuse_other_patch(item, index)
        except BadItem as error:
            raise BadItem(str(error), (*at, *error.at), error.hint) from None
        if is_deletion(item):
            merged.pop(name, None)
        else:
            merged[name] = overlay(merged.get(name, {}), item, merging, (*at, name))
    return list(merged.values())


def merge_files(layers: Iterable[Layer], merging: Merging) -> dict[str, Any]:
    """Return what files say together, from the weakest to the strongest.

    Raises:
        InputError: a list that merges by key has an item without it; says where.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        try:
            merged = overlay(merged, layer.data, merging)
        except BadItem as error:
            at = _written_at(layer.data, error.at, merging.keyed)
            place = str(layer.document.location(at)) if layer.document else None
            raise InputError(str(error), error.hint, place=place) from error
    return merged


def _written_at(data: Any, at: Path, keyed: Mapping[Path, str]) -> Path:
    """Return where a layer has what a path names, whose items of keyed lists are named by their key's value."""
    found: Path = ()
    for depth, part in enumerate(at):
        key = keyed.get(at[:depth]) if isinstance(data, list) and isinstance(part, str) else None
        index = index_of(data, key, part) if key is not None else None
        step = part if index is None else index
        found = (*found, step)
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            data = None
    return found


def leaves(
    data: Mapping[str, Any], at: Path = (), keyed: Mapping[Path, str] = NOTHING_KEYED
) -> Iterator[tuple[Path, Any]]:
    """Yield every value below the root that merging treats as a whole, with its path.

    These are scalars, lists, and mappings that are empty. A list that merges by key counts as a mapping of its items by
    their key.
    """
    for key, value in data.items():
        here = (*at, key)
        if isinstance(value, list) and here in keyed:
            value = by_key(value, keyed[here])  # noqa: PLW2901 - the same list in other words
        if isinstance(value, Mapping) and value:
            yield from leaves(value, here, keyed)
        else:
            yield here, value


def dotted(at: Path) -> str:
    r"""Return a path as people write it: `output.base_directory`; a dot inside a key is `\.`."""
    return ".".join(str(part).replace(".", "\\.") for part in at)


def read_dotted(name: str) -> tuple[str, ...]:
    """Return the keys that a dotted name consists of."""
    return tuple(key.replace("\\.", ".") for key in _SEPARATOR.split(name.strip()))


def find_one(tree: Tree, stem: str) -> str | None:
    """Return the one file `<stem>.json`, `.yaml` or `.yml` that exists, or None.

    Raises:
        InputError: there are several.
    """
    found = [f"{stem}.{suffix}" for suffix in _SUFFIXES if tree.exists(f"{stem}.{suffix}")]
    if len(found) > 1:
        message = f"{found[0]!r} and {found[1]!r} are two configurations for one place"
        raise InputError(message, "keep one of them", place=found[1])
    return found[0] if found else None


def read_layer(document: Document, label: str) -> Layer:
    """Return what one file contributes.

    Raises:
        InputError: it cannot be used, does not fit the schema, or holds a value that JSON has no word for.
    """
    data = document.require()
    for problem in check_schema("environment", data):
        place = document.location(problem.path, key=problem.key)
        raise InputError(problem.message, problem.hint, place=str(place))
    _refuse_what_json_lacks(document, data, ())
    return Layer(label, document, {key: value for key, value in data.items() if key not in STEERING_KEYS})


def is_json(value: Any) -> bool:
    """Tell whether JSON has a word for a value and for all in it."""
    if isinstance(value, dict):
        return all(map(is_json, value)) and all(map(is_json, value.values()))
    if isinstance(value, list):
        return all(map(is_json, value))
    if isinstance(value, str):
        # JSON can escape half of a surrogate pair, which UTF-8 has no bytes for
        return not any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int)


def _refuse_what_json_lacks(document: Document, data: Any, at: Path) -> None:
    if is_json(data):
        return
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(data, dict):
        inner = data.items()
    elif isinstance(data, list):
        inner = enumerate(data)
    for key, value in inner:
        _refuse_what_json_lacks(document, value, (*at, key))
    raise InputError(
        "the value cannot be written as JSON",
        "write text, a number, true or false",
        place=str(document.location(at)),
    )
