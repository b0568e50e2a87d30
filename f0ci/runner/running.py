"""The steps of one recipe, in their order, and of the recipes they call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from f0ci.core.cancellation import Cancellation
from f0ci.core.errors import InputError
from f0ci.core.outcome import Outcome, worst
from f0ci.recipes.composition import bind_parameters, find_recipe
from f0ci.recipes.graph import order
from f0ci.recipes.model import Recipe, Step
from f0ci.recipes.reading import read_recipe
from f0ci.recipes.records import StepRecord
from f0ci.runner.options import left_out
from f0ci.runner.scheduling import Graph, Verdict, run_graph
from f0ci.runner.secret_values import hide_sensitive
from f0ci.runner.session import Session, names_in_scope
from f0ci.runner.settings import continues
from f0ci.runner.stepping import Ended, Stepping, run_step, skipped
from f0ci.runner.steps.base import StepResult


@dataclass(frozen=True, slots=True)
class Ending:
    """How the steps of a recipe ended.

    Attributes:
        outcome: the worst of them.
        message: why, empty where all passed.
        records: in the order they ended, those that never ran last.
        outputs: outputs by step, unredacted.
        abandoned: True where a step could not be ended and may still be running.
    """

    outcome: Outcome
    message: str
    records: tuple[StepRecord, ...]
    outputs: Mapping[str, Any]
    abandoned: bool


@dataclass(slots=True)
class _Level:
    """One recipe of a run while its steps run.

    Attributes:
        chain: files of the recipes around this one, itself last.
        prefix: what stands before its steps' names, `parent/` inside a sub-recipe.
        ended: steps that are over, in that order.
        error: what `error` means to a step with `trigger: on_error`.
    """

    session: Session
    recipe: Recipe
    params: Mapping[str, Any]
    chain: tuple[str, ...]
    prefix: str
    ended: dict[str, Ended] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None


def run_steps(
    session: Session,
    recipe: Recipe,
    params: Mapping[str, Any],
    cancellation: Cancellation,
    *,
    timeout: float | None,
    chain: tuple[str, ...] = (),
    prefix: str = "",
) -> Ending:
    """Run the steps of a recipe.

    Args:
        session: the run.
        recipe: the recipe.
        params: its bound parameters.
        cancellation: ends the steps; the caller's.
        timeout: seconds for all of them, or None.
        chain: files of the recipes that called this one.
        prefix: what stands before the names of its steps.

    Raises:
        InputError: the steps have no order.
    """
    order_of = order(recipe)
    level = _Level(session, recipe, params, (*chain, recipe.path), prefix)
    absent = left_out(session.options, recipe.steps) if not chain else {}
    for step in recipe.steps:
        if step.name in absent:
            level.ended[step.name] = skipped(session, step, prefix + step.name, absent[step.name])
    limit = 1 if recipe.document.get(("execution", "parallel_execution")) is False else session.options.parallel
    with cancellation.child() as own:
        graph = _graph(recipe, order_of.predecessors, frozenset(level.ended))
        _run(level, graph, own, limit=limit, timeout=timeout, continue_on_error=session.options.continue_on_error)
        message = own.reason
    failures = [(name, end) for name, end in level.ended.items() if end.result.outcome > Outcome.PASSED]
    if failures and not cancellation.cancelled:
        level.error = _error(failures)
        handlers = [name for name in order_of.on_error if name not in level.ended]
        # one after the other, whatever happens to the one before
        waits = {name: tuple(handlers[index - 1 : index]) for index, name in enumerate(handlers)}
        with cancellation.child() as own:
            graph = Graph(handlers, waits, dict.fromkeys(handlers, ()))
            _run(level, graph, own, limit=1, timeout=None, continue_on_error=True)
    _skip_the_rest(level, message, failed=bool(failures))
    message = message or cancellation.reason
    return _ending(level, message or (f"step {failures[0][0]!r} {failures[0][1].result.outcome}" if failures else ""))


def _graph(recipe: Recipe, predecessors: Mapping[str, tuple[str, ...]], absent: frozenset[str]) -> Graph:
    steps = [name for name in predecessors if name not in absent]
    after = {name: _present(predecessors, absent, name) for name in steps}
    written = {step.name: frozenset(step.depends_on) for step in recipe.steps}
    # what only stands before a step, by idx, need not have passed
    needs = {name: tuple(before for before in after[name] if before in written[name]) for name in steps}
    return Graph(steps, after, needs)


def _present(predecessors: Mapping[str, tuple[str, ...]], absent: frozenset[str], name: str) -> tuple[str, ...]:
    """Return what a step comes after; in place of a step that is left out, what that one comes after."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    waiting = list(predecessors[name])
    while waiting:
        before = waiting.pop(0)
        if before in absent:
            if before not in seen:
                seen.add(before)
                waiting.extend(predecessors.get(before, ()))
        else:
            found[before] = None
    return tuple(found)


