"""The values that steps share, with the history of every change: Framework0's context."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from f0ci.core.canonical import canonical_json
from f0ci.core.values import dataclass
from f0ci.recipes.graph import StepGraph


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one key.

    Attributes:
        number: place among all changes of the context, from 1.
        key: dotted name.
        before: JSON text of the value before, or None.
        after: JSON text of the value.
        who: author that the change names, by default the step.
        step: path of the step that wrote it, or None.
        attempt: attempt of that step, or None.
        time: seconds since the epoch.
        conflict: path of a step that wrote the key and may run at the same time as this one, or None.
    """

    number: int
    key: str
    before: str | None
    after: str
    who: str | None
    step: str | None
    attempt: int | None
    time: float
    conflict: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the change as plain JSON data."""
        return {
            "key": self.key,
            "before": None if self.before is None else json.loads(self.before),
            "after": json.loads(self.after),
            "who": self.who,
            "timestamp": self.time,
            "step": self.step,
            "attempt": self.attempt,
            "conflict": self.conflict,
        }


class _Store:
    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.lock = threading.Lock()
        self.texts: dict[str, str] = {}
        self.history: list[Change] = []
        # step that wrote a key last
        self.writers: dict[str, str] = {}
        # a dict keeps the order in which keys became dirty
        self.dirty: dict[str, None] = {}
        self.taken = 0
        self.side_by_side: Callable[[str, str], bool] | None = None
        self.on_conflict: Callable[[Change], object] | None = None


class Context:
    """Values by dotted key that every step of a run, sub-recipes included, reads and writes.

    Values are kept as JSON, so what a caller does to a value it got or gave changes nothing here, and history is
    complete. Safe to use from several threads.

    Args:
        values: what it holds at the start; not part of the history.
        now: seconds since the epoch, for the history.
    """

    step: str | None = None
    attempt: int | None = None
    idempotency_key: str | None = None

    def __init__(self, values: Mapping[str, Any] | None = None, *, now: Callable[[], float] = time.time) -> None:
        self._store = _Store(now)
        self._who: str | None = None
        for key, value in (values or {}).items():
            self._store.texts[_checked_key(key)] = to_text(key, value)

    def acting_as(self, who: str, attempt: int | None = None, idempotency_key: str | None = None) -> Context:
        """Return the same context for one attempt of a step: changes that name nobody are the step's.

        Args:
            who: path of the step.
            attempt: its attempt, from 1.
            idempotency_key: what the step's effects are known by; offered as `context.idempotency_key`.
        """
        return _Acting(self._store, who, attempt, idempotency_key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a copy of the value of a key, or a default."""
        with self._store.lock:
            text = self._store.texts.get(key)
        return default if text is None else json.loads(text)

    def has(self, key: str) -> bool:
        """Tell whether the key has a value, None included."""
        with self._store.lock:
            return key in self._store.texts

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.has(key)

    def set(self, key: str, value: Any, who: str | None = None) -> None:
        """Give a key a value; a value it already has changes nothing.

        Args:
            key: dotted name.
            value: anything JSON has a word for.
            who: author of the change.

        Raises:
            TypeError: the key is not a text, or the value is not JSON.
        """
        text = to_text(_checked_key(key), value)
        store = self._store
        with store.lock:
            before = store.texts.get(key)
            conflict = self._conflict(key)
            if before is not None and _same(before, text):
                return
            change = Change(
                store.history[-1].number + 1 if store.history else 1,
                key,
                before,
                text,
                who or self._who,
                self.step,
                self.attempt,
                store.now(),
                conflict,
            )
            store.texts[key] = text
            store.dirty[key] = None
            store.history.append(change)
            if self.step is not None:
                store.writers[key] = self.step
        if conflict is not None and store.on_conflict is not None:
            store.on_conflict(change)

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
        """Return every change, oldest first.

        Each has key, before, after, who, timestamp (seconds since the epoch), step, attempt and conflict.
        """
        with self._store.lock:
            history = list(self._store.history)
        return [change.to_json() for change in history]

    def pop_dirty_keys(self) -> list[str]:
        """Return the keys changed since the last call, in order of their first change, and forget them."""
        with self._store.lock:
            keys = list(self._store.dirty)
            self._store.dirty.clear()
        return keys

    def take_changes(self) -> list[Change]:
        """Return the changes since the last call, for whoever keeps them."""
        store = self._store
        if store.taken == len(store.history):
            return []
        with store.lock:
            changes = store.history[store.taken :]
            store.taken = len(store.history)
        return changes

    def recall(self, changes: Iterable[Change]) -> None:
        """Take over the changes that an earlier process made; they count as kept already."""
        store = self._store
        with store.lock:
            for change in changes:
                store.texts[change.key] = change.after
                store.history.append(change)
                if change.step is not None:
                    store.writers[change.key] = change.step
            store.taken = len(store.history)

    def watch(self, side_by_side: Callable[[str, str], bool], on_conflict: Callable[[Change], object]) -> None:
        """Find writers of one key that nothing orders.

        Args:
            side_by_side: tells whether two steps, by path, may run at the same time.
            on_conflict: told of a change of a key whose last writer may run at the same time.
        """
        self._store.side_by_side, self._store.on_conflict = side_by_side, on_conflict
        self._store.taken = len(self._store.history)

    def _conflict(self, key: str) -> str | None:
        other, store = self._store.writers.get(key), self._store
        if other is None or self.step is None or other == self.step or store.side_by_side is None:
            return None
        return other if store.side_by_side(other, self.step) else None


class _Acting(Context):
    """A context whose changes have an author."""

    def __init__(self, store: _Store, step: str, attempt: int | None, idempotency_key: str | None) -> None:
        # the values are the whole run's, so there are none to begin with
        self._store = store
        self._who = self.step = step
        self.attempt = attempt
        self.idempotency_key = idempotency_key


def side_by_side(graphs: Mapping[str, StepGraph], one: str, other: str) -> bool:
    """Tell whether nothing orders two steps.

    Args:
        graphs: for each recipe of the run, by the prefix of its steps' paths, which step waits for which.
        one: path of a step.
        other: path of another.
    """
    names, others = one.split("/"), other.split("/")
    level = 0
    while level < min(len(names), len(others)) and names[level] == others[level]:
        level += 1
    if level == min(len(names), len(others)):
        return False
    graph = graphs.get("".join(f"{name}/" for name in names[:level]))
    first, second = names[level], others[level]
    if graph is None or first not in graph.predecessors or second not in graph.predecessors:
        # one of them answers a failure, when the others are over
        return False
    return not (graph.waits(second, first) or graph.waits(first, second))


def _checked_key(key: Any) -> str:
    if not isinstance(key, str) or not key:
        raise TypeError(f"context key {key!r} is not a text")
    return key


def to_text(key: str, value: Any) -> str:
    """Return a value as JSON text.

    Raises:
        TypeError: it is not JSON.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"context value of {key!r} is not JSON: {error}") from error


def _same(before: str, after: str) -> bool:
    return before == after or canonical_json(json.loads(before)) == canonical_json(json.loads(after))
