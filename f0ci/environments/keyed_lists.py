"""Lists that merge item by item: a configuration schema says by which key their items are told apart.

`"x-merge-key": "name"` beside `"type": "array"` makes layers merge items with the same `name`, append those that are
new, and drop those that a layer writes with `$patch: delete`. All other lists replace each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from f0ci.source.reading import Path

MERGE_KEY = "x-merge-key"
_PATCH = "$patch"
_DELETE = "delete"


class BadItem(ValueError):
    """An item that cannot be merged by key.

    Args:
        message: what is wrong.
        at: where the item stands, from the list; below an item that merges by key its key's value stands for it.
        hint: what to do.
    """

    def __init__(self, message: str, at: Path, hint: str = "give each item its own; the schema asks for it") -> None:
        super().__init__(message)
        self.at = at
        self.hint = hint


def merge_key_at(schema: Mapping[str, Any], at: Path) -> str | None:
    """Return the key by which a schema wants the items of the list at a path merged, or None; pure.

    Args:
        schema: a JSON Schema; `$ref` is followed inside it, `allOf` is looked through.
        at: keys from the top of the configuration; an item of a keyed list is named by its key's value.
    """
    for part in _parts_at(schema, schema, at, 0):
        key = part.get(MERGE_KEY)
        if isinstance(key, str):
            return key
    return None


def _parts_at(root: Mapping[str, Any], schema: Any, at: Path, depth: int) -> list[Mapping[str, Any]]:
    """Return every subschema that speaks of the value at a path."""
    if not isinstance(schema, Mapping) or depth > 64:
        return []
    found: list[Mapping[str, Any]] = []
    target = _followed(root, schema.get("$ref"))
    for inner in [*([target] if target is not None else []), *schema.get("allOf", [])]:
        found += _parts_at(root, inner, at, depth + 1)
    if not at:
        return [schema, *found]
    key, rest = at[0], at[1:]
    properties = schema.get("properties", {})
    steps = [properties[key]] if isinstance(properties, Mapping) and key in properties else []
    if not steps and isinstance(schema.get("additionalProperties"), Mapping):
        steps = [schema["additionalProperties"]]
    if isinstance(schema.get("items"), Mapping):
        steps.append(schema["items"])
    return [part for step in steps for part in _parts_at(root, step, rest, depth + 1)] + found


def _followed(root: Mapping[str, Any], reference: Any) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    target: Any = root
    for word in reference[2:].split("/"):
        name = word.replace("~1", "/").replace("~0", "~")
        target = target.get(name) if isinstance(target, Mapping) else None
    return target


def by_key(items: Sequence[Any], key: str) -> dict[str, Any]:
    """Return the items of a list by the text of their key's value, in order.

    Raises:
        BadItem: an item has no such key, or two have the same value.
    """
    found: dict[str, Any] = {}
    for index, item in enumerate(items):
        if not isinstance(item, Mapping) or key not in item or isinstance(item[key], Mapping | list):
            raise BadItem(f"an item of a list that merges by {key!r} has no {key!r}", (index,))
        name = str(item[key])
        if name in found:
            raise BadItem(f"two items of one list have {key} {name!r}", (index, key))
        found[name] = item
    return found


def index_of(items: Sequence[Any], key: str, name: Any) -> int | None:
    """Return where the item with a key's value stands in a list, or None."""
    places = (index for index, item in enumerate(items) if isinstance(item, Mapping) and str(item.get(key)) == name)
    return next(places, None)


def refuse_other_patch(item: Mapping[str, Any], index: int) -> None:
    """Refuse an item that asks for something else than to be dropped.

    Raises:
        BadItem: it does.
    """
    if _PATCH in item and not is_deletion(item):
        message = f"{_PATCH!r} is {item[_PATCH]!r}, and only {_DELETE!r} is known"
        raise BadItem(message, (index, _PATCH), "leave it out to merge, or drop the item")


def is_deletion(item: Mapping[str, Any]) -> bool:
    """Tell whether an item of a layer removes the one with its key."""
    return item.get(_PATCH) == _DELETE
