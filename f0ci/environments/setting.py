"""What `--set` of the command line adds: the strongest layers of a configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from f0ci.core.errors import UsageError
from f0ci.environments.keyed_lists import BadItem, index_of
from f0ci.environments.layers import STEERING_KEYS, Merging, is_json, overlay, read_dotted
from f0ci.environments.model import Layer
from f0ci.source.reading import Path
from f0ci.source.schema import type_name
from f0ci.source.yaml import read_yaml


def set_layers(sets: Sequence[str], below: Mapping[str, Any], merging: Merging | None = None) -> tuple[Layer, ...]:
    r"""Return one layer for each `a.b=value` of the command line.

    Args:
        sets: as written; the value is YAML (`true`, `[a, b]`, `null` to remove), a dot inside a key is `\.`.
        below: the configuration they are laid over.
        merging: how lists merge.

    Raises:
        UsageError: one has no name or no value, its value is not YAML, it reaches into a scalar or into a list whose
            items have no key, or it names what is no configuration.
    """
    layers: list[Layer] = []
    merged = dict(below)
    for text in sets:
        data = _read_set(text, merged, merging or Merging())
        try:
            merged = overlay(merged, data, merging)
        except BadItem as error:
            raise UsageError(f"--set {text!r}: {error}", error.hint) from error
        layers.append(Layer("--set", None, data))
    return tuple(layers)


def _read_set(text: str, below: Mapping[str, Any], merging: Merging) -> dict[str, Any]:
    name, equals, written = text.partition("=")
    keys = read_dotted(name)
    if not equals or not all(keys):
        raise UsageError(
            f"--set {text!r} is not of the form a.b=value", "write for example --set processing.batch_size=10"
        )
    if keys[0] in STEERING_KEYS:
        raise UsageError(f"--set {name!r}: {keys[0]!r} is no configuration", "write it into the environment's file")
    reading = read_yaml(written.encode())
    if reading.broken:
        raise UsageError(f"--set {name!r}: {reading.problems[0].message}", "quote the value as in YAML")
    # to YAML `#{config.x}` is a comment
    value = written if written.startswith("#") else reading.data
    if not is_json(value):
        raise UsageError(
            f"--set {name!r}: the value {written!r} cannot be written as JSON",
            "write text, a number, true or false",
        )
    here: Any = below
    for depth, key in enumerate(keys[:-1]):
        here = _item(here, key, merging.key_of(keys[:depth])) if isinstance(here, list) else here.get(key, {})
        is_keyed = isinstance(here, list) and merging.key_of(keys[: depth + 1]) is not None
        if not isinstance(here, Mapping) and not is_keyed:
            reached = ".".join(keys[: depth + 1])
            raise UsageError(
                f"--set {name!r}: {reached!r} is {type_name(here)}, not a mapping",
                f"set all of {reached!r} instead",
            )
    made: dict[str, Any] = _nested(keys, value, below, merging, ())
    return made


def _item(items: Sequence[Any], name: str, key: str | None) -> Any:
    index = index_of(items, key, name) if key is not None else None
    return items[index] if index is not None else {}


def _nested(keys: Sequence[str], value: Any, below: Any, merging: Merging, at: Path) -> Any:
    """Return a value at the end of keys; a key that names an item of a list that merges by key becomes that item."""
    if not keys:
        return value
    name, rest, here = keys[0], keys[1:], (*at, keys[0])
    key = merging.key_of(at) if isinstance(below, list) else None
    if key is None:
        inner = below.get(name) if isinstance(below, Mapping) else None
        return {name: _nested(rest, value, inner, merging, here)}
    index = index_of(below, key, name)
    item = below[index] if index is not None else {key: name}
    made = _nested(rest, value, item, merging, here)
    if made is None:
        return [{key: item[key], "$patch": "delete"}]
    return [{key: item[key], **made}] if isinstance(made, Mapping) else [made]
