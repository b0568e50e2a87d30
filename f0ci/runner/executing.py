"""Running a recipe: recipe, environment and parameters -> resolved step graph -> execution -> run record."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci.core.clock import Clock, SystemClock
from f0ci.core.errors import F0ciError, InputError
from f0ci.core.outcome import Outcome
from f0ci.core.processes import reduced_environment
from f0ci.core.redaction import Redactor
from f0ci.core.values import dataclass
from f0ci.recipes.composition import bind_parameters
from f0ci.recipes.model import Recipe
from f0ci.recipes.records import RunRecord
from f0ci.runner.context import Change, Context, side_by_side
from f0ci.runner.events import Listener, StepNoted
from f0ci.runner.frozen import Plan, checked, freeze
from f0ci.runner.levels import Ending
from f0ci.runner.options import RunOptions, check_options
from f0ci.runner.recording import NoRecorder, Recorder
from f0ci.runner.running import run_steps
from f0ci.runner.scheduling import INTERRUPTED
from f0ci.runner.sealing import Sealer
from f0ci.runner.secret_values import DEFAULT_PROVIDERS, SecretValues, hide_sensitive
from f0ci.runner.session import Session, names_around
from f0ci.runner.steps.base import as_json
from f0ci.runner.surroundings import Surroundings
from f0ci.runner.threads import Threads
from f0ci.source.project import Project
from f0ci.source.tree import Tree

if TYPE_CHECKING:
    from f0ci.environments.model import Environment

__all__ = ["RunInterrupted", "RunOptions", "environ_of_run", "load_checked", "load_checked_closure", "run_recipe"]


class RunInterrupted(KeyboardInterrupt):
    """Somebody pressed Ctrl-C; every process of the run is ended.

    Args:
        record: what happened until then.
    """

    def __init__(self, record: RunRecord) -> None:
        super().__init__("interrupted")
        self.record = record


@dataclass(frozen=True, slots=True)
class Underway:
    """A run that is ready to be carried on.

    Attributes:
        plan: what it follows.
        params: bound parameters.
        options: how it differs from what the recipe says; with its id.
        context: its values.
        redactor: keeps secrets out of what people see.
        sealer: keeps secrets out of the journal.
        secrets: answers what `secret://name` means.
        recorder: where it is recorded.
        started: when it began, in whatever process.
        before: seconds that earlier processes carried it on.
        listener: told of what happens, or None.
        clock: the time for the record.
        sleep: waits between tries, given seconds; None waits until the run is stopped, or the time is over.
        home: the process's surroundings where several runs share them, or None.
        threads: where steps run.
    """

    plan: Plan
    params: Mapping[str, Any]
    options: RunOptions
    context: Context
    redactor: Redactor
    sealer: Sealer
    secrets: SecretValues
    started: datetime
    recorder: Recorder = field(default_factory=NoRecorder)
    before: float = 0.0
    listener: Listener | None = None
    clock: Clock = field(default_factory=SystemClock)
    sleep: Callable[[float], object] | None = None
    home: Surroundings | None = None
    threads: Threads | None = None


def run_recipe(
    recipe_path: str,
    *,
    tree_root: Path,
    project: Project,
    environment: Environment | None,
    parameters: Mapping[str, Any],
    context: Context | None = None,
    options: RunOptions | None = None,
    on_event: Listener | None = None,
    redactor: Redactor | None = None,
    clock: Clock | None = None,
    sleep: Callable[[float], object] | None = None,
) -> RunRecord:
    """Run a recipe to its end, without a journal.

    Scriptlets run in this process, one run at a time: meanwhile its working folder is the tree's root, its environment
    lacks the credentials of Git and CI, and its standard output and error are collected by step.

    Args:
        recipe_path: file of the recipe, relative to the tree or to one of the project's folders of recipes.
        tree_root: folder that holds recipes and scriptlets.
        project: settings of the repository.
        environment: where it runs; None where the recipe needs no configuration.
        parameters: values by name, as `params` offers them.
        context: values to start with, and to read afterwards; None starts with none.
        options: how the run differs from what the recipe says.
        on_event: told of what happens while it happens, from any thread, one event at a time.
        redactor: keeps secrets out of events and the record; values of sensitive parameters are added to it.
        clock: the time for the record.
        sleep: waits between tries, given seconds; by default the wait ends early when the run is stopped.

    Returns:
        The record, whatever the outcome; `waiting` where a step waits, which nobody can take further without a journal.

    Raises:
        UsageError: the options name an unknown step.
        InputError: the recipe cannot be read, or its parameters do not fit.
        CannotWork: the tree cannot be entered, or another run is active in this process.
        RunInterrupted: Ctrl-C; carries the record.
    """
    plan = freeze(tree_root, project, recipe_path, environment)
    options, redactor, given = options or RunOptions(), redactor or Redactor(), secrets_of(plan, dict(os.environ))
    given.hide_given(redactor)
    params = bind(plan, parameters, options, redactor, sealer := Sealer())
    clock = clock or SystemClock()
    started = clock.now()
    return carry_on(
        Underway(
            plan=plan,
            params=params,
            options=replace(options, run=options.run or new_id(started)),
            context=context or Context(),
            redactor=redactor,
            sealer=sealer,
            secrets=given,
            started=started,
            listener=on_event,
            clock=clock,
            sleep=sleep,
        )
    )


def new_id(moment: datetime) -> str:
    """Return an id for a run that begins now; ids sort by time."""
    return f"{moment:%Y%m%dT%H%M%SZ}-{os.urandom(4).hex()}"


def secrets_of(plan: Plan, environ: Mapping[str, str]) -> SecretValues:
    """Return what answers for the secrets of runs of a plan."""
    environment = None if plan.environment is None else plan.environment.base_name
    return SecretValues(environ, plan.root, environment, plan.providers or DEFAULT_PROVIDERS)


def bind(
    plan: Plan, parameters: Mapping[str, Any], options: RunOptions, redactor: Redactor, sealer: Sealer
) -> dict[str, Any]:
    """Return the parameters of a run as its expressions see them; sensitive ones are hidden from now on.

    Raises:
        UsageError: the options name an unknown step.
        InputError: parameters do not fit.
    """
    params = bind_parameters(plan.recipe, parameters, names_around(plan.environment, options))
    for name, value in params.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            # the value itself may be a secret
            hint = "give text, numbers, true or false, lists and mappings"
            raise InputError(f"the parameter {name!r} is not JSON: {error}", hint) from error
    check_options(options, plan.recipe)
    hide_sensitive(plan.recipe, params, redactor, sealer)
    return params


def carry_on(run: Underway) -> RunRecord:
    """Carry a run on until it is over, or waits.

    Raises:
        CannotWork: the tree cannot be entered, or another run is active in this process.
        JournalError: it cannot be recorded, so it was stopped; it goes on later from what is recorded.
        RunInterrupted: Ctrl-C; carries the record.
    """
    begin = time.monotonic()
    environ = reduced_environment(os.environ) if run.home is None else run.home.reduced
    session = Session(
        plan=run.plan,
        options=run.options,
        context=run.context,
        redactor=run.redactor,
        environ=environ_of_run(environ, run.plan.environment, run.options),
        secrets=run.secrets,
        clock=run.clock,
        sleep=run.sleep,
        listener=run.listener,
        recorder=run.recorder,
        threads=run.threads or Threads(),
        sealer=run.sealer,
        before=run.before,
    )
    run.context.watch(lambda one, other: side_by_side(session.graphs, one, other), _Conflicts(session).tell)
    with ExitStack() as stack:
        home = run.home or stack.enter_context(Surroundings(session.root))
        home.take_on(session.environ)
        stack.enter_context(closing(session))
        if run.threads is None:
            stack.callback(session.threads.close)
        ending = run_steps(
            session,
            run.plan.recipe,
            run.params,
            session.cancellation,
            timeout=run.plan.recipe.timeout,
            spent=run.before,
        )
    record = _record(run, session, ending, run.before + time.monotonic() - begin)
    run.recorder.finish(record, _state(session, ending), ending.unrecorded)
    if session.cancellation.reason == INTERRUPTED:
        raise RunInterrupted(record)
    return record


def _record(run: Underway, session: Session, ending: Ending, seconds: float) -> RunRecord:
    waits = ending.outcome is Outcome.WAITING
    return RunRecord(
        run=str(run.options.run),
        recipe=run.plan.recipe.path,
        outcome=ending.outcome,
        started=run.started,
        ended=None if waits else run.clock.now(),
        seconds=seconds,
        message=session.redactor.text(ending.message),
        environment=None if run.plan.environment is None else run.plan.environment.name,
        release=run.options.release,
        parameters=as_json(session.redactor.data(dict(run.params))),
        steps=ending.records,
        next_check=ending.next_check,
    )


def _state(session: Session, ending: Ending) -> str:
    """Return what the journal says of a run that nobody carries on any more."""
    if session.cancellation.reason == INTERRUPTED:
        return "stopped"
    return "cancelled" if session.cancellation.cancelled else str(ending.outcome)


class _Conflicts:
    """Tells of writers of one key that nothing orders, once a pair and key."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._told: set[tuple[str, str, str]] = set()

    def tell(self, change: Change) -> None:
        one, other = sorted((str(change.step), str(change.conflict)))
        if (one, other, change.key) in self._told:
            return
        self._told.add((one, other, change.key))
        text = f"wrote {change.key!r}, as {change.conflict!r} did, and nothing orders the two: add depends_on"
        with suppress(F0ciError):
            self._session.tell(StepNoted(str(change.step), "conflict", text))