def _run(
    level: _Level,
    graph: Graph,
    cancellation: Cancellation,
    *,
    limit: int,
    timeout: float | None,
    continue_on_error: bool,
) -> None:
    steps = {step.name: step for step in level.recipe.steps}

    def work(name: str) -> Verdict:
        end = run_step(_stepping(level, steps[name], cancellation))
        level.ended[name] = end
        return verdict_of(steps[name], end.result, continue_on_error=continue_on_error)

    def blocked(name: str, because: str) -> None:
        reason = f"it needs {because!r}, which did not pass"
        level.ended[name] = skipped(level.session, steps[name], level.prefix + name, reason)

    unfinished = run_graph(graph, work, blocked, limit=limit, cancellation=cancellation, timeout=timeout)
    for name in unfinished:
        if name not in level.ended:
            reason = f"{cancellation.reason}; the step could not be ended"
            result = StepResult(Outcome.ERRORED, reason, terminal=True, abandoned=True)
            level.ended[name] = Ended(result, StepRecord(name, Outcome.ERRORED, attempts=1, message=reason))


def verdict_of(step: Step, result: StepResult, *, continue_on_error: bool) -> Verdict:
    """Return what a step's end means to the others.

    | outcome | satisfied | stops the run |
    |---|---|---|
    | skipped, passed | yes | no |
    | given up while it may still be running | no | yes |
    | failed or errored, and `on_failure` or the option says continue | no | no |
    | failed or errored | no | yes |
    """
    if result.outcome <= Outcome.PASSED:
        return Verdict()
    goes_on = (continues(step) or continue_on_error) and not result.abandoned
    return Verdict(satisfied=False, stops=not goes_on, because=step.name)


def _stepping(level: _Level, step: Step, cancellation: Cancellation) -> Stepping:
    over = {
        name: {"outputs": end.result.outputs, "outcome": str(end.result.outcome)}
        for name, end in dict(level.ended).items()
    }
    session = level.session
    scope = names_in_scope(level.recipe, level.params, session.environment, session.options)
    scope |= {"context": session.context, "steps": over} | ({} if level.error is None else {"error": level.error})
    path = level.prefix + step.name
    return Stepping(
        session=session,
        recipe=level.recipe,
        step=step,
        path=path,
        scope=scope,
        cancellation=cancellation,
        run_recipe=lambda file, params, timeout: _run_called(level, step, file, params, scope, cancellation, timeout),
    )


def _run_called(
    level: _Level,
    step: Step,
    file: str,
    params: Mapping[str, Any],
    scope: Mapping[str, Any],
    cancellation: Cancellation,
    timeout: float | None,
) -> StepResult:
    from f0ci.expressions.evaluation import evaluate

    session = level.session
    path = find_recipe(session.tree, str(evaluate(file, scope)), level.recipe.path)
    if path in level.chain:
        # only a path with an expression gets this far; the others are checked before the run
        raise InputError(f"recipes call each other in a circle: {' -> '.join((*level.chain, path))}", "end the circle")
    recipe = read_recipe(session.tree, path)
    seconds = min((limit for limit in (timeout, recipe.timeout) if limit is not None), default=None)
    bound = bind_parameters(recipe, params)
    hide_sensitive(recipe, bound, session.redactor)
    ending = run_steps(
        session,
        recipe,
        bound,
        cancellation,
        timeout=seconds,
        chain=level.chain,
        prefix=f"{level.prefix}{step.name}/",
    )
    # a sub-recipe of which every step was skipped did what its conditions say
    outcome = max(ending.outcome, Outcome.PASSED)
    return StepResult(outcome, ending.message, outputs=ending.outputs, steps=ending.records, abandoned=ending.abandoned)


def _error(failures: list[tuple[str, Ended]]) -> dict[str, Any]:
    name, end = failures[0]
    return {
        "step": name,
        "message": end.result.message,
        "outcome": str(end.result.outcome),
        "attempts": end.record.attempts,
        "steps": [failed for failed, _ in failures],
    }


def _skip_the_rest(level: _Level, reason: str, *, failed: bool) -> None:
    for step in level.recipe.steps:
        if step.name not in level.ended:
            calm = step.trigger == "on_error" and not failed
            words = "it runs only after a failure" if calm else reason or "the run stopped before it"
            level.ended[step.name] = skipped(level.session, step, level.prefix + step.name, words)


def _ending(level: _Level, message: str) -> Ending:
    ends = level.ended
    never_ran = [name for name, end in ends.items() if end.result.outcome is Outcome.SKIPPED]
    in_order = [*(name for name in ends if name not in never_ran), *never_ran]
    outcome = worst(end.result.outcome for end in ends.values())
    if outcome <= Outcome.PASSED and message:
        # stopped before anything failed: nobody knows how it would have ended
        outcome = Outcome.ERRORED
    return Ending(
        outcome,
        message,
        tuple(ends[name].record for name in in_order),
        {name: end.result.outputs for name, end in ends.items() if end.result.outputs},
        any(end.result.abandoned for end in ends.values()),
    )
