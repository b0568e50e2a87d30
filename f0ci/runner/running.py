"""The steps of one recipe, in their order, and of the recipes they call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from f0ci.core.cancellation import Cancellation
from f0ci.core.errors import F0ciError, InputError
from f0ci.core.outcome import Outcome
from f0ci.recipes.composition import bind_parameters, find_recipe, is_dynamic
from f0ci.recipes.model import Recipe, Step
from f0ci.recipes.records import StepRecord
from f0ci.runner.events import StepNoted
from f0ci.runner.frozen import called_recipe
from f0ci.runner.levels import (
    Ending,
    Level,
    ending_of,
    error_of,
    of_failure,
    pausing,
    recall,
    skip_the_rest,
    unrecorded_of,
)
from f0ci.runner.options import left_out
from f0ci.runner.readiness import Graph
from f0ci.runner.scheduling import run_graph
from f0ci.runner.secret_values import hide_sensitive
from f0ci.runner.session import Session, names_around, names_in_scope
from f0ci.runner.shapes import one_by_one, shape_of
from f0ci.runner.stepping import Ended, Stepping, run_step, skipped
from f0ci.runner.steps.base import StepResult
from f0ci.runner.undoing import UNDO, is_left, undo_steps, wants_undo
from f0ci.runner.verdicts import verdict_of


def run_steps(
    session: Session,
    recipe: Recipe,
    params: Mapping[str, Any],
    cancellation: Cancellation,
    *,
    timeout: float | None,
    spent: float = 0.0,
    chain: tuple[str, ...] = (),
    prefix: str = "",
    round_: str = "",
) -> Ending:
    """Run the steps of a recipe; those that the journal knows to be over do not run again.

    Args:
        session: the run.
        recipe: the recipe.
        params: its bound parameters.
        cancellation: ends the steps; the caller's.
        timeout: seconds for all of them, or None.
        spent: seconds of it that are over already.
        chain: files of the recipes that called this one.
        prefix: what stands before the names of its steps.
        round_: attempts of the steps that called it.

    Raises:
        InputError: the steps have no order.
        JournalError: the journal cannot be written; what it holds is enough to go on later.
    """
    graph = session.plan.graph(recipe)
    session.graphs[prefix] = graph
    undo = _undo_of(session, recipe)
    steps = {step.name: step for step in (*recipe.steps, *undo)}
    names = names_in_scope(recipe, params, session.environment, session.options)
    level = Level(session, recipe, params, (*chain, recipe.path), prefix, round_, steps, names)
    absent = left_out(session.options, recipe.steps, graph) if not chain else {}
    recall(level)
    for step in recipe.steps:
        if step.name in absent and step.name not in level.ended:
            level.end(step.name, skipped(session, step, prefix + step.name, absent[step.name]))
    limit = 1 if recipe.document.get(("execution", "parallel_execution")) is False else session.options.parallel
    with cancellation.child() as own:
        shape = shape_of(recipe, graph.predecessors, frozenset(absent))
        _run(
            level,
            shape,
            own,
            limit=limit,
            timeout=timeout,
            spent=spent,
            continue_on_error=session.options.continue_on_error,
        )
        message = own.reason
    failures = [
        (name, end)
        for name, end in level.ended.items()
        if end.result.outcome > Outcome.WAITING and recipe.step(name) is not None
    ]
    halted = any(_stops(level, end) for _, end in failures)
    if level.waiting and not message and not halted:
        return pausing(level)
    if failures and not cancellation.cancelled:
        handlers = [name for name in graph.on_error if name not in absent]
        message = _answer(level, failures, undo, handlers, cancellation, message)
        if level.waiting and not cancellation.cancelled:
            return pausing(level)
    skip_the_rest(level, message, failed=bool(failures))
    message = message or cancellation.reason or (of_failure(failures) if failures else "")
    unrecorded = unrecorded_of(level)
    if chain and unrecorded:
        session.recorder.record(round_, unrecorded, ())
        unrecorded = ()
    return ending_of(level, message, unrecorded)


def _answer(
    level: Level,
    failures: list[tuple[str, Ended]],
    undo: Sequence[Step],
    handlers: Sequence[str],
    cancellation: Cancellation,
    message: str,
) -> str:
    """Undo what is to be undone after failures, then run what answers them; return the message with what became of it.

    Where a step of it waits, the rest has to be asked for again.
    """
    level.error = error_of(failures, level)
    # what waited for its turn has none any more; what answers the failure may wait itself
    level.waiting.clear()
    if wants_undo(level.recipe, [level.steps[name] for name, _ in failures]):
        message = _undo(level, undo, cancellation, message or of_failure(failures))
        if level.waiting and not cancellation.cancelled:
            return message
    level.error = error_of(failures, level)
    _run(level, one_by_one(handlers), cancellation, limit=1, timeout=None, continue_on_error=True)
    return message


def _run(
    level: Level,
    graph: Graph,
    cancellation: Cancellation,
    *,
    limit: int,
    timeout: float | None,
    continue_on_error: bool,
    spent: float = 0.0,
) -> None:
    session = level.session

    def verdict(name: str, end: Ended) -> Any:
        return verdict_of(level.steps[name], end.result, continue_on_error=continue_on_error)

    def work(name: str) -> Any:
        end = run_step(_stepping(level, level.steps[name], cancellation))
        if end.result.outcome is Outcome.WAITING:
            level.wait(name, end)
        else:
            level.end(name, end)
        return verdict(name, end)

    def blocked(name: str, because: str) -> None:
        outcome = level.ended[because].result.outcome if because in level.ended else None
        words = "was skipped, and that does not do" if outcome is Outcome.SKIPPED else "did not pass"
        reason = f"it needs {because!r}, which {words}"
        level.end(name, skipped(session, level.steps[name], level.prefix + name, reason))

    def before_start(starting: Sequence[str]) -> None:
        unrecorded = unrecorded_of(level)
        kinds = ((level.prefix + name, level.steps[name].kind) for name in starting)
        # a wait does nothing that a record must come before: it is recorded once it waits
        begun = [(path, kind) for path, kind in kinds if kind != "wait"]
        if unrecorded or begun:
            session.recorder.record(level.round, unrecorded, begun)

    def look() -> None:
        asked = session.recorder.cancel_asked()
        if asked is not None:
            cancellation.whole.cancel(asked)

    unfinished = run_graph(
        graph,
        work,
        blocked,
        limit=limit,
        cancellation=cancellation,
        threads=session.threads,
        timeout=timeout,
        spent=spent,
        over={name: verdict(name, end) for name, end in level.ended.items() if name in graph.after},
        before_start=before_start,
        can_end=lambda name: level.prefix + name not in session.unending,
        look=None if level.prefix else look,
    )
    for name in unfinished:
        if name not in level.ended:
            reason = f"{cancellation.reason}; the step could not be ended, it was left behind"
            result = StepResult(Outcome.ERRORED, reason, terminal=True, abandoned=True)
            level.end(name, Ended(result, StepRecord(name, Outcome.ERRORED, attempts=1, message=reason)))


def _stops(level: Level, end: Ended) -> bool:
    step = level.steps[end.record.name]
    return verdict_of(step, end.result, continue_on_error=level.session.options.continue_on_error).stops


def _undo(level: Level, undo: Sequence[Step], cancellation: Cancellation, message: str) -> str:
    """Undo the steps that passed, the last one first; return the message with what became of it."""
    by_step = {step.name: step for step in undo}
    ways = [(by_step.get(f"{name}.compensate"), end) for name, end in reversed(level.ended.items())]
    names = [how.name for how, end in ways if how is not None and is_left(how, end.result.outcome, end.record.steps)]
    names += [step.name for step in undo if step.at[0] != "steps"]
    if not names:
        text = "the recipe wants this undone, and says nowhere how: write 'compensate' under steps that passed"
        level.session.tell(StepNoted(level.prefix.rstrip("/"), "rollback", text))
        return message
    _run(level, one_by_one(names), cancellation, limit=1, timeout=None, continue_on_error=True)
    if level.waiting:
        return message
    bad = [name for name in names if name not in level.ended or level.ended[name].result.outcome is not Outcome.PASSED]
    words = f"undone by {', '.join(name for name in names if name not in bad)}" if len(bad) < len(names) else ""
    trouble = f"not undone, a person is needed: {', '.join(bad)}" if bad else ""
    return "; ".join(part for part in (message, words, trouble) if part)


def _undo_of(session: Session, recipe: Recipe) -> tuple[Step, ...]:
    """Return the steps that undo a recipe, those of the recipes it calls included."""

    def says_how(caller: Recipe, step: Step) -> bool:
        try:
            if step.recipe_path is None or is_dynamic(step.recipe_path):
                # only the run will know
                return step.recipe_path is not None
            path = find_recipe(session.plan.tree, step.recipe_path, caller.path)
            return bool(undo_steps(called_recipe(session.plan, path), says_how))
        except F0ciError:
            # the step itself will say what is wrong with it
            return False

    return undo_steps(recipe, says_how)


def _undo_called(
    level: Level, step: Step, recipe: Recipe, params: Mapping[str, Any], cancellation: Cancellation, round_: str
) -> StepResult:
    """Undo what a sub-recipe did, as its own steps say, the last one first."""
    session = level.session
    end = level.ended[step.name.removesuffix(".compensate")]
    undo = _undo_of(session, recipe)
    steps = {one.name: one for one in (*recipe.steps, *undo)}
    names = names_in_scope(recipe, params, session.environment, session.options)
    prefix = f"{level.prefix}{step.name}/"
    inside = Level(session, recipe, params, (*level.chain, recipe.path), prefix, round_, steps, names)
    for record in end.record.steps:
        if record.name in steps:
            result = StepResult(record.outcome, record.message, outputs=end.result.outputs.get(record.name, {}))
            inside.recall(record.name, Ended(result, record))
    done = len(inside.ended)
    inside.error = level.error
    recall(inside)
    message = _undo(inside, undo, cancellation, "")
    if inside.waiting and not cancellation.cancelled:
        ending = pausing(inside)
        return StepResult(Outcome.WAITING, ending.message, next_check=ending.next_check)
    unrecorded = unrecorded_of(inside)
    if unrecorded:
        session.recorder.record(round_, unrecorded, ())
    ends = list(inside.ended.values())[done:]
    well = all(one.result.outcome <= Outcome.PASSED for one in ends) and not cancellation.cancelled
    outcome = Outcome.PASSED if well else Outcome.FAILED
    return StepResult(outcome, message, steps=tuple(one.record for one in ends), terminal=not well)


def _stepping(level: Level, step: Step, cancellation: Cancellation) -> Stepping:
    session = level.session
    scope = {**level.names, "context": session.context, "steps": level.over.now()}
    if level.error is not None:
        scope["error"] = level.error
    return Stepping(
        session=session,
        recipe=level.recipe,
        step=step,
        path=level.prefix + step.name,
        round=level.round,
        scope=scope,
        cancellation=cancellation,
        run_recipe=lambda file, params, timeout, attempt: _run_called(
            level, step, file, params, scope, cancellation, timeout, attempt
        ),
    )


def _run_called(
    level: Level,
    step: Step,
    file: str,
    params: Mapping[str, Any],
    scope: Mapping[str, Any],
    cancellation: Cancellation,
    timeout: float | None,
    attempt: int,
) -> StepResult:
    from f0ci.expressions.evaluation import evaluate

    session = level.session
    path = find_recipe(session.plan.tree, str(evaluate(file, scope)), level.recipe.path)
    if path in level.chain:
        # only a path with an expression gets this far; the others are checked before the run
        raise InputError(f"recipes call each other in a circle: {' -> '.join((*level.chain, path))}", "end the circle")
    recipe = called_recipe(session.plan, path)
    seconds = min((limit for limit in (timeout, recipe.timeout) if limit is not None), default=None)
    bound = bind_parameters(recipe, params, names_around(session.environment, session.options))
    hide_sensitive(recipe, bound, session.redactor)
    round_ = f"{level.round}.{attempt}" if level.round else str(attempt)
    if step.trigger == UNDO:
        return _undo_called(level, step, recipe, bound, cancellation, round_)
    before = session.recorder.recalled(level.prefix + step.name, level.round)
    ending = run_steps(
        session,
        recipe,
        bound,
        cancellation,
        timeout=seconds,
        # what a run did in it before it waited counts; of a try that followed another, nobody knows how much
        spent=before.record.seconds if before is not None and before.attempts == 0 and attempt == 1 else 0.0,
        chain=level.chain,
        prefix=f"{level.prefix}{step.name}/",
        round_=round_,
    )
    # a sub-recipe of which every step was skipped did what its conditions say
    return StepResult(
        max(ending.outcome, Outcome.PASSED),
        ending.message,
        outputs=ending.outputs,
        steps=ending.records,
        abandoned=ending.abandoned,
        next_check=ending.next_check,
    )