def environ_of_run(environ: Mapping[str, str], environment: Environment | None, options: RunOptions) -> dict[str, str]:
    """Return the environment of a run's processes: a reduced one, and with what tells them where they are."""
    told: dict[str, str | None] = {
        **options.variables,
        "F0CI_ENVIRONMENT": None if environment is None else environment.base_name,
        "F0CI_OVERLAY": None if environment is None else environment.overlay,
        "F0CI_RELEASE": options.release,
        "F0CI_RUN": options.run,
        "F0CI_IDEMPOTENCY_KEY": options.idempotency_key or options.run,
    }
    own = {name: value for name, value in environ.items() if name not in told}
    return own | {name: value for name, value in told.items() if value is not None}


def load_checked(tree: Tree, project: Project, recipe_path: str) -> Recipe:
    """Return a recipe that can be started: it and every recipe it calls by a fixed path can be read and ordered.

    Raises:
        InputError: one of the recipes cannot be read or ordered.
    """
    return checked(tree, project, recipe_path)[0]


def load_checked_closure(tree: Tree, project: Project, recipe_path: str) -> dict[str, Recipe]:
    """Return a recipe that can be started and every recipe it calls by a fixed path, by file.

    Raises:
        InputError: one of the recipes cannot be read or ordered.
    """
    return checked(tree, project, recipe_path)[1]
