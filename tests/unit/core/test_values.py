"""What `f0ci.core.values` makes is what `dataclasses` makes of the same declaration."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from threading import Barrier, Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.core import values

# type checkers take it for the class decorator of `dataclasses`, which takes no declaration twice
make: Any = values.dataclass


def _point() -> type:
    class Point:
        """A place."""

        x: int
        y: int = 0
        names: list[str] = field(default_factory=list, compare=False)
        secret: str = field(default="hidden", repr=False)
        known: dict[str, int] = field(default_factory=dict, init=False, compare=False)

        @property
        def far(self) -> int:
            """How far it is."""
            return self.x + self.y

    return Point


def _one() -> type:
    class One:
        only: object = None

    return One


def _nothing() -> type:
    class Nothing:
        pass

    return Nothing


_KINDS: list[dict[str, bool]] = [
    {"frozen": True},
    {"frozen": True, "order": True},
    {"frozen": True, "eq": False},
    {},
]


def _pair(declare: Callable[[], type], **kind: bool) -> tuple[Any, Any]:
    # dataclasses changes what it is given
    return make(slots=True, **kind)(declare()), dataclasses.dataclass(slots=True, **kind)(declare())


OURS = make(slots=True, frozen=True)(_point())
# pickle looks a class up by its name
OURS.__qualname__ = "OURS"
_coordinates = st.tuples(st.integers(-2, 2), st.integers(-2, 2), st.lists(st.text(max_size=2), max_size=2))


@pytest.mark.parametrize("kind", _KINDS, ids=str)
@given(first=_coordinates, second=_coordinates)
def test_values_compare_and_show_as_those_of_dataclasses(
    kind: dict[str, bool], first: tuple[Any, ...], second: tuple[Any, ...]
) -> None:
    ours, theirs = _pair(_point, **kind)
    a, b, c, d = ours(*first), ours(*second), theirs(*first), theirs(*second)
    assert (a == b, a == ours(*first)) == (c == d, c == theirs(*first))
    assert a != c
    assert repr(a) == repr(c)
    assert a.far == c.far
    assert (ours.__hash__ is None) == (theirs.__hash__ is None)
    if kind.get("frozen") and kind.get("eq", True):
        assert (hash(a) == hash(b)) == (hash(c) == hash(d))
    if kind.get("order"):
        assert (a < b, a <= b, a > b, a >= b) == (c < d, c <= d, c > d, c >= d)
    assert dataclasses.astuple(a) == dataclasses.astuple(c)
    assert dataclasses.asdict(a) == dataclasses.asdict(c)
    assert repr(dataclasses.replace(a, y=9)) == repr(dataclasses.replace(c, y=9))
    assert [(one.name, one.type, one.default) for one in dataclasses.fields(ours)] == [
        (one.name, one.type, one.default) for one in dataclasses.fields(theirs)
    ]
    match a:
        case ours(x, y, names):
            assert (x, y, names) == first


_CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, 2, ["a"], "b"), {}),
    ((1,), {"names": ["a"], "secret": "b"}),
    ((), {"y": 2, "x": 1}),
    ((), {}),
    ((1,), {"x": 1}),
    ((1, 2, [], "", 5), {}),
    ((1,), {"known": {}}),
]


@pytest.mark.parametrize(("arguments", "named"), _CALLS)
def test_few_values_are_what_many_are(arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    """The first are filled field by field, later ones by what was compiled meanwhile."""

    def said(kind: type) -> object:
        try:
            return dataclasses.astuple(kind(*arguments, **named))
        except TypeError as error:
            return str(error).partition(".")[2]

    ours, theirs = _pair(_point, frozen=True)
    for _ in range(values._FEW + 2):
        assert said(ours) == said(theirs)
        dataclasses.astuple(ours(1))


@pytest.mark.parametrize("kind", _KINDS, ids=str)
@pytest.mark.parametrize("declared", [_one, _nothing])
def test_one_field_and_none(kind: dict[str, bool], declared: Callable[[], type]) -> None:
    ours, theirs = _pair(declared, **kind)
    assert repr(ours()) == repr(theirs())
    assert (ours() == ours()) == (theirs() == theirs())
    nan = float("nan")
    if declared is _one:
        assert (ours(nan) == ours(nan)) == (theirs(nan) == theirs(nan))


def test_nothing_of_a_frozen_value_changes() -> None:
    value = OURS(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        value.x = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del value.x
    with pytest.raises(FrozenInstanceError):
        value.other = 2
    assert not hasattr(value, "__dict__")


def test_each_value_has_its_own_of_what_is_made_for_it() -> None:
    assert OURS(1).names is not OURS(1).names


@pytest.mark.parametrize(
    ("arguments", "named", "message"),
    [((), {}, "missing 1 required"), ((1, 2, [], "", 5), {}, "takes from"), ((1,), {"z": 1}, "unexpected keyword")],
)
def test_calls_that_do_not_fit_are_refused(arguments: tuple[Any, ...], named: dict[str, Any], message: str) -> None:
    for _ in range(2):
        with pytest.raises(TypeError, match=message):
            make(slots=True, frozen=True)(_point())(*arguments, **named)


def test_values_are_copied_and_sent_to_other_processes() -> None:
    value = OURS(1, 2, ["a"], "key")
    for other in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):  # noqa: S301 - our own
        assert dataclasses.astuple(other) == dataclasses.astuple(value)


def test_what_is_checked_after_making_is_checked() -> None:
    class Declared:
        x: int

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("x is negative")

    ours = make(slots=True, frozen=True)(Declared)
    assert ours(1).x == 1
    with pytest.raises(ValueError, match="negative"):
        ours(-1)


def test_own_methods_stay() -> None:
    def declare() -> type:
        class Declared:  # noqa: PLW1641 - making adds it
            x: int

            def __eq__(self, other: object) -> bool:
                return True

            def __repr__(self) -> str:
                return "own"

        return Declared

    ours, theirs = _pair(declare, frozen=True)
    assert repr(ours(1)) == repr(theirs(1)) == "own"
    assert (ours(1) == ours(2)) is (theirs(1) == theirs(2)) is True
    assert hash(ours(1)) == hash(ours(1)) == hash(theirs(1))


def test_a_class_below_may_have_more() -> None:
    class Below(OURS):  # type: ignore[misc,valid-type]
        __slots__ = ("_more",)

    below = Below(3, 4)
    object.__setattr__(below, "_more", 5)
    assert (below.far, below._more) == (7, 5)
    assert below != OURS(3, 4)


def test_many_threads_make_the_first_value_at_once() -> None:
    kinds = [make(slots=True, frozen=True)(_point()) for _ in range(50)]
    barrier = Barrier(4)
    made: list[int] = []

    def work() -> None:
        barrier.wait()
        made.extend(kind(1, 2).far for kind in kinds)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [3] * 200


class _Inherits(OURS):  # type: ignore[misc,valid-type]
    z: int = 0


class _Counts:
    count: ClassVar[int] = 0  # type: ignore[name-defined] # noqa: F821 - annotations are texts


class _Late:
    late: int = field(init=False, default=0)


class _Shared:
    shared: list[int] = []  # noqa: RUF012 - this is what is refused


@pytest.mark.parametrize("declared", [_Inherits, _Counts, _Late, _Shared])
def test_what_only_dataclasses_can_make_is_refused(declared: type) -> None:
    with pytest.raises(TypeError, match="let 'dataclasses' make"):
        make(slots=True, frozen=True)(declared)


def test_a_class_without_slots_is_refused() -> None:
    with pytest.raises(TypeError, match="without slots"):
        make(slots=False)
