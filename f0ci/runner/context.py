"""The values that steps share, with the history of every change: Framework0's context."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from f0ci.core.canonical import canonical_json


class _Store:
    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.lock = threading.Lock()
        self.texts: dict[str, str] = {}
        self.history: list[tuple[str, str | None, str, str | None, float]] = []
        # a dict keeps the order in which keys became dirty
        self.dirty: dict[str, None] = {}


class Context:
    """Values by dotted key that every step of a run, sub-recipes included, reads and writes.

    Values are kept as JSON, so what a caller does to a value it got or gave changes nothing here, and history is
    complete. Safe to use from several threads.

    Args:
        values: what it holds at the start; not part of the history.
        now: seconds since the epoch, for the history.
    """

    def __init__(self, values: Mapping[str, Any] | None = None, *, now: Callable[[], float] = time.time) -> None:
        self._store = _Store(now)
        self._who: str | None = None
        for key, value in (values or {}).items():
            self._store.texts[_checked_key(key)] = _to_text(key, value)

    def acting_as(self, who: str) -> Context:
        """Return the same context for one author: changes that name nobody are theirs."""
        return _Acting(self._store, who)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a copy of the value of a key, or a default."""
        with self._store.lock:
            text = self._store.texts.get(key)
        return default if text is None else json.loads(text)

    def has(self, key: str) -> bool:
        """Tell whether the key has a value, None included."""
        with self._store.lock:
            return key in self._store.texts

    def set(self, key: str, value: Any, who: str | None = None) -> None:
        """Give a key a value; a value it already has changes nothing.

        Args:
            key: dotted name.
            value: anything JSON has a word for.
            who: author of the change.

        Raises:
            TypeError: the key is not a text, or the value is not JSON.
        """
        text = _to_text(_checked_key(key), value)
        store = self._store
        with store.lock:
            before = store.texts.get(key)
            if before is not None and _same(before, text):
                return
            store.texts[key] = text
            store.dirty[key] = None
            store.history.append((key, before, text, who or self._who, store.now()))

    def keys(self) -> list[str]:
        """Return every key, in the order of their first values."""
        with self._store.lock:
            return list(self._store.texts)

    def to_dict(self) -> dict[str, Any]:
        """Return a copy of all values by key."""
        with self._store.lock:
            texts = dict(self._store.texts)
        return {key: json.loads(text) for key, text in texts.items()}

    def get_history(self) -> list[dict[str, Any]]:
        """Return every change, oldest first: key, before, after, who, timestamp (seconds since the epoch)."""
        with self._store.lock:
            history = list(self._store.history)
        return [
            {
                "key": key,
                "before": None if before is None else json.loads(before),
                "after": json.loads(after),
                "who": who,
                "timestamp": moment,
            }
            for key, before, after, who, moment in history
        ]

    def pop_dirty_keys(self) -> list[str]:
        """Return the keys changed since the last call, in order of their first change, and forget them."""
        with self._store.lock:
            keys = list(self._store.dirty)
            self._store.dirty.clear()
        return keys


class _Acting(Context):
    """A context whose changes have an author."""

    def __init__(self, store: _Store, who: str) -> None:
        super().__init__()
        self._store = store
        self._who = who


def _checked_key(key: Any) -> str:
    if not isinstance(key, str) or not key:
        raise TypeError(f"context key {key!r} is not a text")
    return key


def _to_text(key: str, value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"context value of {key!r} is not JSON: {error}") from error


def _same(before: str, after: str) -> bool:
    return before == after or canonical_json(json.loads(before)) == canonical_json(json.loads(after))
