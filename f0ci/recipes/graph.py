"""The order of a recipe's steps.

| the step writes                          | it waits for                                                          |
|------------------------------------------|-----------------------------------------------------------------------|
| `depends_on: [a, b]`                     | `a` and `b`, nothing else                                             |
| `depends_on: []`                         | nothing                                                               |
| no `depends_on` (or null)                | the stretch of steps right before it                                  |
| no `depends_on`, and a `parallel_group`  | the stretch right before the first step of its own stretch            |
| `trigger: on_error`                      | has no place in the order: it runs after a failure, in written order  |

"Before" is by `idx`; a step without `idx` stands right behind the step written before it, and equal `idx` fall back to
the written order. A stretch is a run of neighbours in that order with the same `parallel_group`; a step without a
group is a stretch of its own. So in a recipe without any `depends_on` the steps run one after the other, those of one
group side by side.

`idx` orders only what no `depends_on` orders: where waiting for the stretch before would close a circle, because
`depends_on` already puts a step of it behind this one, that stretch is passed over and the one before it is tried.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from graphlib import CycleError, TopologicalSorter

from f0ci.core.errors import InputError
from f0ci.core.suggestions import did_you_mean
from f0ci.core.values import dataclass
from f0ci.recipes.model import Recipe, Step

ON_ERROR = "on_error"
_MASK_BITS = 4_096


@dataclass(frozen=True, slots=True)
class StepGraph:
    """Which step waits for which.

    Attributes:
        predecessors: for each step the steps it waits for; keys and values in the order of `idx`.
        on_error: steps that run only after a failure, in written order.
    """

    predecessors: Mapping[str, tuple[str, ...]]
    on_error: tuple[str, ...] = ()
    _depths: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def batches(self) -> tuple[tuple[str, ...], ...]:
        """Return the steps in stretches: each waits only for earlier stretches, its members run side by side."""
        rank = {name: index for index, name in enumerate(self.predecessors)}
        sorter = TopologicalSorter(self.predecessors)
        sorter.prepare()
        found: list[tuple[str, ...]] = []
        while sorter.is_active():
            ready = sorter.get_ready()
            found.append(tuple(sorted(ready, key=rank.__getitem__)))
            sorter.done(*ready)
        return tuple(found)

    def successors(self, name: str) -> frozenset[str]:
        """Return every step that waits for a step, directly or through others."""
        after: dict[str, list[str]] = {}
        for step, before in self.predecessors.items():
            for other in before:
                after.setdefault(other, []).append(step)
        found: set[str] = set()
        waiting = [name]
        while waiting:
            fresh = set(after.get(waiting.pop(), ())) - found
            found |= fresh
            waiting.extend(fresh)
        return frozenset(found)

    def waits(self, step: str, other: str) -> bool:
        """Tell whether a step waits for another, directly or through others; False where one has no place here.

        A step is deeper than all it waits for, so only what lies between the two is looked at.
        """
        depths = self._known_depths()
        if step not in depths or other not in depths:
            return False
        seen, waiting = {step}, [step]
        while waiting:
            for before in self.predecessors[waiting.pop()]:
                if before == other:
                    return True
                if before not in seen and depths[before] > depths[other]:
                    seen.add(before)
                    waiting.append(before)
        return False

    def _known_depths(self) -> dict[str, int]:
        if not self._depths:
            depths: dict[str, int] = {}
            for name in TopologicalSorter(self.predecessors).static_order():
                depths[name] = 1 + max((depths[before] for before in self.predecessors[name]), default=0)
            self._depths.update(depths)
        return self._depths


def order(recipe: Recipe) -> StepGraph:
    """Return which step waits for which.

    Raises:
        InputError: two steps share a name, a dependency is unknown or runs only after failures, or steps wait for
            each other.
    """
    _check_names(recipe)
    on_error = tuple(step.name for step in recipe.steps if step.trigger == ON_ERROR)
    graph = StepGraph(_predecessors(recipe.steps), on_error)
    cycle = _cycle(recipe.steps, graph.predecessors)
    if cycle is not None:
        step = recipe.step(cycle[0])
        raise InputError(
            f"steps wait for each other: {' -> '.join(cycle)}",
            "remove one of these dependencies",
            place=_place(recipe, step, "depends_on"),
        )
    return graph


def find_cycle(steps: Sequence[Step]) -> tuple[str, ...] | None:
    """Return steps that wait for each other, each for the next, the first again at the end; None where none do.

    Unknown dependencies are passed over.
    """
    return _cycle(steps, _predecessors(steps))


def is_in_order(recipe: Recipe) -> bool:
    """Tell whether a recipe's steps are written in an order in which they can run.

    That is: each has a name of its own and waits only for steps that are written before it, and the `idx` of those that
    have one rises. Nearly all recipes are written so, and whatever concerns circles, unknown or doubled names and
    numbers in the wrong order need not look any further.
    """
    seen: set[str] = set()
    last = float("-inf")
    for step in recipe.steps:
        if not seen.issuperset(step.depends_on):
            return False
        if step.idx is not None:
            if step.idx <= last:
                return False
            last = step.idx
        seen.add(step.name)
    return len(seen) == len(recipe.steps)


def in_order(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps that have a place in the order, by `idx`, then as written."""
    placed: list[tuple[float, int, Step]] = []
    last = float("-inf")
    for index, step in enumerate(steps):
        last = last if step.idx is None else step.idx
        if step.trigger != ON_ERROR:
            placed.append((last, index, step))
    placed.sort(key=lambda entry: entry[:2])
    return tuple(step for _, _, step in placed)


