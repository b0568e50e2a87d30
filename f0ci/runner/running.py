"""The steps of one recipe, in their order, and of the recipes they call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from f0ci.core.cancellation import Cancellation
from f0ci.core.errors import InputError
from f0ci.core.outcome import Outcome, worst
from f0ci.recipes.composition import bind_parameters, find_recipe
from f0ci.recipes.graph import ON_ERROR
from f0ci.recipes.model import Recipe, Step
from f0ci.recipes.records import StepRecord
from f0ci.runner.events import StepNoted
from f0ci.runner.frozen import called_recipe
from f0ci.runner.options import left_out
from f0ci.runner.recording import Over
from f0ci.runner.scheduling import INTERRUPTED, Graph, run_graph
from f0ci.runner.secret_values import hide_sensitive
from f0ci.runner.session import Session, names_in_scope
from f0ci.runner.stepping import Ended, Stepping, run_step, skipped
from f0ci.runner.steps.base import StepResult
from f0ci.runner.undoing import undo_steps, wants_undo
from f0ci.runner.verdicts import strict_steps, verdict_of


@dataclass(frozen=True, slots=True)
class Ending:
    """How the steps of a recipe ended.

    Attributes:
        outcome: the worst of them; waiting where nothing can go on before something outside happens.
        message: why, empty where all passed.
        records: in the order they ended, those that never ran last.
        outputs: outputs by step, unredacted.
        abandoned: True where a step could not be ended and may still be running.
        next_check: when waiting steps may go on by themselves, or None.
        unrecorded: steps that are over and not in the journal yet.
    """

    outcome: Outcome
    message: str
    records: tuple[StepRecord, ...]
    outputs: Mapping[str, Any]
    abandoned: bool
    next_check: datetime | None = None
    unrecorded: tuple[Over, ...] = ()


@dataclass(slots=True)
class _Level:
    """One recipe of a run while its steps run.

    Attributes:
        chain: files of the recipes around this one, itself last.
        prefix: what stands before its steps' names, `parent/` inside a sub-recipe.
        round: attempts of the sub-recipe steps around it.
        steps: by name, those included that undo others.
        names: what expressions see before anything runs.
        ended: steps that are over, in that order.
        waiting: steps that wait.
        recorded: names of steps that the journal holds as they are.
        error: what `error` means to a step with `trigger: on_error`.
    """

    session: Session
    recipe: Recipe
    params: Mapping[str, Any]
    chain: tuple[str, ...]
    prefix: str
    round: str
    steps: dict[str, Step]
    names: Mapping[str, Any]
    ended: dict[str, Ended] = field(default_factory=dict)
    waiting: dict[str, Ended] = field(default_factory=dict)
    recorded: set[str] = field(default_factory=set)
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
    round_: str = "",
) -> Ending:
    """Run the steps of a recipe; those that the journal knows to be over do not run again.

    Args:
        session: the run.
        recipe: the recipe.
        params: its bound parameters.
        cancellation: ends the steps; the caller's.
        timeout: seconds for all of them, or None.
        chain: files of the recipes that called this one.
        prefix: what stands before the names of its steps.
        round_: attempts of the steps that called it.

    Raises:
        InputError: the steps have no order.
        JournalError: the journal cannot be written; what it holds is enough to go on later.
    """
    graph = session.plan.graph(recipe)
    session.orders[prefix] = graph.predecessors
    undo = undo_steps(recipe)
    steps = {step.name: step for step in (*recipe.steps, *undo)}
    names = names_in_scope(recipe, params, session.environment, session.options)
    level = _Level(session, recipe, params, (*chain, recipe.path), prefix, round_, steps, names)
    absent = left_out(session.options, recipe.steps, graph) if not chain else {}
    _recall(level)
    for step in recipe.steps:
        if step.name in absent and step.name not in level.ended:
            level.ended[step.name] = skipped(session, step, prefix + step.name, absent[step.name])
    limit = 1 if recipe.document.get(("execution", "parallel_execution")) is False else session.options.parallel
    with cancellation.child() as own:
        shape = _graph(recipe, graph.predecessors, frozenset(absent))
        _run(level, shape, own, limit=limit, timeout=timeout, continue_on_error=session.options.continue_on_error)
        message = own.reason
    failures = [
        (name, end)
        for name, end in level.ended.items()
        if end.result.outcome > Outcome.WAITING and recipe.step(name) is not None
    ]
    halted = any(_stops(level, end) for _, end in failures)
    if level.waiting and not message and not halted:
        return _pausing(level)
    if failures and not cancellation.cancelled:
        level.error = _error(failures, level)
        # what waited for its turn has none any more; what answers the failure may wait itself
        level.waiting.clear()
        level.recorded -= {name for name in steps if name not in level.ended}
        if wants_undo(recipe, [steps[name] for name, _ in failures]):
            message = _undo(level, undo, cancellation, message or _of_failure(failures))
        level.error = _error(failures, level)
        handlers = [name for name in graph.on_error if name not in absent]
        _run(level, _one_by_one(handlers), cancellation, limit=1, timeout=None, continue_on_error=True)
        if level.waiting and not cancellation.cancelled:
            return _pausing(level)
    _skip_the_rest(level, message, failed=bool(failures))
    message = message or cancellation.reason or (_of_failure(failures) if failures else "")
    unrecorded = _unrecorded(level)
    if chain and unrecorded:
        session.recorder.record(round_, unrecorded, ())
        unrecorded = ()
    return _ending(level, message, unrecorded)


def _recall(level: _Level) -> None:
    """Take over what an earlier process recorded."""
    recorder, found = level.session.recorder, []
    for name in level.steps:
        recalled = recorder.recalled(level.prefix + name, level.round)
        if recalled is not None and recalled.over:
            found.append((recalled.position, name, recalled))
    for _, name, recalled in sorted(found, key=lambda item: item[0]):
        level.ended[name] = Ended(recalled.result, recalled.record)
        level.recorded.add(name)


def _graph(recipe: Recipe, predecessors: Mapping[str, tuple[str, ...]], absent: frozenset[str]) -> Graph:
    steps = [name for name in predecessors if name not in absent]
    after = {name: _present(predecessors, absent, name) for name in steps}
    written = {step.name: frozenset(step.depends_on) for step in recipe.steps}
    # what only stands before a step, by idx, need not have passed
    needs = {name: tuple(before for before in after[name] if before in written[name]) for name in steps}
    return Graph(steps, after, needs, strict_steps(recipe))


def _present(predecessors: Mapping[str, tuple[str, ...]], absent: frozenset[str], name: str) -> tuple[str, ...]:
    """Return what a step comes after; in place of a step that is left out, what that one comes after."""
    if not absent:
        return predecessors[name]
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


def _one_by_one(names: Sequence[str]) -> Graph:
    """Return a graph of steps one after the other, whatever happens to the one before."""
    waits = {name: tuple(names[max(0, index - 1) : index]) for index, name in enumerate(names)}
    return Graph(names, waits, dict.fromkeys(names, ()))


def _run(
    level: _Level,
    graph: Graph,
    cancellation: Cancellation,
    *,
    limit: int,
    timeout: float | None,
    continue_on_error: bool,
) -> None:
    session = level.session

    def verdict(name: str, end: Ended) -> Any:
        return verdict_of(level.steps[name], end.result, continue_on_error=continue_on_error)

    def work(name: str) -> Any:
        end = run_step(_stepping(level, level.steps[name], cancellation))
        if end.result.outcome is Outcome.WAITING:
            level.waiting[name] = end
        else:
            level.ended[name] = end
        return verdict(name, end)

    def blocked(name: str, because: str) -> None:
        outcome = level.ended[because].result.outcome if because in level.ended else None
        words = "was skipped, and that does not do" if outcome is Outcome.SKIPPED else "did not pass"
        reason = f"it needs {because!r}, which {words}"
        level.ended[name] = skipped(session, level.steps[name], level.prefix + name, reason)

    def before_start(starting: Sequence[str]) -> None:
        unrecorded = _unrecorded(level)
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
        over={name: verdict(name, end) for name, end in level.ended.items() if name in graph.after},
        before_start=before_start,
        can_end=lambda name: level.prefix + name not in session.unending,
        look=None if level.prefix else look,
    )
    for name in unfinished:
        if name not in level.ended:
            reason = f"{cancellation.reason}; the step could not be ended, it was left behind"
            result = StepResult(Outcome.ERRORED, reason, terminal=True, abandoned=True)
            level.ended[name] = Ended(result, StepRecord(name, Outcome.ERRORED, attempts=1, message=reason))


def _unrecorded(level: _Level) -> tuple[Over, ...]:
    """Return what the journal does not hold yet; an interrupt undoes what it ended, so that the step runs again."""
    ends = [*dict(level.ended).items(), *dict(level.waiting).items()]
    # asked for afterwards: what an interrupt ended is among them only where it is known
    interrupted = _whole_reason(level) == INTERRUPTED
    found = []
    for name, end in ends:
        if name in level.recorded:
            continue
        if interrupted and end.result.outcome is not Outcome.PASSED:
            continue
        level.recorded.add(name)
        found.append(Over(level.prefix + name, level.steps[name].kind, end.result, end.record))
    return tuple(found)


def _whole_reason(level: _Level) -> str:
    return level.session.cancellation.reason


def _stops(level: _Level, end: Ended) -> bool:
    step = level.steps[end.record.name]
    return verdict_of(step, end.result, continue_on_error=level.session.options.continue_on_error).stops


def _undo(level: _Level, undo: Sequence[Step], cancellation: Cancellation, message: str) -> str:
    """Undo the steps that passed, the last one first; return the message with what became of it."""
    passed = [name for name, end in level.ended.items() if end.result.outcome is Outcome.PASSED]
    by_step = {step.name: step for step in undo}
    names = [f"{name}.compensate" for name in reversed(passed) if f"{name}.compensate" in by_step]
    names += [step.name for step in undo if step.at[0] != "steps"]
    if not names:
        text = "the recipe wants this undone, and says nowhere how: write 'compensate' under steps that passed"
        level.session.tell(StepNoted(level.prefix.rstrip("/"), "rollback", text))
        return message
    _run(level, _one_by_one(names), cancellation, limit=1, timeout=None, continue_on_error=True)
    bad = [name for name in names if level.ended[name].result.outcome is not Outcome.PASSED]
    words = f"undone by {', '.join(name for name in names if name not in bad)}" if len(bad) < len(names) else ""
    trouble = f"not undone, a person is needed: {', '.join(bad)}" if bad else ""
    return "; ".join(part for part in (message, words, trouble) if part)


def _stepping(level: _Level, step: Step, cancellation: Cancellation) -> Stepping:
    over = {
        name: {"outputs": end.result.outputs, "outcome": str(end.result.outcome)}
        for name, end in dict(level.ended).items()
    }
    session = level.session
    scope = {**level.names, "context": session.context, "steps": over}
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
    level: _Level,
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
        round_=f"{level.round}.{attempt}" if level.round else str(attempt),
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


def _of_failure(failures: list[tuple[str, Ended]]) -> str:
    return f"step {failures[0][0]!r} {failures[0][1].result.outcome}"


def _error(failures: list[tuple[str, Ended]], level: _Level) -> dict[str, Any]:
    name, end = failures[0]
    undone = [
        (step.removesuffix(".compensate"), ended.result.outcome is Outcome.PASSED)
        for step, ended in level.ended.items()
        if step.endswith(".compensate")
    ]
    return {
        "step": name,
        "message": end.result.message,
        "outcome": str(end.result.outcome),
        "attempts": end.record.attempts,
        "steps": [failed for failed, _ in failures],
        "undone": [step for step, well in undone if well],
        "not_undone": [step for step, well in undone if not well],
    }


def _skip_the_rest(level: _Level, reason: str, *, failed: bool) -> None:
    level.waiting.clear()
    for step in level.recipe.steps:
        if step.name not in level.ended:
            level.recorded.discard(step.name)
            calm = step.trigger == ON_ERROR and not failed
            words = "it runs only after a failure" if calm else reason or "the run stopped before it"
            level.ended[step.name] = skipped(level.session, step, level.prefix + step.name, words)


def _pausing(level: _Level) -> Ending:
    """Return that a recipe waits; steps that could not start yet are not over, and not told of."""
    checks = [end.result.next_check for end in level.waiting.values()]
    moments = [moment for moment in checks if moment is not None]
    words = "; ".join(f"{name}: {end.record.message}" for name, end in level.waiting.items())
    records = (*(end.record for end in level.ended.values()), *(end.record for end in level.waiting.values()))
    outputs = {name: end.result.outputs for name, end in level.ended.items() if end.result.outputs}
    unrecorded = _unrecorded(level)
    if level.prefix and unrecorded:
        level.session.recorder.record(level.round, unrecorded, ())
        unrecorded = ()
    check = min(moments, default=None)
    return Ending(Outcome.WAITING, words, records, outputs, abandoned=False, next_check=check, unrecorded=unrecorded)


def _ending(level: _Level, message: str, unrecorded: tuple[Over, ...]) -> Ending:
    ends = level.ended
    never_ran = [name for name, end in ends.items() if end.result.outcome is Outcome.SKIPPED]
    in_order = [*(name for name in ends if name not in never_ran), *never_ran]
    outcome = worst(end.result.outcome for name, end in ends.items())
    if outcome <= Outcome.PASSED and message:
        # stopped before anything failed: nobody knows how it would have ended
        outcome = Outcome.ERRORED
    return Ending(
        outcome,
        message,
        tuple(ends[name].record for name in in_order),
        {name: end.result.outputs for name, end in ends.items() if end.result.outputs},
        any(end.result.abandoned for end in ends.values()),
        unrecorded=unrecorded,
    )
