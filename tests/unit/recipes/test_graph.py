"""The order of steps."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.core.errors import InputError
from f0ci.recipes.graph import find_cycle, is_in_order, order
from f0ci.recipes.model import Recipe
from f0ci.recipes.reading import recipe_from
from f0ci.source.document import parse_document


def _recipe(*steps: dict[str, Any]) -> Recipe:
    lines = "".join(f"  - {json.dumps(step)}\n" for step in steps)
    return recipe_from(parse_document("recipes/r.yaml", f"steps:\n{lines}".encode()))


def _step(name: str, **keys: Any) -> dict[str, Any]:
    return {"name": name, **keys}


@pytest.mark.parametrize(
    ("steps", "predecessors"),
    [
        ([], {}),
        ([_step("a")], {"a": ""}),
        ([_step("a"), _step("b"), _step("c")], {"a": "", "b": "a", "c": "b"}),
        ([_step("a", idx=3), _step("b", idx=1), _step("c", idx=2)], {"b": "", "c": "b", "a": "c"}),
        ([_step("a", idx=2), _step("b"), _step("c", idx=1)], {"c": "", "a": "c", "b": "a"}),
        ([_step("a", idx=1), _step("b", idx=1), _step("c", idx=0.5)], {"c": "", "a": "c", "b": "a"}),
        (
            [_step("a"), _step("b", parallel_group="g"), _step("c", parallel_group="g"), _step("d")],
            {"a": "", "b": "a", "c": "a", "d": "bc"},
        ),
        (
            [_step("a", parallel_group="g"), _step("b", parallel_group="h"), _step("c", parallel_group="g")],
            {"a": "", "b": "a", "c": "b"},
        ),
        ([_step("a"), _step("b", depends_on=["a"]), _step("c", depends_on=["a"])], {"a": "", "b": "a", "c": "a"}),
        ([_step("a"), _step("b", depends_on=[]), _step("c", depends_on="a")], {"a": "", "b": "", "c": "a"}),
        ([_step("a"), _step("b", depends_on=None)], {"a": "", "b": "a"}),
        (
            [_step("a"), _step("b", depends_on=["a"]), _step("c"), _step("d", depends_on=["a"])],
            {"a": "", "b": "a", "c": "b", "d": "a"},
        ),
        (
            [
                _step("a"),
                _step("b", depends_on=["a"], parallel_group="g"),
                _step("c", parallel_group="g"),
                _step("d", depends_on=["a", "a"]),
            ],
            {"a": "", "b": "a", "c": "a", "d": "a"},
        ),
        # idx yields where depends_on says otherwise: a waits for c, so c can wait neither for a nor for b behind it
        ([_step("a", depends_on=["c"]), _step("b"), _step("c")], {"a": "c", "b": "a", "c": ""}),
        (
            [_step("x"), _step("a", depends_on=["c"]), _step("b"), _step("c")],
            {"x": "", "a": "c", "b": "a", "c": "x"},
        ),
        ([_step("a"), _step("e", trigger="on_error", depends_on=[]), _step("b")], {"a": "", "b": "a"}),
    ],
)
def test_steps_wait_for_what_the_table_says(steps: list[dict[str, Any]], predecessors: dict[str, str]) -> None:
    graph = order(_recipe(*steps))

    assert {name: "".join(before) for name, before in graph.predecessors.items()} == predecessors
    assert list(graph.predecessors) == list(predecessors)


def test_batches_hold_what_may_run_side_by_side() -> None:
    graph = order(
        _recipe(
            _step("load"),
            _step("b", depends_on=["load"]),
            _step("a", depends_on=["load"]),
            _step("free", depends_on=[]),
            _step("report", depends_on=["a", "b"]),
            _step("rescue", trigger="on_error"),
            _step("mourn", trigger="on_error", depends_on=["rescue"]),
        )
    )

    assert graph.batches() == (("load", "free"), ("b", "a"), ("report",))
    assert graph.on_error == ("rescue", "mourn")
    assert graph.successors("load") == {"a", "b", "report"}
    assert graph.successors("report") == frozenset()


@pytest.mark.parametrize(
    ("steps", "cycle", "line"),
    [
        ([_step("a", depends_on=["a"])], "a -> a", 2),
        ([_step("x"), _step("a", depends_on=["b"]), _step("b", depends_on=["a"])], "a -> b -> a", 3),
        (
            [_step("c", depends_on=["b"]), _step("b", depends_on=["a"]), _step("a", depends_on=["c"])],
            "c -> b -> a -> c",
            2,
        ),
    ],
)
def test_a_circle_is_spelled_out(steps: list[dict[str, Any]], cycle: str, line: int) -> None:
    recipe = _recipe(*steps)

    found = find_cycle(recipe.steps)
    assert found is not None
    assert " -> ".join(found) == cycle
    with pytest.raises(InputError) as caught:
        order(recipe)
    assert caught.value.message == f"steps wait for each other: {cycle}"
    assert (caught.value.place or "").startswith(f"recipes/r.yaml:{line}:")


@pytest.mark.parametrize(
    ("steps", "message", "hint"),
    [
        (
            [_step("load"), _step("b", depends_on=["laod"])],
            "step 'b' waits for 'laod', which does not exist",
            "did you mean 'load'?",
        ),
        ([_step("a", depends_on=["zzz"])], "step 'a' waits for 'zzz', which does not exist", None),
        ([_step("a"), _step("a")], "two steps are called 'a'", "give one of them another name"),
        (
            [_step("e", trigger="on_error"), _step("a", depends_on=["e"])],
            "step 'a' waits for 'e', which runs only after a failure",
            "remove the dependency, or the trigger",
        ),
        (
            [_step("a"), _step("e", trigger="on_error", depends_on=["b"])],
            "step 'e' waits for 'b', which does not exist",
            None,
        ),
    ],
)
def test_what_has_no_order_is_refused(steps: list[dict[str, Any]], message: str, hint: str | None) -> None:
    with pytest.raises(InputError) as caught:
        order(_recipe(*steps))

    assert caught.value.message == message
    if hint:
        assert caught.value.hint == hint
    assert (caught.value.place or "").startswith("recipes/r.yaml:")


def test_unknown_dependencies_are_no_circle() -> None:
    assert find_cycle(_recipe(_step("a", depends_on=["nope"]), _step("b")).steps) is None


@st.composite
def _recipes(draw: st.DrawFn) -> Recipe:
    """Draw a recipe whose written dependencies close no circle, in any order of steps."""
    count = draw(st.integers(1, 8))
    ranks = draw(st.permutations(range(count)))
    steps = []
    for number in range(count):
        keys: dict[str, Any] = {}
        if draw(st.booleans()):
            earlier = [other for other in range(count) if ranks[other] < ranks[number]]
            keys["depends_on"] = (
                draw(st.lists(st.sampled_from([f"s{n}" for n in earlier]), unique=True)) if earlier else []
            )
        if draw(st.booleans()):
            keys["idx"] = draw(st.integers(0, 5))
        if draw(st.booleans()):
            keys["parallel_group"] = draw(st.sampled_from("gh"))
        steps.append(_step(f"s{number}", **keys))
    return _recipe(*steps)


@settings(deadline=None, max_examples=300)
@given(_recipes())
def test_the_order_of_steps_never_closes_a_circle_by_itself(recipe: Recipe) -> None:
    graph = order(recipe)

    batches = graph.batches()
    rank = {name: number for number, batch in enumerate(batches) for name in batch}
    assert (
        sorted(rank)
        == sorted(step.name for step in recipe.steps)
        == sorted(name for batch in batches for name in batch)
    )
    assert all(rank[before] < rank[name] for name, names in graph.predecessors.items() for before in names)
    for step in recipe.steps:
        if "depends_on" in step.raw:
            assert set(graph.predecessors[step.name]) == set(step.depends_on)


@settings(deadline=None)
@given(_recipes())
def test_what_waits_for_a_step_are_its_successors(recipe: Recipe) -> None:
    graph = order(recipe)

    for name in graph.predecessors:
        assert {other for other in graph.predecessors if graph.waits(other, name)} == graph.successors(name)
    assert not graph.waits("nobody", "knows")


@given(_recipes(), st.data())
def test_a_circle_in_depends_on_is_always_found(recipe: Recipe, data: st.DataObject) -> None:
    graph = order(recipe)
    first = data.draw(st.sampled_from([step.name for step in recipe.steps]))
    later = [name for name in graph.successors(first) if "depends_on" in (recipe.step(name) or recipe.steps[0]).raw]
    if not later:
        return
    last = data.draw(st.sampled_from(sorted(later)))
    steps = [dict(step.raw) for step in recipe.steps]
    for step in steps:
        if step["name"] == first:
            step["depends_on"] = [*step.get("depends_on", []), last]
    changed = _recipe(*steps)

    cycle = find_cycle(changed.steps)
    if cycle is None:
        # what was between the two was implied, and has yielded
        assert order(changed).predecessors[first]
        return
    assert cycle[0] == cycle[-1]
    for name, other in pairwise(cycle):
        waiting = changed.step(name)
        assert waiting is not None
        assert other in waiting.depends_on or "depends_on" not in waiting.raw


def _calls(ordered: Callable[[], object]) -> int:
    """Return how many functions are called meanwhile."""
    called = 0

    def count_it(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal called
        called += event in {"call", "c_call"}

    sys.setprofile(count_it)
    try:
        ordered()
    finally:
        sys.setprofile(None)
    return called


def _batches(recipe: Recipe) -> object:
    return order(recipe).batches()


def test_a_step_costs_the_same_in_a_long_recipe() -> None:
    def chain(count: int) -> Recipe:
        return _recipe(*(_step(f"s{n}", **({"depends_on": [f"s{n - 1}"]} if n % 3 else {})) for n in range(count)))

    recipes = [chain(count) for count in (3, 303, 603)]
    first, second, third = (_calls(partial(_batches, recipe)) for recipe in recipes)

    assert 300 < third - second < 1.1 * (second - first)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], True),
        ([_step("a"), _step("b", depends_on=["a"]), _step("c", depends_on=["a", "b"])], True),
        ([_step("a", idx=1), _step("b"), _step("c", idx=1.5), _step("d", idx=2)], True),
        ([_step("a"), _step("a")], False),
        ([_step("a", depends_on=["a"])], False),
        ([_step("a", depends_on=["b"]), _step("b")], False),
        ([_step("a", depends_on=["nobody"])], False),
        ([_step("a", idx=1), _step("b"), _step("c", idx=1)], False),
        ([_step("a", idx=2), _step("b", idx=1)], False),
    ],
)
def test_whether_steps_are_written_in_order(steps: list[dict[str, Any]], said: bool) -> None:
    """What is written so has no circle, no doubled and no unknown name."""
    assert is_in_order(_recipe(*steps)) is said


@given(
    st.lists(
        st.builds(
            lambda name, before, idx: _step(name, depends_on=before, **({} if idx is None else {"idx": idx})),
            st.sampled_from("abcd"),
            st.lists(st.sampled_from("abcde"), max_size=2),
            st.none() | st.integers(0, 3),
        ),
        max_size=4,
    )
)
def test_steps_in_order_can_be_ordered(steps: list[dict[str, Any]]) -> None:
    """Whatever is said to stand in order is ordered without complaint, as it is written."""
    recipe = _recipe(*steps)
    if is_in_order(recipe):
        assert list(order(recipe).predecessors) == [step.name for step in recipe.steps]
