"""Framework0's context."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from f0ci.runner.context import Context


def test_values_are_read_back_by_key() -> None:
    context = Context({"start": [1]})
    context.set("numbers.stats_v1", {"mean": 2.5})

    assert context.get("numbers.stats_v1") == {"mean": 2.5}
    assert context.get("numbers") is None
    assert context.get("absent", "default") == "default"
    assert context.keys() == ["start", "numbers.stats_v1"]
    assert context.to_dict() == {"start": [1], "numbers.stats_v1": {"mean": 2.5}}


def test_none_is_a_value() -> None:
    context = Context()
    context.set("empty", None)

    assert context.has("empty")
    assert context.get("empty", "default") is None


def test_history_holds_changes_only_with_before_after_who_time_step_and_attempt() -> None:
    times = iter([10.0, 20.0])
    context = Context(now=lambda: next(times))
    context.set("a", {"x": 1, "y": 2}, who="first")
    context.set("a", {"y": 2, "x": 1}, who="nobody")
    context.acting_as("step", 2).set("a", True)

    nobody = {"step": None, "attempt": None, "conflict": None}
    assert context.get_history() == [
        {"key": "a", "before": None, "after": {"x": 1, "y": 2}, "who": "first", "timestamp": 10.0, **nobody},
        {
            "key": "a",
            "before": {"x": 1, "y": 2},
            "after": True,
            "who": "step",
            "timestamp": 20.0,
            "step": "step",
            "attempt": 2,
            "conflict": None,
        },
    ]


@pytest.mark.parametrize(("before", "after"), [(1, True), (0, False), (1, 1.0), ("1", 1), (None, False)])
def test_values_that_python_calls_equal_are_changes_where_json_differs(before: Any, after: Any) -> None:
    context = Context({"key": before})
    context.set("key", after)

    assert len(context.get_history()) == 1
    assert type(context.get("key")) is type(after)


def test_dirty_keys_are_told_once() -> None:
    context = Context({"start": 1})
    context.set("b", 1)
    context.set("a", 1)
    context.set("b", 2)
    context.set("start", 1)

    assert context.pop_dirty_keys() == ["b", "a"]
    assert context.pop_dirty_keys() == []


def test_what_a_caller_does_to_a_value_changes_nothing() -> None:
    given = {"rows": [1]}
    context = Context()
    context.set("data", given)
    given["rows"].append(2)
    context.get("data")["rows"].append(3)
    context.to_dict()["data"]["rows"].append(4)
    context.get_history()[0]["after"]["rows"].append(5)

    assert context.get("data") == {"rows": [1]}


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", float("nan"), {"x": [object()]}, {(1, 2): 3}])
def test_a_value_that_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="context value of 'key' is not JSON"):
        Context().set("key", value)


@pytest.mark.parametrize("key", [None, 1, ""])
def test_a_key_is_text(key: Any) -> None:
    with pytest.raises(TypeError, match="is not a text"):
        Context().set(key, 1)


def test_authors_share_the_values() -> None:
    context = Context()
    context.acting_as("one").set("a", 1)
    context.acting_as("two").set("a", 2, who="three")

    assert context.get("a") == 2
    assert [change["who"] for change in context.get_history()] == ["one", "three"]


def test_threads_lose_no_change() -> None:
    context = Context()

    def write(name: str) -> None:
        for number in range(200):
            context.set(f"{name}.{number}", number)

    threads = [threading.Thread(target=write, args=(f"t{index}",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(context.keys()) == len(context.get_history()) == len(context.pop_dirty_keys()) == 800
