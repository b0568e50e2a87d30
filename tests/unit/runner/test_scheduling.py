"""Running the steps of a graph side by side."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.core.cancellation import Cancellation
from f0ci.runner.readiness import Graph, Verdict
from f0ci.runner.scheduling import run_graph

YES, STOP = Verdict(), Verdict(satisfied=False, stops=True)


def diamond() -> Graph:
    """Return a -> b, c -> d."""
    after = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}
    return Graph("abcd", after, after)


def test_a_blocked_step_names_the_step_at_the_bottom() -> None:
    after = {"a": (), "b": ("a",), "c": ("b",)}
    blocked: dict[str, str] = {}

    left = run_graph(
        Graph("abc", after, after),
        lambda name: Verdict(satisfied=False, because=name),
        blocked.__setitem__,
        limit=2,
        cancellation=Cancellation(),
    )

    assert (left, blocked) == ((), {"b": "a", "c": "a"})


def test_every_step_runs_once_after_what_it_waits_for() -> None:
    done: list[str] = []

    def work(name: str) -> Verdict:
        done.append(name)
        return YES

    assert run_graph(diamond(), work, lambda *_: None, limit=4, cancellation=Cancellation()) == ()
    assert (done[0], sorted(done[1:3]), done[3:]) == ("a", ["b", "c"], ["d"])


def test_a_stop_lets_running_steps_end_and_starts_no_other() -> None:
    done: list[str] = []
    c_may_end = threading.Event()

    def work(name: str) -> Verdict:
        if name == "c":
            assert c_may_end.wait(10)
        done.append(name)
        if name == "b":
            c_may_end.set()
        return STOP if name == "b" else YES

    run_graph(diamond(), work, lambda *_: None, limit=4, cancellation=Cancellation())

    assert done == ["a", "b", "c"]


def test_the_end_of_the_time_cancels_and_leaves_what_cannot_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("f0ci.runner.scheduling.SETTLING", 0.05)
    may_end, cancellation = threading.Event(), Cancellation()

    def work(_name: str) -> Verdict:
        may_end.wait(10)
        return YES

    left = run_graph(diamond(), work, lambda *_: None, limit=4, cancellation=cancellation, timeout=0.05)
    may_end.set()

    assert left == ("a",)
    assert cancellation.reason == "the recipe's time of 0.05s is over"


def test_an_error_of_the_runner_itself_is_raised_and_cancels() -> None:
    cancellation = Cancellation()

    def work(name: str) -> Verdict:
        raise LookupError(name)

    with pytest.raises(LookupError):
        run_graph(diamond(), work, lambda *_: None, limit=4, cancellation=cancellation)

    assert cancellation.cancelled


def test_nothing_starts_once_cancelled() -> None:
    cancellation = Cancellation()
    cancellation.cancel("before")
    started: list[str] = []

    def work(name: str) -> Verdict:
        started.append(name)
        return YES

    assert run_graph(diamond(), work, lambda *_: None, limit=4, cancellation=cancellation) == ()
    assert started == []


def test_a_chain_changes_threads_nowhere() -> None:
    after = {name: tuple("abcdef"[:index][-1:]) for index, name in enumerate("abcdef")}
    threads: set[int] = set()

    def work(_: str) -> Verdict:
        threads.add(threading.get_ident())
        return YES

    assert run_graph(Graph("abcdef", after, after), work, lambda *_: None, limit=4, cancellation=Cancellation()) == ()
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_what_cannot_be_recorded_stops_the_work_wherever_it_is_found() -> None:
    after = {"a": (), "b": ("a",)}
    ran: list[str] = []

    def before_start(starting: Sequence[str]) -> None:
        if "b" in starting:
            raise OSError("disk full")

    def work(name: str) -> Verdict:
        ran.append(name)
        return YES

    with pytest.raises(OSError, match="disk full"):
        run_graph(
            Graph("ab", after, after),
            work,
            lambda *_: None,
            limit=4,
            cancellation=Cancellation(),
            before_start=before_start,
        )
    assert ran == ["a"]


@given(st.lists(st.sets(st.integers(0, 11)), min_size=12, max_size=12), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_any_graph_runs_once_in_order_and_is_recorded_before_anything_builds_on_it(
    earlier: list[set[int]], limit: int
) -> None:
    names = [f"s{number}" for number in range(len(earlier))]
    after = {
        name: tuple(names[number] for number in sorted(earlier[index]) if number < index)
        for index, name in enumerate(names)
    }
    ended: list[str] = []
    recorded: set[str] = set()
    most = threading.Semaphore(limit)

    def before_start(starting: Sequence[str]) -> None:
        recorded.update(ended)
        assert all(recorded.issuperset(after[name]) for name in starting)

    def work(name: str) -> Verdict:
        assert most.acquire(blocking=False), "more steps at once than the limit"
        assert set(ended).issuperset(after[name])
        most.release()
        ended.append(name)
        return YES

    left = run_graph(
        Graph(names, after, after),
        work,
        lambda *_: None,
        limit=limit,
        cancellation=Cancellation(),
        before_start=before_start,
    )
    assert (left, sorted(ended), recorded) == ((), sorted(names), set(names))