def _predecessors(written: Sequence[Step]) -> dict[str, tuple[str, ...]]:
    steps = in_order(written)
    rank = {step.name: index for index, step in enumerate(steps)}
    found: dict[str, tuple[str, ...]] = {step.name: () for step in steps}
    forward = False
    for index, step in enumerate(steps):
        known = sorted({rank[name] for name in step.depends_on if name in rank})
        forward = forward or any(other >= index for other in known)
        found[step.name] = tuple(steps[other].name for other in known)
    stretches = _stretches(steps)
    # nothing leads to a step that no `depends_on` names
    awaited = {name for step in steps for name in step.depends_on}
    for number, stretch in enumerate(stretches):
        for step in stretch:
            if step.raw.get("depends_on") is not None:
                continue
            for before in reversed(stretches[:number]):
                names = tuple(other.name for other in before)
                if not forward or step.name not in awaited or not _reaches(found, names, step.name):
                    found[step.name] = names
                    break
    return found


def _stretches(steps: tuple[Step, ...]) -> list[list[Step]]:
    found: list[list[Step]] = []
    for step in steps:
        if found and step.parallel_group is not None and found[-1][-1].parallel_group == step.parallel_group:
            found[-1].append(step)
        else:
            found.append([step])
    return found


def ways(predecessors: Mapping[str, tuple[str, ...]], asked: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Return those of some pairs of steps whose second waits for the first, directly or through others.

    All pairs are answered together: a mask for each step says which of the asked ones are over when it starts. The
    masks are narrow, so that a recipe of many thousand steps neither takes long nor fills the memory.

    Args:
        predecessors: for each step those it waits for, without circles.
        asked: pairs of names, the first the one that may have to be over.
    """
    firsts = sorted({first for first, _ in asked if first in predecessors})
    ranked = tuple(TopologicalSorter(predecessors).static_order()) if firsts else ()
    by_first: dict[str, list[str]] = {}
    for first, second in asked:
        by_first.setdefault(first, []).append(second)
    found: set[tuple[str, str]] = set()
    for start in range(0, len(firsts), _MASK_BITS):
        block = firsts[start : start + _MASK_BITS]
        bits = {name: 1 << number for number, name in enumerate(block)}
        over: dict[str, int] = {}
        for name in ranked:
            mask = 0
            for other in predecessors.get(name, ()):
                mask |= over[other] | bits.get(other, 0)
            over[name] = mask
        found.update(
            (first, second) for first in block for second in by_first[first] if over.get(second, 0) & bits[first]
        )
    return frozenset(found)


def _reaches(predecessors: Mapping[str, tuple[str, ...]], starts: tuple[str, ...], goal: str) -> bool:
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            waiting.extend(predecessors[name])
    return False


def _cycle(steps: Sequence[Step], predecessors: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    if _all_point_back(predecessors):
        return None
    try:
        TopologicalSorter(predecessors).prepare()
    except CycleError as error:
        # graphlib names each step before the one that waits for it
        names = list(reversed(error.args[1][1:]))
        written = {step.name: index for index, step in enumerate(steps)}
        first = min(range(len(names)), key=lambda index: written[names[index]])
        return (*names[first:], *names[:first], names[first])
    return None


def _all_point_back(predecessors: Mapping[str, tuple[str, ...]]) -> bool:
    """Tell whether every step waits only for such as come before it, which rules circles out."""
    seen: set[str] = set()
    for name, before in predecessors.items():
        if not seen.issuperset(before):
            return False
        seen.add(name)
    return True


def _check_names(recipe: Recipe) -> None:
    steps: dict[str, Step] = {}
    for step in recipe.steps:
        if step.name in steps:
            raise InputError(
                f"two steps are called {step.name!r}",
                "give one of them another name",
                place=_place(recipe, step, "name"),
            )
        steps[step.name] = step
    for step in recipe.steps:
        for name in step.depends_on:
            if name not in steps:
                hint = did_you_mean(name, set(steps) - {step.name}, noun="steps")
                raise InputError(
                    f"step {step.name!r} waits for {name!r}, which does not exist",
                    hint,
                    place=_place(recipe, step, "depends_on"),
                )
            if steps[name].trigger == ON_ERROR and step.trigger != ON_ERROR:
                raise InputError(
                    f"step {step.name!r} waits for {name!r}, which runs only after a failure",
                    "remove the dependency, or the trigger",
                    place=_place(recipe, step, "depends_on"),
                )


def _place(recipe: Recipe, step: Step | None, key: str) -> str:
    at = ("steps",) if step is None else (*step.at, key)
    return str(recipe.document.location(at))
