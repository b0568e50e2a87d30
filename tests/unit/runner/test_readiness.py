"""Which steps may start, and what that costs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.core.outcome import Outcome
from f0ci.runner.options import RunOptions
from f0ci.runner.readiness import Graph, Moves, Readiness, Verdict
from tests.unit.runner.conftest import ECHO, Workspace

YES, NO, STOP = Verdict(), Verdict(satisfied=False, because="a"), Verdict(satisfied=False, stops=True)
SKIPPED, WAITS = Verdict(skipped=True), Verdict(waits=True)
AFTER = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}


def diamond(needs: bool = True, strict: Collection[str] = ()) -> Graph:
    """Return a -> b, c -> d, where d needs both, or only comes after them."""
    return Graph("abcd", AFTER, AFTER if needs else dict.fromkeys("abcd", ()), strict)


@pytest.mark.parametrize(
    ("over", "room", "graph", "expected"),
    [
        ({}, 4, diamond(), Moves(("a",))),
        ({}, 0, diamond(), Moves()),
        ({"a": WAITS}, 4, diamond(), Moves(("a",))),
        ({"a": YES}, 4, diamond(), Moves(("b", "c"))),
        ({"a": YES}, 1, diamond(), Moves(("b",))),
        ({"a": YES, "b": YES}, 4, diamond(), Moves(("c",))),
        ({"a": YES, "c": YES, "b": YES}, 4, diamond(), Moves(("d",))),
        ({"a": NO}, 4, diamond(), Moves((), {"b": NO, "c": NO})),
        ({"a": NO}, 4, diamond(needs=False), Moves(("b", "c"))),
        ({"a": YES, "b": NO}, 4, diamond(), Moves((), {"d": NO})),
        ({"a": SKIPPED}, 4, diamond(strict="c"), Moves((), {"c": NO})),
        ({"a": SKIPPED}, 4, diamond(needs=False, strict="c"), Moves(("b", "c"))),
        ({"a": YES, "b": STOP}, 4, diamond(), Moves()),
        ({"a": YES, "b": YES, "c": YES, "d": YES}, 4, diamond(), Moves()),
        # recorded before anybody looked, and so not blocked again
        ({"d": NO, "a": YES, "b": NO, "c": YES}, 4, diamond(), Moves()),
    ],
)
def test_moves_follow_from_what_is_over(over: dict[str, Verdict], room: int, graph: Graph, expected: Moves) -> None:
    assert Readiness(graph, over).moves(room) == expected


def test_no_move_is_told_twice() -> None:
    readiness = Readiness(diamond())

    assert [readiness.moves(1), readiness.moves(1)] == [Moves(("a",)), Moves()]
    readiness.end("a", YES)
    assert [readiness.moves(1), readiness.moves(1), readiness.moves(1)] == [Moves(("b",)), Moves(("c",)), Moves()]
    readiness.end("b", NO)
    assert [readiness.moves(1), readiness.moves(1)] == [Moves(blocked={"d": NO}), Moves()]


def by_looking_everywhere(graph: Graph, over: Mapping[str, Verdict], told: Collection[str], room: int) -> Moves:
    """Return the moves as the table says, by looking at every step anew."""
    if any(verdict.stops for verdict in over.values()):
        return Moves()
    blocked, ready = {}, []
    for name in graph.steps:
        if name in over or name in told:
            continue
        broken = [
            need
            for need in graph.needs[name]
            if need in over and (not over[need].satisfied or (over[need].skipped and name in graph.strict))
        ]
        if broken:
            blocked[name] = Verdict(satisfied=False, because=over[broken[0]].because or broken[0])
        elif set(graph.after[name]) <= over.keys():
            ready.append(name)
    return Moves(blocked=blocked) if blocked else Moves(tuple(ready[:room]))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Draw a graph of up to ten steps; some only come after others, some are strict."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 10)))]
    numbers = st.sets(st.integers(0, 9))
    after = {
        name: tuple(names[number] for number in draw(numbers) if number < index) for index, name in enumerate(names)
    }
    needs = {name: tuple(other for other in before if draw(st.booleans())) for name, before in after.items()}
    return Graph(draw(st.permutations(names)), after, needs, draw(st.sets(st.sampled_from(names))))


@given(graphs(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_it_is_what_looking_at_every_step_says(graph: Graph, chance: Random) -> None:
    readiness = Readiness(graph)
    over: dict[str, Verdict] = {}
    told: list[str] = []
    running: list[str] = []
    while True:
        room = chance.randint(1, 3)
        moves = readiness.moves(room)
        assert moves == by_looking_everywhere(graph, over, told, room)
        over.update(moves.blocked)
        told += moves.start
        running += moves.start
        if moves == Moves() and not running:
            break
        for name in chance.sample(running, min(len(running), room)):
            verdict = chance.choice([YES, YES, YES, SKIPPED, WAITS, Verdict(satisfied=False), STOP])
            readiness.end(name, verdict)
            running.remove(name)
            if not verdict.waits:
                over[name] = verdict


class _Counting(Mapping[str, tuple[str, ...]]):
    """A mapping that counts how often it is asked."""

    def __init__(self, data: dict[str, tuple[str, ...]]) -> None:
        self.data, self.asked = data, 0

    def __getitem__(self, name: str) -> tuple[str, ...]:
        self.asked += 1
        return self.data[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


def test_a_graph_is_asked_once_for_each_step_however_many_end() -> None:
    names = [f"s{number}" for number in range(500)]
    after = _Counting({name: tuple(names[max(0, index - 1) : index]) for index, name in enumerate(names)})
    readiness = Readiness(Graph(names, after, after))
    for name in names:
        assert readiness.moves(1).start == (name,)
        readiness.end(name, YES)

    # what it comes after, and what it needs
    assert after.asked == 2 * len(names)


SHAPES = {
    "a chain": "",
    "side by side": ", depends_on: []",
    "each asks the first": ", depends_on: [], condition: \"#{steps.s0.outcome == 'passed'}\"",
    "all but the first fail": ", error_handling: {on_failure: continue}, parameters: {n: '#{steps.s0.none}'}",
}


def calls_of(zoo: Workspace, count: int, more: str) -> int:
    """Return how many functions are called while a recipe of so many steps runs."""
    called = 0

    def count_it(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal called
        called += event in {"call", "c_call"}

    steps = "".join(f"  - {{name: s{number}, {ECHO}{more if number else ''}}}\n" for number in range(count))
    threading.setprofile(count_it)
    sys.setprofile(count_it)
    try:
        record = zoo.run(steps, options=RunOptions(parallel=1))
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    assert all(step.outcome is not Outcome.SKIPPED for step in record.steps)
    return called


@pytest.mark.parametrize("more", SHAPES.values(), ids=list(SHAPES))
def test_a_step_costs_the_same_in_a_recipe_of_many(zoo: Workspace, more: str) -> None:
    calls_of(zoo, 10, more)
    counts = [calls_of(zoo, count, more) for count in (10, 110, 210)]
    first_hundred, second_hundred = (after - before for before, after in pairwise(counts))

    assert 100 < second_hundred < 1.05 * first_hundred
